"""The hash-chained audit trail: how rows are chained at the end of a transaction, and how the chain is checked.

The chain shows that a row was changed, removed or inserted. Rows cut off at the end leave a shorter but unbroken
chain: only a head (sequence number and hash) noted outside the database shows that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, text

from gateway.model.audit import GENESIS, AuditEntry, chain_hash
from gateway.storage.effects import Effects
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.tables import audit

_HEAD = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_INSERT = audit.insert()
_ALL = select(audit).order_by(audit.c.seq)
_ROWS_AT_A_TIME = 1000

# One writer of the chain at a time, also among processes; held until the commit. Any number that is ours will do.
_LOCK_CHAIN = text("SELECT pg_advisory_xact_lock(7746281)")


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last row of the chain: note it elsewhere, and a chain cut off later is found."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first row at which the chain does not hold."""

    seq: int
    problem: str


class SqlAudit:
    """`ports.Audit`: collects rows; they are chained when the transaction ends."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    def append(self, entry: AuditEntry) -> None:
        """Add a row in the same transaction as what it tells of.

        Content that is not JSON, or a naive instant, is refused here (`TypeError`, `ValueError`), where only the
        work that wrote it fails.
        """
        to_micros(entry.at)
        data = orjson.loads(orjson.dumps(dict(entry.data)))
        self._effects.audit.append(AuditEntry(entry.at.astimezone(UTC), entry.kind, entry.actor, data))


def chain(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Write rows as the next links of the chain, without a gap in their numbers."""
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_CHAIN)
    head = audit_head(connection)
    rows = []
    for entry in entries:
        seq = head.seq + 1
        row = {
            "seq": seq,
            "at": to_micros(entry.at),
            "kind": entry.kind,
            "actor": entry.actor,
            "data": orjson.dumps(entry.data, option=orjson.OPT_SORT_KEYS),
            "previous": head.hash,
            "hash": chain_hash(head.hash, seq, entry),
        }
        rows.append(row)
        head = ChainHead(seq, str(row["hash"]))
    connection.execute(_INSERT, rows)


def audit_head(connection: Connection) -> ChainHead:
    """Return the last link; of an empty chain: number 0 and the genesis hash."""
    row = connection.execute(_HEAD).first()
    return ChainHead(0, GENESIS) if row is None else ChainHead(row.seq, row.hash)


def verify_audit(connection: Connection, known: ChainHead | None = None) -> BrokenLink | None:
    """Walk the whole chain and return the first broken link; None when every link holds.

    With `known`, a head noted earlier, the chain must also still contain it. Memory stays flat: rows are streamed.
    """
    head = ChainHead(0, GENESIS)
    for row in audit_rows(connection):
        problem = _problem(row, head)
        if problem is None and known is not None and row.seq == known.seq and row.hash != known.hash:
            problem = "is not the row whose hash was noted"
        if problem is not None:
            return BrokenLink(head.seq + 1, problem)
        head = ChainHead(row.seq, row.hash)
    if known is not None and head.seq < known.seq:
        return BrokenLink(head.seq + 1, f"and all after it are missing: number {known.seq} was noted as written")
    return None


def audit_rows(connection: Connection) -> Iterator[Row[Any]]:
    """Stream every row of the trail, oldest first."""
    # Whoever stops reading half-way must not leave PostgreSQL's cursor open behind.
    with connection.execute(_ALL, execution_options={"yield_per": _ROWS_AT_A_TIME}) as rows:
        yield from rows


def _problem(row: Row[Any], before: ChainHead) -> str | None:
    if row.seq != before.seq + 1:
        return f"is missing: the next row has number {row.seq}"
    if row.previous != before.hash:
        return "does not follow the row before it"
    try:
        entry = AuditEntry(from_micros(row.at), row.kind, row.actor, orjson.loads(row.data))
    except orjson.JSONDecodeError:
        return "has unreadable data"
    if chain_hash(row.previous, row.seq, entry) != row.hash:
        return "has other content than was written"
    return None
