"""What the console's queries give back: numbers, list rows and queue rows. None of them names a person."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FlowNumbers:
    """A day in numbers (records and deliveries), and what waits for a person now."""

    received: int
    converted: int
    quarantined: int
    duplicates: int
    skipped: int
    delivered: int
    answered: int
    refused: int
    held: int
    dead: int
    received_by_hour: tuple[int, ...]
    delivered_by_hour: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WorkCount:
    """How many pieces of work a lane has in a state."""

    lane: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class ReferralState:
    """How far a request to one recipient has come."""

    recipient: str
    transport: str
    status: str
    delivery: str | None
    """State of the newest delivery."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record in the list."""

    id: str
    program: str
    agency: str
    state: str
    hold_reason: str | None
    version: int
    updated_at: datetime
    referrals: tuple[ReferralState, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """What the list is narrowed to; "" means everything."""

    id: str = ""
    """Beginning of a record's id."""
    program: str = ""
    agency: str = ""
    state: str = ""
    recipient: str = ""
    before: str = ""
    """Where the page before ended, as given in `RecordPage.next`."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records, newest change first; `next` leads to older ones and is None on the last page."""

    rows: tuple[RecordRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that occur, for the filters of the list."""

    programs: tuple[str, ...]
    agencies: tuple[str, ...]
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """An input that could not be read, whole or in some records."""

    input_id: str
    source: str
    client: str | None
    received_at: datetime
    records: int | None
    """How many records of it are in quarantine; None: the whole input is."""
    first: int | None
    """Number of the first of them."""
    reason: str | None
    """Why, for that first one or for the whole."""


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A piece of work that has stopped."""

    id: int
    lane: str
    kind: str
    action: str
    subject: str
    handoff_id: str | None
    tries: int
    reason: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A destination."""

    name: str
    paused: bool
    due: datetime
    ready: int
    sending: int
    failures: int
    """Failed tries in a row; 0: its last word was an answer."""
