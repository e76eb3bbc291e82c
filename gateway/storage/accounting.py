"""The disclosure log with its decisions, as accountings and replays read it (42 CFR 2.24, 2.25)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, tuple_

from gateway.model.accounting import Disclosed, StoredDecision
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import load
from gateway.storage.tables import decisions, disclosures

_DECISION = (
    decisions.c.id,
    decisions.c.at,
    decisions.c.recipient,
    decisions.c.person_id,
    decisions.c.channel,
    decisions.c.record,
    decisions.c.inputs,
)
_GET = select(*_DECISION).where(decisions.c.id == bindparam("key"))
# The bytes that were sent stay where they are: a page of an accounting must not read gigabytes.
_LOGGED = select(
    *_DECISION,
    disclosures.c.message_id,
    disclosures.c.purpose,
    disclosures.c.description,
    disclosures.c.intended_at,
    disclosures.c.confirmed_at,
).join(disclosures, disclosures.c.decision_id == decisions.c.id)
_OLDEST_FIRST = (disclosures.c.intended_at, disclosures.c.message_id)
_DISCLOSED = _LOGGED.where(
    decisions.c.person_id == bindparam("person"),
    disclosures.c.intended_at >= bindparam("since"),
    disclosures.c.intended_at < bindparam("until"),
).order_by(*_OLDEST_FIRST)
_RECEIVED = _LOGGED.where(
    decisions.c.recipient == bindparam("recipient"), disclosures.c.message_id == bindparam("message")
)
_RECEIVED_SINCE = _LOGGED.where(
    decisions.c.recipient == bindparam("recipient"), disclosures.c.intended_at >= bindparam("since")
).order_by(*_OLDEST_FIRST)
# Ids of decisions sort by when they were made.
_NEWEST = (
    select(func.max(decisions.c.id))
    .join(disclosures, disclosures.c.decision_id == decisions.c.id)
    .where(decisions.c.recipient == bindparam("recipient"), decisions.c.person_id == bindparam("person"))
    .group_by(decisions.c.handoff_id, decisions.c.channel)
)
_RECEIVED_ABOUT = _LOGGED.where(decisions.c.id.in_(_NEWEST)).order_by(*_OLDEST_FIRST)
_BASES_RECEIVED = (
    select(decisions.c.record)
    .join(disclosures, disclosures.c.decision_id == decisions.c.id)
    .where(decisions.c.recipient == bindparam("recipient"), decisions.c.person_id == bindparam("person"))
)
_REFUSED = select(*_DECISION).where(decisions.c.decision.in_(("DENY", "HOLD"))).order_by(decisions.c.at, decisions.c.id)
_ROWS_AT_A_TIME = 1000


def stored_decision(connection: Connection, decision_id: str) -> StoredDecision | None:
    """Return one decision with its input, or None."""
    row = connection.execute(_GET, {"key": decision_id}).first()
    return None if row is None else _decision(row)


def disclosed(connection: Connection, person_id: str, since: datetime, until: datetime) -> list[Disclosed]:
    """Return what was disclosed about a person, or may have been, in [since, until), oldest first."""
    limits = {"person": person_id, "since": to_micros(since), "until": to_micros(until)}
    return [_disclosed(row) for row in connection.execute(_DISCLOSED, limits)]


def received(connection: Connection, recipient: str, message_id: str) -> Disclosed | None:
    """Return one disclosure, or what may have been one, to this recipient."""
    row = connection.execute(_RECEIVED, {"recipient": recipient, "message": message_id}).first()
    return None if row is None else _disclosed(row)


def received_between(
    connection: Connection,
    recipient: str,
    since: datetime,
    until: datetime | None,
    limit: int,
    after: Disclosed | None,
) -> list[Disclosed]:
    """Return what was disclosed to a recipient, or may have been, in [since, until) and after one, oldest first."""
    statement = _RECEIVED_SINCE.limit(limit)
    if until is not None:
        statement = statement.where(disclosures.c.intended_at < to_micros(until))
    if after is not None:
        statement = statement.where(tuple_(*_OLDEST_FIRST) > (to_micros(after.intended_at), after.message_id))
    return [
        _disclosed(row) for row in connection.execute(statement, {"recipient": recipient, "since": to_micros(since)})
    ]


def received_about(connection: Connection, recipient: str, person_id: str) -> list[Disclosed]:
    """Return of what was disclosed to a recipient about a person the newest of each record and channel."""
    rows = connection.execute(_RECEIVED_ABOUT, {"recipient": recipient, "person": person_id})
    return [_disclosed(row) for row in rows]


def bases_received(connection: Connection, recipient: str, person_id: str) -> set[tuple[str, str]]:
    """Return on what anything was disclosed to a recipient about a person, by type and id."""
    rows = connection.execute(_BASES_RECEIVED, {"recipient": recipient, "person": person_id})
    bases = [load(row.record).get("basis") or {} for row in rows]
    return {(str(one.get("type", "")), str(one.get("id", ""))) for one in bases}


def every_disclosure(connection: Connection) -> Iterator[Disclosed]:
    """Stream the whole log of disclosures, oldest first."""
    with connection.execute(_LOGGED.order_by(*_OLDEST_FIRST), execution_options={"yield_per": _ROWS_AT_A_TIME}) as rows:
        yield from map(_disclosed, rows)


def every_refusal(connection: Connection) -> Iterator[StoredDecision]:
    """Stream every decision that let nothing leave, oldest first."""
    with connection.execute(_REFUSED, execution_options={"yield_per": _ROWS_AT_A_TIME}) as rows:
        yield from map(_decision, rows)


def _disclosed(row: Any) -> Disclosed:
    return Disclosed(
        message_id=row.message_id,
        purpose=row.purpose,
        description=row.description,
        intended_at=from_micros(row.intended_at),
        confirmed_at=from_micros(row.confirmed_at) if row.confirmed_at is not None else None,
        decision=_decision(row),
    )


def _decision(row: Any) -> StoredDecision:
    return StoredDecision(
        id=row.id,
        at=from_micros(row.at),
        recipient=row.recipient,
        person_id=row.person_id,
        channel=row.channel,
        record=load(row.record),
        inputs=row.inputs,
    )
