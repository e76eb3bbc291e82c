"""The protocols through which `flow` reaches the world. Doors implement them, `wiring` chooses who does.

A `Transaction` groups the repositories of one database transaction. `Database.write` returns only after its work
is durable on disk; a change made inside it is seen by nobody until then.

Signatures and what they promise, no logic: in one file, because who writes a store has to keep all of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from gateway.model.accounting import Disclosed, HandedOver, NewDecision, StoredDecision
from gateway.model.audit import AuditEntry
from gateway.model.caveat import Caveat
from gateway.model.consent_life import ConsentTerm
from gateway.model.handoff import (
    DeliveryAction,
    Handoff,
    HandoffState,
    InputRecord,
    InputState,
    Person,
    Referral,
    Resource,
    StoredInput,
    Work,
    WorkKind,
    WorkState,
)
from gateway.model.release import Release, Review, ReviewKind

T = TypeVar("T")
M = TypeVar("M")


class Clock(Protocol):
    """The only source of the present instant."""

    def __call__(self) -> datetime:
        """Return now, aware, in UTC."""
        ...


class NewId(Protocol):
    """The only source of fresh, unguessable identifiers."""

    def __call__(self) -> str:
        """Return a new id: 26 characters of [a-z2-7], usable as FHIR id, message id and file name."""
        ...


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A FHIR resource with what the store knows of it."""

    body: Resource
    version: int
    updated_at: datetime
    handoff_id: str | None
    person_id: str | None


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


MessageKey = tuple[str, str, str]
"""Sending application, sending facility, MSH-10."""


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """An HL7v2 message taken before, and the answer it got (HL7 v2.5.1 ch. 2.9.2: repeat the same answer)."""

    sha256: str
    answer: bytes
    input_id: str


@dataclass(frozen=True, slots=True)
class Sighted:
    """Who of the index could be meant by numbers, names and a birth date."""

    has_number: bool
    """Somebody is known under one of the numbers, whoever gave it."""
    namesakes: list[Person]
    """Who has one of the names or the birth date: name and birth date only."""


@dataclass(frozen=True, slots=True)
class DroppedCount:
    """How many messages of a feed were dropped on a day (that of its organization)."""

    organization: str
    """Registry id."""
    feed: str
    """MSH-3^MSH-4 as registered."""
    day: date
    dropped: int


class Inputs(Protocol):
    """What came in, and what became of each record in it."""

    def add(self, *stored: StoredInput) -> None:
        """Keep inputs as they came."""
        ...

    def get(self, input_id: str) -> StoredInput | None:
        """Return an input with its bytes."""
        ...

    def same_content(self, client: str | None, source: str, sha256: str) -> str | None:
        """Return the id of an earlier input of the same client, source and content; messages are known by MSH-10."""
        ...

    def by_idempotency_key(self, client: str | None, source: str, key: str) -> StoredInput | None:
        """Return the input that this client sent to this source with this `Idempotency-Key`."""
        ...

    def set_state(self, input_id: str, state: InputState, reason: str | None = None) -> None:
        """Mark an input as done or quarantined."""
        ...

    def set_states(self, states: Sequence[tuple[str, InputState, str | None]]) -> None:
        """Mark inputs (id, state, reason), as `set_state` does."""
        ...

    def set_sender(self, input_id: str, client: str) -> None:
        """Write whose an input is, once a person has said so."""
        ...

    def put_records(self, records: Iterable[InputRecord]) -> None:
        """Write (or overwrite) what became of records of an input."""
        ...

    def records(self, input_id: str) -> list[InputRecord]:
        """Return what became of each record so far, by number."""
        ...

    def waiting(self, client: str, limit: int = 200) -> list[str]:
        """Return the ids of the inputs of a client of which something waits for a person, in the order they came."""
        ...


