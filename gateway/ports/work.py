"""Work that waits and what came over the wire: the outbox, HL7v2 messages known again, feeds that are watched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.model.handoff import (
    DeliveryAction,
    InputState,
    MessageKey,
    StoredInput,
    Work,
    WorkKind,
    WorkState,
)

CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of two machines may be apart. What was leased later than that from now was leased by a clock that
has been set back since: a rest that was counted from it would last as long as the clock went back."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One lane, leased to one worker, with its oldest ready work in order."""

    lane: str
    owner: str
    work: tuple[Work, ...]
    failures: int = 0
    """How many tries of this lane have failed in a row, up to this claim."""


@dataclass(frozen=True, slots=True)
class NewWork:
    """Work for the outbox, ready at once."""

    lane: str
    kind: WorkKind
    subject: str
    action: DeliveryAction
    message_id: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """An HL7v2 message taken before, and the answer it got (HL7 v2.5.1 ch. 2.9.2: repeat the same answer)."""

    input_id: str
    sha256: str
    answer: bytes
    at: datetime
    state: InputState


@dataclass(frozen=True, slots=True)
class DroppedCount:
    """How many messages of a feed were dropped on a day (that of its organization)."""

    organization: str
    """Registry id."""
    feed: str
    """MSH-3^MSH-4 as registered."""
    day: date
    dropped: int


class Outbox(Protocol):
    """Work in lanes: one lane a destination, strict order inside it, leases with fencing."""

    def add(
        self,
        *,
        lane: str,
        kind: WorkKind,
        subject: str,
        action: DeliveryAction,
        message_id: str,
        version: int,
        at: datetime,
        state: WorkState = "ready",
        reason: str | None = None,
    ) -> int:
        """Enqueue work; it is visible to workers once the transaction commits."""
        ...

    def add_all(self, work: Sequence[NewWork]) -> None:
        """Enqueue pieces of work, in this order."""
        ...

    def add_once(self, work: NewWork) -> None:
        """Enqueue work, unless work of this lane, kind and subject is ready already; one question either way."""
        ...

    def claim(self, owner: str, now: datetime, lease: timedelta, limit: int = 25) -> Claim | None:
        """Lease one due, unpaused lane that has ready (or orphaned `sending`) work; None when there is none.

        A worker that asks holds no lane any more: one that is still leased to it is one that it could not give back. A
        rest ends too where the clock has been set back by more than `CLOCKS_APART` since.
        """
        ...

    def owns(self, claim: Claim, now: datetime, lease: timedelta) -> bool:
        """Extend the lease if this owner still has the lane; False: stop, another worker took over."""
        ...

    def get(self, work_id: int) -> Work | None:
        """Return one piece of work."""
        ...

    def set_state(self, work_id: int, state: WorkState, reason: str | None, at: datetime) -> None:
        """Move work to another state. `sending` counts a try."""
        ...

    def finish(self, work_ids: Sequence[int], at: datetime) -> None:
        """Move pieces of work to `delivered`."""
        ...

    def back_off(self, lane: str, due: datetime, failures: int = 0) -> None:
        """Let a lane rest until `due`; `failures` is how many of its tries have failed in a row by now."""
        ...

    def release(self, claim: Claim) -> None:
        """Give a lane back."""
        ...

    def pause(self, lane: str, paused: bool) -> None:
        """Stop or resume a lane (the console's switch for one partner)."""
        ...

    def of_subject(self, subject: str) -> list[Work]:
        """Return the work made for a referral or an input, oldest first; not the reading of a message."""
        ...

    def sent_as(self, control_id: str) -> list[Work]:
        """Return the work that is sent under this MSH-10, the first 20 characters of its message id."""
        ...

    def of_states(self, states: Sequence[WorkState], limit: int = 500) -> list[Work]:
        """Return work in these states, oldest first (dead letters, held, refused)."""
        ...


class Messages(Protocol):
    """HL7v2 messages already taken, by sending application, facility and MSH-10."""

    def seen(self, key: MessageKey) -> SeenMessage | None:
        """Return what is known of a message id."""
        ...

    def add(self, arrived: Sequence[StoredInput]) -> dict[MessageKey, SeenMessage]:
        """Keep messages that are known by different keys; return which message is known by each of these keys now.

        That is another one where one of the same key came before: it stays the one that is known, and what arrived is
        not kept.
        """
        ...

    def forget(self, input_ids: Iterable[str]) -> None:
        """Let nothing be known by the keys of these messages any more; what came stays."""
        ...


class Feeds(Protocol):
    """How many messages of each feed were about nobody we know and not stored."""

    def add_dropped(self, counts: Iterable[DroppedCount]) -> None:
        """Add to the counts of their feeds and days."""
        ...

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return the counts from that day on, newest day first, each day by organization and feed."""
        ...
