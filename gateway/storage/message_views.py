"""The list of HL7v2 messages for the console. Only header and outcome are read: nothing here names a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from gateway.formats.hl7v2 import Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.ports import DroppedCount
from gateway.storage.database import SqlDatabase
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.tables import input_records, inputs, outbox

PAGE_SIZE = 50
SEARCHED = 2000
"""How many of the newest messages a filter by type or sender looks through; they are read, not indexed."""

_HEAD_BYTES = 1024
_state = func.coalesce(input_records.c.state, inputs.c.state)


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
        rows: list[MessageRow] = []
        for row in self._searched(query):
            if _fits(row, query):
                rows.append(row)
            if len(rows) > PAGE_SIZE:
                last = rows[PAGE_SIZE - 1]
                return MessageList(tuple(rows[:PAGE_SIZE]), f"{to_micros(last.received_at)}.{last.id}")
        return MessageList(tuple(rows), None)

    def awaited(self) -> list[AwaitedRow]:
        """Return the deliveries that wait for an application answer, oldest first."""
        query = select(outbox).where(outbox.c.state == "awaiting").order_by(outbox.c.id).limit(PAGE_SIZE)
        found = self._database.query(lambda connection: list(connection.execute(query)))
        return [
            AwaitedRow(row.id, row.lane, row.action, row.message_id[:20], from_micros(row.updated_at)) for row in found
        ]

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return how many messages of each watched feed were about nobody we know, by day from `since` on."""
        return self._database.read(lambda tx: tx.feeds.dropped(since))

    def _searched(self, query: MessageQuery) -> Iterator[MessageRow]:
        head = func.substr(inputs.c.payload, 1, _HEAD_BYTES)
        reason = func.coalesce(input_records.c.reason, inputs.c.reason)
        first = and_(input_records.c.input_id == inputs.c.id, input_records.c.n == 1)
        statement = (
            select(inputs.c.id, inputs.c.received_at, head, _state, reason)
            .outerjoin(input_records, first)
            .where(*_conditions(query))
            .order_by(inputs.c.received_at.desc(), inputs.c.id)
            .limit(SEARCHED if query.type or query.sender else PAGE_SIZE + 1)
        )
        found: list[Any] = self._database.query(lambda connection: list(connection.execute(statement)))
        return (_row(*row) for row in found)


def _conditions(query: MessageQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [inputs.c.channel == "mllp"]
    if query.state:
        conditions.append(_state == query.state)
    instant, _, last_id = query.before.partition(".")
    if instant.isdecimal() and len(instant) < 19:
        at = int(instant)
        conditions.append(or_(inputs.c.received_at < at, and_(inputs.c.received_at == at, inputs.c.id > last_id)))
    return conditions


def _row(input_id: str, at: int, head: bytes, state: str, reason: str | None) -> MessageRow:
    first_line = bytes(head).lstrip(b"\xef\xbb\xbf\r\n\x0b ").splitlines()[:1]
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


def _fits(row: MessageRow, query: MessageQuery) -> bool:
    kind, sender = query.type.upper(), query.sender.casefold()
    is_kind = not kind or row.type == kind or row.type.partition("^")[0] == kind
    return is_kind and (not sender or sender in row.application.casefold() or sender in row.facility.casefold())
