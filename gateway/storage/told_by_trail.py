"""Does the store still hold what the audit trail tells of: every decision, and the whole log of disclosures?

The chain shows that the trail is what was written. This shows that the accounting of disclosures (42 CFR 2.25) and the
kept decisions are, too. What a decision was made from is not looked at: making it again shows that
(`gateway consent replay`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, select

from gateway.model.audit import DECISIONS_KEPT, DISCLOSURES_LOGGED, BrokenRecord, record_hash
from gateway.storage.instants import to_micros
from gateway.storage.tables import audit, decisions, disclosures

_TOLD = (
    select(audit.c.seq, audit.c.kind, audit.c.data)
    .where(audit.c.kind.in_((*DECISIONS_KEPT, DISCLOSURES_LOGGED)))
    .order_by(audit.c.seq)
)
_DECISIONS = select(
    decisions.c.id, decisions.c.recipient, decisions.c.channel, decisions.c.handoff_id, decisions.c.record
)
_DISCLOSURES = select(
    disclosures.c.message_id,
    disclosures.c.decision_id,
    disclosures.c.purpose,
    disclosures.c.description,
    disclosures.c.intended_at,
)
_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class _Telling:
    """A row of the trail about one decision or one disclosure."""

    seq: int
    key: str
    data: Mapping[str, Any]


def broken_record(connection: Connection) -> BrokenRecord | None:
    """Return the first decision or disclosure that is not kept as the trail tells; None where all are.

    For a trail whose chain holds. Needs a connection on which nothing changes meanwhile. Memory stays flat, but for
    sendings that were tried again and of which the last try is still to come in the trail.
    """
    log = _Log()
    of_decisions = 0
    with connection.execute(_TOLD, execution_options={"yield_per": _AT_A_TIME}) as rows:
        for part in rows.partitions():
            made, logged = _decisions_in(part), _disclosures_in(part)
            of_decisions += len(made)
            broken = _broken_decision(connection, made) or log.broken(connection, logged)
            if broken is not None:
                return broken
    return (
        log.left_open()
        or _more_than_told(connection, select(func.count()).select_from(decisions), of_decisions, "decisions")
        or _more_than_told(connection, select(func.count()).select_from(disclosures), log.found, "disclosures")
    )


def _decisions_in(part: Sequence[Row[Any, Any, Any]]) -> list[_Telling]:
    told = ((row.seq, orjson.loads(row.data)) for row in part if row.kind in DECISIONS_KEPT)
    return [_Telling(seq, data["decision"], data) for seq, data in told]


def _disclosures_in(part: Sequence[Row[Any, Any, Any]]) -> list[_Telling]:
    told = ((row.seq, orjson.loads(row.data)) for row in part if row.kind == DISCLOSURES_LOGGED)
    return [
        _Telling(seq, one["message"], {**one, "at": data["at"]}) for seq, data in told for one in data["disclosures"]
    ]


def _broken_decision(connection: Connection, told: Sequence[_Telling]) -> BrokenRecord | None:
    kept = {row.id: row for row in _rows(connection, _DECISIONS, decisions.c.id, {one.key for one in told})}
    for one in told:
        row = kept.get(one.key)
        if row is None:
            return BrokenRecord(f"decision {one.key}", f"is missing: row {one.seq} of the trail tells of it")
        held = (row.recipient, row.channel, row.handoff_id, record_hash(orjson.loads(row.record)))
        if held != (one.data["recipient"], one.data["channel"], one.data["handoff"], one.data["record_hash"]):
            return BrokenRecord(f"decision {one.key}", f"is not what row {one.seq} of the trail tells of")
    return None


class _Log:
    """The log of disclosures, held against what the trail tells of it.

    A sending that was tried again is one disclosure, told of once a try: it rests on the last decision, and has the
    instant of the first.
    """

    def __init__(self) -> None:
        self.found = 0
        self._open: dict[str, _Telling] = {}
        """By message: the first telling of those that rest on an earlier decision than is kept."""

    def broken(self, connection: Connection, told: Sequence[_Telling]) -> BrokenRecord | None:
        """Compare the next tellings, in their order."""
        rows = _rows(connection, _DISCLOSURES, disclosures.c.message_id, {one.key for one in told})
        kept = {row.message_id: row for row in rows}
        for one in told:
            row = kept.get(one.key)
            if row is None:
                return BrokenRecord(f"disclosure {one.key}", f"is missing: row {one.seq} of the trail tells of it")
            if row.decision_id != one.data["decision"]:
                self._open.setdefault(one.key, one)
                continue
            first = self._open.pop(one.key, one)
            at = to_micros(datetime.fromisoformat(first.data["at"]))
            if (row.purpose, row.description, row.intended_at) != (one.data["purpose"], one.data["description"], at):
                return BrokenRecord(f"disclosure {one.key}", f"is not what row {one.seq} of the trail tells of")
            self.found += 1
        return None

    def left_open(self) -> BrokenRecord | None:
        """Return a disclosure that rests on a decision of which the trail does not tell."""
        for one in self._open.values():
            problem = f"rests on another decision than row {one.seq} of the trail or a later one tells of"
            return BrokenRecord(f"disclosure {one.key}", problem)
        return None


def _rows(connection: Connection, statement: Select[Any], key: Any, keys: Collection[str]) -> Iterator[Row[Any]]:
    wanted = sorted(keys)
    for first in range(0, len(wanted), _AT_A_TIME):
        yield from connection.execute(statement.where(key.in_(wanted[first : first + _AT_A_TIME])))


def _more_than_told(connection: Connection, count: Select[Any], told: int, what: str) -> BrokenRecord | None:
    kept = connection.execute(count).scalar_one()
    return None if kept == told else BrokenRecord(f"{kept} {what}", f"are kept, but the trail tells of {told}")
