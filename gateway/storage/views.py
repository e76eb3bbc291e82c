"""Read-only queries for the console: numbers, lists and queues. Nothing here names a person.

What identifies somebody is on the page of one record only, and that goes through the disclosure story.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Select, and_, exists, func, or_, select, union_all

from gateway.model.handoff import WorkState
from gateway.storage.database import SqlDatabase
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.outbox import NOT_READING, in_states
from gateway.storage.tables import handoffs, input_records, inputs, lanes, outbox, referrals
from gateway.storage.view_rows import (
    Choices,
    FlowNumbers,
    LaneRow,
    QuarantinedRow,
    RecordPage,
    RecordQuery,
    RecordRow,
    ReferralState,
    WorkCount,
    WorkRow,
)

PAGE_SIZE = 50
QUEUE_SIZE = 200

_HOUR = 3_600_000_000
_UNANSWERED = ("draft", "requested")
_STOPPED: tuple[WorkState, ...] = ("refused", "held", "dead")


class ConsoleViews:
    """The queries, each on a snapshot of committed state."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def flow_numbers(self, since: datetime) -> FlowNumbers:
        """Return the numbers of the 24 hours from `since`; refused, held and dead are those that stand now."""
        return self._database.query(lambda connection: _flow_numbers(connection, since))

    def work_counts(self) -> list[WorkCount]:
        """Return unfinished and stopped work by lane and state."""
        counts = select(outbox.c.lane, outbox.c.state, func.count()).group_by(outbox.c.lane, outbox.c.state)
        query = union_all(counts.where(in_states("ready", "sending")), counts.where(in_states(*_STOPPED)))
        return [WorkCount(*row) for row in self._rows(query)]

    def choices(self) -> Choices:
        """Return the programs, agencies and recipients that occur."""
        columns = (handoffs.c.program, handoffs.c.agency, referrals.c.recipient)
        return Choices(*(tuple(row[0] for row in self._rows(select(one).distinct().order_by(one))) for one in columns))

    def records(self, query: RecordQuery) -> RecordPage:
        """Return one page of records, newest change first."""
        order = (handoffs.c.updated_at.desc(), handoffs.c.id)
        found = self._rows(select(handoffs).where(*_conditions(query)).order_by(*order).limit(PAGE_SIZE + 1))
        page, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
        states: dict[str, list[ReferralState]] = {}
        for handoff_id, *state in self._rows(_referral_states([row.id for row in page])):
            states.setdefault(handoff_id, []).append(ReferralState(*state))
        rows = tuple(_record_row(row, tuple(states.get(row.id, ()))) for row in page)
        return RecordPage(rows, f"{page[-1].updated_at}.{page[-1].id}" if more else None)

    def held_records(self) -> list[RecordRow]:
        """Return the records that wait for a person's word, oldest first."""
        query = select(handoffs).where(_waits()).order_by(handoffs.c.updated_at).limit(QUEUE_SIZE)
        return [_record_row(row, ()) for row in self._rows(query)]

    def quarantined(self) -> list[QuarantinedRow]:
        """Return the inputs that could not be read, or not in all records, newest first."""
        unread = (
            select(input_records.c.input_id, func.count().label("records"), func.min(input_records.c.n).label("first"))
            .where(input_records.c.state == "quarantined")
            .group_by(input_records.c.input_id)
            .subquery()
        )
        first = and_(input_records.c.input_id == unread.c.input_id, input_records.c.n == unread.c.first)
        # Named columns: the originals stay where they are, a queue page must not read gigabytes.
        query = (
            select(
                inputs.c.id,
                inputs.c.source,
                inputs.c.client,
                inputs.c.received_at,
                unread.c.records,
                unread.c.first,
                func.coalesce(input_records.c.reason, inputs.c.reason),
            )
            .outerjoin(unread, unread.c.input_id == inputs.c.id)
            .outerjoin(input_records, first)
            .where(or_(inputs.c.state == "quarantined", unread.c.records > 0))
            .order_by(inputs.c.received_at.desc(), inputs.c.id)
            .limit(QUEUE_SIZE)
        )
        return [
            QuarantinedRow(input_id, source, client, from_micros(at), records, n, reason)
            for input_id, source, client, at, records, n, reason in self._rows(query)
        ]

    def stopped_work(self, state: WorkState) -> list[WorkRow]:
        """Return work that is refused, held or dead, newest first, with the record it belongs to.

        Work of a record that is held itself is left out: there is one thing to decide, and it is the record.
        """
        query = _stopped(select(outbox, referrals.c.handoff_id), state)
        newest = query.order_by(outbox.c.id.desc()).limit(QUEUE_SIZE)
        return [_work_row(row) for row in self._rows(newest)]

    def lanes(self) -> list[LaneRow]:
        """Return every destination with what waits in it."""
        waiting = {(count.lane, count.state): count.count for count in self.work_counts()}
        return [
            LaneRow(
                row.name,
                bool(row.paused),
                from_micros(row.due),
                waiting.get((row.name, "ready"), 0),
                waiting.get((row.name, "sending"), 0),
                row.failures,
            )
            for row in self._rows(select(lanes).order_by(lanes.c.name))
        ]

    def _rows(self, query: Executable) -> list[Any]:
        return self._database.query(lambda connection: list(connection.execute(query)))