class Handoffs(Protocol):
    """Encounter records as kept for exchange, with their resources."""

    def get(self, handoff_id: str) -> Handoff | None:
        """Return a handoff without its resources."""
        ...

    def save(self, handoff: Handoff, resources: Sequence[Resource]) -> None:
        """Write a handoff and exactly these resources, in this order.

        A resource that changed gets its next version; one that is no longer there is deleted; the versions before
        stay in the history. `person_id` of the handoff is set on each of its resources.
        """
        ...

    def set_state(self, handoff_id: str, state: HandoffState, reason: str | None, at: datetime) -> None:
        """Hold, release or withdraw a handoff."""
        ...

    def resources(self, handoff_id: str) -> list[Resource]:
        """Return the current resources of a handoff in the order they were saved."""
        ...

    def several(self, handoff_ids: Sequence[str]) -> list[tuple[Handoff, list[Resource]]]:
        """Return these handoffs, in this order, each with its current resources as `resources` gives them."""
        ...

    def of_person(self, person_id: str) -> list[Handoff]:
        """Return every handoff about a person, oldest first."""
        ...

    def of_people(self, person_ids: Sequence[str]) -> list[Handoff]:
        """Return every handoff about these persons, oldest first."""
        ...

    def contents_of(self, person_id: str) -> list[tuple[str, Resource]]:
        """Return the resources of every active handoff about a person, each with the id of its handoff.

        Oldest handoff first, each in the order it was saved; what two handoffs share is there twice.
        """
        ...

    def move_person(self, from_person: str, to_person: str) -> None:
        """Re-point a person's records, referrals, decisions and caveats to another one (a match or a merge)."""
        ...


class Resources(Protocol):
    """Single FHIR resources: those of handoffs and those that partners wrote."""

    def get(self, resource_type: str, resource_id: str) -> StoredResource | None:
        """Return the current version, or None when it does not exist or was deleted."""
        ...

    def several(self, keys: Sequence[tuple[str, str]]) -> list[StoredResource]:
        """Return those of these (type, id) that `get` would return, in this order, in one question."""
        ...

    def put(self, resource: Resource, *, handoff_id: str | None, person_id: str | None, at: datetime) -> int:
        """Write a resource as its next version, return that version; meta.versionId and lastUpdated are set."""
        ...

    def history(self, resource_type: str, resource_id: str) -> list[StoredResource]:
        """Return every version, newest first."""
        ...

    def of_people(self, resource_types: Sequence[str], person_ids: Sequence[str]) -> list[StoredResource]:
        """Return the current resources of these types about these persons, oldest change first."""
        ...

    def of_person(self, resource_types: Sequence[str], person_id: str) -> list[StoredResource]:
        """Return the current resources of these types about a person, oldest change first."""
        ...

    def by_identifier(self, resource_type: str, system: str, value: str) -> list[StoredResource]:
        """Return the current resources of a type that carry this business identifier."""
        ...


class People(Protocol):
    """The index of persons."""

    def get(self, person_id: str) -> Person | None:
        """Return a person."""
        ...

    def save(self, person: Person, at: datetime) -> None:
        """Write a person with all patient ids and identifiers."""
        ...

    def by_patient(self, patient_id: str) -> Person | None:
        """Return the person whose Patient resource has this logical id."""
        ...

    def by_identifier(self, system: str, value: str) -> list[Person]:
        """Return the persons known under this identifier (more than one: ambiguous)."""
        ...

    def known_as(self, system: str, value: str) -> list[str]:
        """Return the ids of the persons known under this identifier, or with the system "Patient" by that logical id.

        One question, whether or not there is anybody.
        """
        ...

    def by_number(self, value: str) -> list[tuple[str, Person]]:
        """Return everybody known under this number, each with the identifier system that gives it, by system and id.

        One question, whoever gave the number and whether or not anybody has it.
        """
        ...

    def candidates(self, family: str, given: str, birth_date: str | None, phone: str | None) -> list[Person]:
        """Return the persons who share a normalized name, a birth date or a phone number; at most 50."""
        ...

    def sighted(
        self, numbers: Collection[str], names: Sequence[tuple[str, str]], birth_date: str | None, limit: int
    ) -> Sighted:
        """Look for anybody who could be meant, in one cheap question.

        At most `limit` namesakes, in no order: a caller who gets as many does not know them all.
        """
        ...

    def lock_each(self, person_ids: Sequence[str]) -> None:
        """Lock these persons as `lock` does, always in the order of their ids; unknown ones are passed over."""
        ...

    def lock(self, person_id: str) -> None:
        """Serialize with every other transaction that locks this person: sends and consent changes."""
        ...


