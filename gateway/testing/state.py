"""What `InMemoryDatabase` keeps: frozen values in dictionaries, copied whole for every write."""

from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import TypeVar

from gateway.model.accounting import NewDecision
from gateway.model.audit import AuditEntry
from gateway.model.caveat import Caveat
from gateway.model.consent_life import ConsentTerm
from gateway.model.errors import GatewayError, WillNeverWork
from gateway.model.handoff import Handoff, InputRecord, MessageKey, Person, Referral, Resource, StoredInput, Work
from gateway.model.release import Release, Review
from gateway.ports import CLOCKS_APART

T = TypeVar("T")

Key = tuple[str, str]
"""Resource type and logical id."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; without a body it is a deletion."""

    number: int
    body: Resource | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource with all its versions, oldest first."""

    versions: tuple[Version, ...]
    handoff_id: str | None
    person_id: str | None

    @property
    def body(self) -> Resource | None:
        """Return the current content, None when the resource was deleted."""
        return self.versions[-1].body


@dataclass(frozen=True, slots=True)
class Lane:
    """One destination: until when it rests, and who has leased it until when."""

    due: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    paused: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class KeptDisclosure:
    """A disclosure that is about to leave or has left."""

    message_id: str
    decision_id: str
    purpose: str
    description: str
    intended_at: datetime
    confirmed_at: datetime | None = None
    code: str | None = None
    sent: bytes = b""
    answered: bytes = b""


@dataclass
class State:
    """Everything that is stored; a test may look into it."""

    inputs: dict[str, StoredInput] = field(default_factory=dict)
    input_keys: dict[tuple[str | None, str, str], str] = field(default_factory=dict)
    """The id of the input by client, source and `Idempotency-Key`."""
    records: dict[tuple[str, int], InputRecord] = field(default_factory=dict)
    handoffs: dict[str, Handoff] = field(default_factory=dict)
    contents: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    resources: dict[Key, Kept] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    referrals: dict[str, Referral] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    work: dict[int, Work] = field(default_factory=dict)
    decisions: dict[str, NewDecision] = field(default_factory=dict)
    disclosures: dict[str, KeptDisclosure] = field(default_factory=dict)
    messages: dict[MessageKey, str] = field(default_factory=dict)
    """The input that is known by each key."""
    consent_terms: dict[str, ConsentTerm] = field(default_factory=dict)
    caveats: dict[str, Caveat] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    dropped: dict[tuple[str, str, date], int] = field(default_factory=dict)
    """Messages not stored, by organization, feed and day."""
    audit: dict[int, AuditEntry] = field(default_factory=dict)

    def copy(self) -> "State":
        """Return a state that can change without this one."""
        return State(**{part.name: dict(getattr(self, part.name)) for part in fields(self)})


def claimable_lane(state: State, now: datetime, owner: str = "", lease: timedelta = timedelta()) -> str | None:
    """Return the lane to claim next: unfinished work, due, not leased by another now; the one leased longest ago."""
    with_work = {work.lane for work in state.work.values() if work.state in ("ready", "sending")}
    free = [
        (lane.lease_until or datetime.min.replace(tzinfo=now.tzinfo), name)
        for name, lane in state.lanes.items()
        if name in with_work and not lane.paused and _may_be_leased(lane, now, owner, now + lease + CLOCKS_APART)
    ]
    return min(free)[1] if free else None


def _may_be_leased(lane: Lane, now: datetime, owner: str, latest: datetime) -> bool:
    in_no_hand, until = lane.owner in (None, owner), lane.lease_until
    was_set_back = until is not None and until > latest
    is_due = lane.due is None or lane.due <= now
    return (in_no_hand and was_set_back) or (is_due and (in_no_hand or until is None or until <= now))


def must_exist(found: T | None, kind: str, key: object) -> T:
    """Return what was found, or raise as the SQL store does."""
    if found is None:
        raise GatewayError(f"expected a stored {kind} with id {key}, found none")
    return found


def insist(holds: bool, rule: str) -> None:
    """Refuse a change as the SQL store's keys do, unless `rule` holds."""
    if not holds:
        raise WillNeverWork(f"the database refused a change that contradicts what is stored ({rule})")