def _flow_numbers(connection: Connection, since: datetime) -> FlowNumbers:
    day = _within(inputs.c.received_at, since)
    per_record = select(input_records.c.state, func.count()).join(inputs).where(day).group_by(input_records.c.state)
    whole = select(inputs.c.state, func.count()).where(day, ~_has_records()).group_by(inputs.c.state)
    stopped = _stopped(select(outbox.c.state, func.count()), *_STOPPED).group_by(outbox.c.state)
    delivered = select(outbox.c.updated_at).where(
        outbox.c.kind == "deliver", outbox.c.state == "delivered", _within(outbox.c.updated_at, since)
    )
    answered = select(func.count()).where(
        referrals.c.status.not_in(_UNANSWERED), _within(referrals.c.updated_at, since)
    )
    held = select(func.count()).where(_waits())
    records, unread, waiting = (_counts(connection.execute(query)) for query in (per_record, whole, stopped))
    arrivals = select(inputs.c.received_at).outerjoin(input_records).where(day)
    delivered_by_hour = _by_hour(connection, delivered, since)
    return FlowNumbers(
        received=sum(records.values()) + sum(unread.values()),
        converted=records.get("converted", 0),
        quarantined=records.get("quarantined", 0) + unread.get("quarantined", 0),
        duplicates=records.get("duplicate", 0),
        skipped=records.get("skipped", 0),
        delivered=sum(delivered_by_hour),
        answered=connection.execute(answered).scalar_one(),
        refused=waiting.get("refused", 0),
        held=waiting.get("held", 0) + connection.execute(held).scalar_one(),
        dead=waiting.get("dead", 0),
        received_by_hour=_by_hour(connection, arrivals, since),
        delivered_by_hour=delivered_by_hour,
    )


def _waits() -> ColumnElement[bool]:
    """Records that wait for a person's word: whose they are, or where their referral should go."""
    return handoffs.c.state.in_(("held", "unrouted"))


def _within(column: ColumnElement[int], since: datetime) -> ColumnElement[bool]:
    return and_(column >= to_micros(since), column < to_micros(since + timedelta(days=1)))


def _stopped(query: Select[Any], *states: WorkState) -> Select[Any]:
    """Narrow to work in these states with its record, without the work of records that are held themselves."""
    return (
        query.select_from(outbox)
        .outerjoin(referrals, referrals.c.id == outbox.c.subject)
        .outerjoin(handoffs, handoffs.c.id == referrals.c.handoff_id)
        .where(
            in_states(*states),
            or_(outbox.c.state != "held", handoffs.c.state.is_(None), handoffs.c.state != "held"),
        )
    )


def _has_records() -> ColumnElement[bool]:
    return exists().where(input_records.c.input_id == inputs.c.id)


def _counts(result: Iterable[Any]) -> dict[Any, int]:
    return {row[0]: row[1] for row in result}


def _by_hour(connection: Connection, instants: Select[Any], since: datetime) -> tuple[int, ...]:
    hour = ((instants.subquery().c[0] - to_micros(since)) // _HOUR).label("hour")
    # Grouped by name: the expression again would carry other parameters, and PostgreSQL would not know it as the same.
    counts = _counts(connection.execute(select(hour, func.count()).group_by("hour")))
    return tuple(counts.get(n, 0) for n in range(24))


def _conditions(query: RecordQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.id:
        conditions.append(handoffs.c.id.startswith(query.id, autoescape=True))
    for column, value in (
        (handoffs.c.program, query.program),
        (handoffs.c.agency, query.agency),
        (handoffs.c.state, query.state),
    ):
        if value:
            conditions.append(column == value)
    if query.recipient:
        conditions.append(
            exists().where(referrals.c.handoff_id == handoffs.c.id, referrals.c.recipient == query.recipient)
        )
    instant, _, last_id = query.before.partition(".")
    if instant.isdecimal() and len(instant) < 19:
        at = int(instant)
        conditions.append(or_(handoffs.c.updated_at < at, and_(handoffs.c.updated_at == at, handoffs.c.id > last_id)))
    return conditions


def _referral_states(handoff_ids: Sequence[str]) -> Select[Any]:
    """Select the referrals of these records, each with its newest delivery."""
    newest = (
        select(outbox.c.subject, func.max(outbox.c.id).label("id"))
        .join(referrals, referrals.c.id == outbox.c.subject)
        .where(referrals.c.handoff_id.in_(handoff_ids), outbox.c.kind == "deliver", NOT_READING)
        .group_by(outbox.c.subject)
        .subquery()
    )
    return (
        select(
            referrals.c.handoff_id,
            referrals.c.recipient,
            referrals.c.transport,
            referrals.c.status,
            outbox.c.state,
            func.coalesce(outbox.c.reason, referrals.c.reason),
        )
        .outerjoin(newest, newest.c.subject == referrals.c.id)
        .outerjoin(outbox, outbox.c.id == newest.c.id)
        .where(referrals.c.handoff_id.in_(handoff_ids))
        .order_by(referrals.c.recipient)
    )


def _record_row(row: Any, made: tuple[ReferralState, ...]) -> RecordRow:
    return RecordRow(
        row.id, row.program, row.agency, row.state, row.hold_reason, row.version, from_micros(row.updated_at), made
    )


def _work_row(row: Any) -> WorkRow:
    at = from_micros(row.updated_at)
    return WorkRow(row.id, row.lane, row.kind, row.action, row.subject, row.handoff_id, row.tries, row.reason, at)
