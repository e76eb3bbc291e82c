"""The list of HL7v2 messages for the console. Only header and outcome are read: nothing here names a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, or_, select

from gateway.formats.hl7v2 import Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.ports import DroppedCount
from gateway.storage.database import SqlDatabase
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.outbox import in_states
from gateway.storage.tables import input_records, inputs, outbox

PAGE_SIZE = 50
SEARCHED = 20_000
"""How many of the newest messages a filter by sender looks through; part of a name is nothing an index finds."""

_HEAD_BYTES = 1024
_state = func.coalesce(input_records.c.state, inputs.c.state)
_MOST_KINDS = 500
_NEXT_KIND = select(func.min(inputs.c.message_type)).where(inputs.c.message_type > bindparam("last"))
_first_record = and_(input_records.c.input_id == inputs.c.id, input_records.c.n == 1)


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages to list; "" does not narrow."""

    type: str = ""
    """MSH-9.1 or MSH-9.1^9.2, such as ADT or ADT^A01."""
    state: str = ""
    sender: str = ""
    """Part of sending application or facility, in any case."""
    before: str = ""
    """Where the page before ended: `MessagePage.next`."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message in the list."""

    id: str
    received_at: datetime
    type: str
    """Such as ADT^A01; "" where the header cannot be read."""
    application: str
    facility: str
    control_id: str
    version: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class MessageList:
    """A page of the list, and where the next one begins (None: there is no more)."""

    rows: tuple[MessageRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AwaitedRow:
    """A delivery that has its CA and no application answer yet."""

    work_id: int
    lane: str
    action: str
    control_id: str
    since: datetime


class MessageViews:
    """The queries, each on a snapshot of committed state."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def messages(self, query: MessageQuery) -> MessageList:
        """Return one page of messages, newest first."""
        found = self._database.query(lambda connection: _found(connection, query))
        rows = [_row(*tuple(row)) for row in found[:PAGE_SIZE]]
        more = f"{to_micros(rows[-1].received_at)}.{rows[-1].id}" if len(found) > PAGE_SIZE else None
        return MessageList(tuple(rows), more)

    def awaited(self) -> list[AwaitedRow]:
        """Return the deliveries that wait for an application answer, oldest first."""
        query = select(outbox).where(in_states("awaiting")).order_by(outbox.c.id).limit(PAGE_SIZE)
        found = self._database.query(lambda connection: list(connection.execute(query)))
        return [
            AwaitedRow(row.id, row.lane, row.action, row.message_id[:20], from_micros(row.updated_at)) for row in found
        ]

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return how many messages of each watched feed were about nobody we know, by day from `since` on."""
        return self._database.read(lambda tx: tx.feeds.dropped(since))


def _found(connection: Connection, query: MessageQuery) -> list[Row[Any]]:
    """Return the rows of a page and one more, where there is one.

    Of a type with its event, or of every event of a type, each is found through the index; what its sender is called is
    looked for among the newest.
    """
    kind = query.type.upper()
    if not kind:
        return list(connection.execute(_page(query)))
    kinds = [kind] if "^" in kind else list(_kinds(connection, kind))
    pages = (connection.execute(_page(query, inputs.c.message_type == one)) for one in kinds)
    # Each page is in this order already; a few dozen events of a type are merged, not sorted by the database.
    return list(islice(merge(*pages, key=lambda row: (-row.received_at, row.id)), PAGE_SIZE + 1))


def _kinds(connection: Connection, code: str) -> Iterator[str]:
    """Yield the types with this code that ever came, by hops through the index."""
    last = code
    for _ in range(_MOST_KINDS):
        found = connection.execute(_NEXT_KIND, {"last": last}).scalar()
        if found is None:
            return
        if found.partition("^")[0] == code:
            yield found
        last = found


def _page(query: MessageQuery, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select a page of the messages that meet these conditions, newest first."""
    newest = select(inputs.c.id).where(*_conditions(query), *conditions)
    if query.sender:
        looked_at = (
            select(inputs.c.id, inputs.c.sender, inputs.c.received_at)
            .where(*_conditions(query), *conditions)
            .order_by(inputs.c.received_at.desc(), inputs.c.id)
            .limit(SEARCHED)
            .subquery()
        )
        newest = select(looked_at.c.id).where(looked_at.c.sender.icontains(query.sender, autoescape=True))
        order = (looked_at.c.received_at.desc(), looked_at.c.id)
    else:
        order = (inputs.c.received_at.desc(), inputs.c.id)
    page = newest.order_by(*order).limit(PAGE_SIZE + 1).subquery()
    head = func.substr(inputs.c.payload, 1, _HEAD_BYTES)
    reason = func.coalesce(input_records.c.reason, inputs.c.reason)
    return (
        select(inputs.c.id, inputs.c.received_at, head, _state, reason)
        .join(page, page.c.id == inputs.c.id)
        .outerjoin(input_records, _first_record)
        .order_by(inputs.c.received_at.desc(), inputs.c.id)
    )


def _conditions(query: MessageQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [inputs.c.channel == "mllp"]
    if query.state:
        outcome = select(input_records.c.state).where(_first_record).scalar_subquery()
        conditions.append(func.coalesce(outcome, inputs.c.state) == query.state)
    instant, _, last_id = query.before.partition(".")
    if instant.isdecimal() and len(instant) < 19:
        at = int(instant)
        conditions.append(or_(inputs.c.received_at < at, and_(inputs.c.received_at == at, inputs.c.id > last_id)))
    return conditions


def _row(input_id: str, at: int, head: bytes | None, state: str, reason: str | None) -> MessageRow:
    # SQLite says NULL of the beginning of nothing, and an empty frame is kept like every message.
    first_line = bytes(head or b"").lstrip(b"\xef\xbb\xbf\r\n\x0b ").splitlines()[:1]
    # Latin-1 gives every byte a character, whatever MSH-18 says: names of systems are ASCII as a rule.
    message = read_message(b"".join(first_line).decode("latin-1").encode("ascii", "replace"))
    if isinstance(message, Unreadable):
        return MessageRow(input_id, from_micros(at), "", "", "", "", "", state, reason)
    header = read_header(message)
    return MessageRow(
        id=input_id,
        received_at=from_micros(at),
        type="^".join(part for part in (header.message_code, header.trigger_event) if part),
        application="".join(header.sending_application[:1]),
        facility="".join(header.sending_facility[:1]),
        control_id=header.control_id,
        version=header.version,
        state=state,
        reason=reason,
    )