class Referrals(Protocol):
    """Requests to recipients and how far they have come."""

    def get(self, referral_id: str) -> Referral | None:
        """Return a referral by the id of its Task."""
        ...

    def save(self, referral: Referral) -> None:
        """Insert or update a referral."""
        ...

    def of_handoff(self, handoff_id: str) -> list[Referral]:
        """Return the referrals made from a handoff."""
        ...

    def of_person(self, person_id: str) -> list[Referral]:
        """Return the referrals about a person."""
        ...

    def by_identifier(self, identifier: str, recipient: str) -> Referral | None:
        """Return the referral with this placer identifier at this recipient."""
        ...

    def of_people(self, person_ids: Sequence[str]) -> list[Referral]:
        """Return the referrals about these persons, oldest change first."""
        ...

    def holding(self, recipient: str, resource_type: str, resource_id: str) -> list[Referral]:
        """Return the referrals to a recipient from handoffs that hold this resource, newest change first."""
        ...

    def of_recipient(self, recipient: str, status: str | None, since: datetime | None) -> list[Referral]:
        """Return the referrals addressed to a recipient, oldest change first."""
        ...

    def in_order(self, after: str, but: Collection[str], limit: int) -> list[Referral]:
        """Return the referrals whose id follows `after` and whose status is none of `but`, by their ids in order."""
        ...


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
        """Lease one due, unpaused lane that has ready (or orphaned `sending`) work; None when there is none."""
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

    def of_states(self, states: Sequence[WorkState], limit: int = 500) -> list[Work]:
        """Return work in these states, oldest first (dead letters, held, refused)."""
        ...


class Decisions(Protocol):
    """Every decision with the input it was made from, and the log of what was disclosed."""

    def add(self, decisions: Sequence[NewDecision]) -> None:
        """Keep decisions, each with the canonical input that gave it."""
        ...

    def of_handoff(self, handoff_id: str) -> list[Mapping[str, Any]]:
        """Return the decision records of a handoff, newest first, with id, recipient, channel, referral, work."""
        ...

    def get(self, decision_id: str) -> StoredDecision | None:
        """Return one decision with the input it was made from."""
        ...

    def disclosed(self, person_id: str, since: datetime, until: datetime) -> list[Disclosed]:
        """Return what was disclosed about a person, or may have been, in [since, until), oldest first."""
        ...

    def received(self, recipient: str, message_id: str) -> Disclosed | None:
        """Return one disclosure, or what may have been one, to this recipient."""
        ...

    def received_between(self, recipient: str, since: datetime, until: datetime | None, limit: int) -> list[Disclosed]:
        """Return what was disclosed to a recipient, or may have been, in [since, until), the `limit` oldest."""
        ...

    def intend(self, *, decision_id: str, message_id: str, purpose: str, description: str, at: datetime) -> None:
        """Write that a disclosure is about to leave (42 CFR 2.25; committed before the first byte)."""
        ...

    def confirm(self, *, message_id: str, code: str, sent: bytes, answered: bytes, at: datetime) -> None:
        """Write that a disclosure has left and what the receiver answered."""
        ...

    def hand_over(self, disclosures: Sequence[HandedOver]) -> None:
        """Write disclosures that leave with the commit."""
        ...


