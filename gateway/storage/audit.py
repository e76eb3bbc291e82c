"""The hash-chained audit trail: how rows are chained at the end of a transaction, and how they are read back."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, text

from gateway.model.audit import GENESIS, AuditEntry, Broken, ChainHead, Link, chain_hash, check_trail
from gateway.storage.effects import Effects
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import audit

_HEAD = Prepared(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
_INSERT = Prepared(audit.insert())
_ALL = select(audit).order_by(audit.c.seq)
_ROWS_AT_A_TIME = 1000

# One writer of the chain at a time, also among processes; held until the commit. Any number that is ours will do.
_LOCK_CHAIN = text("SELECT pg_advisory_xact_lock(7746281)")


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


def hold_chain(connection: Connection) -> None:
    """Be the only writer of the chain until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_CHAIN)


def chain(connection: Connection, entries: Sequence[AuditEntry]) -> ChainHead | None:
    """Write rows as the next links of the chain, without a gap in their numbers; return the last one."""
    if not entries:
        return None
    hold_chain(connection)
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
    _INSERT.run_many(connection, rows)
    return head


def audit_head(connection: Connection) -> ChainHead:
    """Return the last link; of an empty chain: number 0 and the genesis hash."""
    row = _HEAD.first(connection, {})
    return ChainHead(0, GENESIS) if row is None else ChainHead(row.seq, row.hash)


def verify_audit(connection: Connection, known: ChainHead | None = None) -> Broken | None:
    """Walk the whole chain and return the first broken link; None when every link holds.

    With `known`, a head noted earlier, the chain must also still contain it. What was signed is not looked at.
    """
    found = check_trail(audit_links(connection), known=[known] if known else [])
    return None if isinstance(found, ChainHead) else found


def audit_links(connection: Connection) -> Iterator[Link]:
    """Stream the trail as links, oldest first."""
    for row in audit_rows(connection):
        yield Link(row.seq, _entry(row), row.previous, row.hash)


def audit_rows(connection: Connection) -> Iterator[Row[Any]]:
    """Stream every row of the trail, oldest first."""
    # Whoever stops reading half-way must not leave PostgreSQL's cursor open behind.
    with connection.execute(_ALL, execution_options={"yield_per": _ROWS_AT_A_TIME}) as rows:
        yield from rows


def _entry(row: Row[Any]) -> AuditEntry | None:
    try:
        return AuditEntry(from_micros(row.at), row.kind, row.actor, orjson.loads(row.data))
    except orjson.JSONDecodeError:
        return None