class ConsentTerms(Protocol):
    """When consents end, and which wait for their verification: for lists and sweeps, never for a decision."""

    def get(self, consent_id: str) -> ConsentTerm | None:
        """Return the term of a consent."""
        ...

    def put(self, term: ConsentTerm) -> None:
        """Keep the term of a consent."""
        ...

    def drop(self, consent_id: str) -> None:
        """Forget the term of a consent; does nothing where there is none."""
        ...

    def ending(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until`, the earliest end first."""
        ...

    def unreminded(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until` and of whose end nobody was reminded, the earliest end first."""
        ...

    def doubtful(self, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents of whose ending event we were told, the longest told first."""
        ...

    def turning(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that may stop less at `until` than before, the earliest instant first."""
        ...

    def waiting(self, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that wait for their verification, the longest wait first."""
        ...


class Caveats(Protocol):
    """Restrictions that were agreed with a person, and consents that are said to be false."""

    def get(self, caveat_id: str) -> Caveat | None:
        """Return a caveat, in force or ended."""
        ...

    def save(self, caveat: Caveat) -> None:
        """Insert or update a caveat."""
        ...

    def of_person(self, person_id: str) -> list[Caveat]:
        """Return the caveats in force about a person, oldest first."""
        ...

    def of_people(self, person_ids: Sequence[str]) -> list[Caveat]:
        """Return the caveats in force about these persons, oldest first."""
        ...


class Releases(Protocol):
    """What was asked for at the console, with the evidence that somebody registered."""

    def get(self, release_id: str) -> Release | None:
        """Return a release."""
        ...

    def save(self, release: Release) -> None:
        """Insert or update a release."""
        ...

    def newest(self, limit: int = 200) -> list[Release]:
        """Return releases, newest first."""
        ...

    def of_handoff(self, handoff_id: str) -> list[Release]:
        """Return the releases of a record, newest first."""
        ...


class Reviews(Protocol):
    """What a second person has to look at."""

    def get(self, review_id: str) -> Review | None:
        """Return a review."""
        ...

    def save(self, review: Review) -> None:
        """Insert or update a review."""
        ...

    def open(self) -> list[Review]:
        """Return what nobody has closed yet, oldest first."""
        ...

    def of_subject(self, subject: str, kind: ReviewKind | None = None) -> list[Review]:
        """Return the reviews of a release or referral, oldest first."""
        ...


class Audit(Protocol):
    """The hash-chained audit trail."""

    def append(self, entry: AuditEntry) -> None:
        """Add a row in the same transaction as what it tells of."""
        ...


class Messages(Protocol):
    """HL7v2 messages already taken, by sending application, facility and MSH-10."""

    def seen(self, key: MessageKey) -> SeenMessage | None:
        """Return what is known of a message id."""
        ...

    def remember(self, taken: Mapping[MessageKey, SeenMessage], at: datetime) -> dict[MessageKey, SeenMessage]:
        """Keep the answers given to messages, durably before they are sent; return what is known under their keys.

        That is another message where one of the same key came before: it stays the one that is known.
        """
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` ids of messages that came before this and wait for nobody; return how many."""
        ...


class Feeds(Protocol):
    """How many messages of each feed were about nobody we know and not stored."""

    def add_dropped(self, counts: Iterable[DroppedCount]) -> None:
        """Add to the counts of their feeds and days."""
        ...

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return the counts from that day on, newest day first, each day by organization and feed."""
        ...


class Transaction(Protocol):
    """The repositories of one database transaction."""

    @property
    def inputs(self) -> Inputs: ...
    @property
    def handoffs(self) -> Handoffs: ...
    @property
    def resources(self) -> Resources: ...
    @property
    def people(self) -> People: ...
    @property
    def referrals(self) -> Referrals: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def feeds(self) -> Feeds: ...
    @property
    def consent_terms(self) -> ConsentTerms: ...
    @property
    def caveats(self) -> Caveats: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def reviews(self) -> Reviews: ...


@dataclass(frozen=True, slots=True)
class SharedWork(Generic[M, T]):
    """Work for `Database.write` that can be done in one call for all who ask for it at the same time.

    `for_each` takes their matters and gives a value for each, in that order. Where it raises, it is called again for
    each matter by itself.
    """

    for_each: Callable[[Transaction, Sequence[M]], Sequence[T]]
    matter: M

    def __call__(self, tx: Transaction) -> T:
        """Do it for the one matter."""
        (value,) = self.for_each(tx, [self.matter])
        return value


class Database(Protocol):
    """The store: serialized writes that are durable when they return, and reads of committed state."""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a writing transaction; return its value after the commit is on disk.

        What `work` raises is raised here and none of its changes are kept; work of others that shares the commit
        is not touched. `work` may run more than once only if it has not returned. `SharedWork` that comes together
        is one call where its `for_each` is the same.
        """
        ...

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent snapshot of committed state."""
        ...
