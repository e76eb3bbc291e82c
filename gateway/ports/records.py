"""What came in and what is kept for exchange: inputs, records, resources, the people they are about, referrals."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.model.handoff import (
    Handoff,
    HandoffState,
    InputRecord,
    InputState,
    Person,
    Referral,
    Resource,
    StoredInput,
)


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A FHIR resource with what the store knows of it."""

    body: Resource
    version: int
    updated_at: datetime
    handoff_id: str | None
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Brought:
    """A handoff, and who brought it as it is now."""

    handoff_id: str
    agency: str
    """Registry id of the organization it names as its own; "" where nobody knows it."""
    client: str | None
    """Of the input that made it what it is."""


@dataclass(frozen=True, slots=True)
class Sighted:
    """Who of the index could be meant by numbers, names and a birth date."""

    has_number: bool
    """Somebody is known under one of the numbers, whoever gave it."""
    namesakes: list[Person]
    """Who has one of the names or the birth date: name and birth date only."""


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

    def remember_key(self, client: str | None, source: str, key: str, input_id: str) -> None:
        """Write which input a client sent to a source with an `Idempotency-Key`; a key that is known is refused."""
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

    def holding(self, resource_type: str, resource_ids: Sequence[str]) -> list[Brought]:
        """Return the handoffs that hold any of these resources now, by id; one question, also where there is none."""
        ...

    def contents_of(self, person_id: str) -> list[tuple[str, Resource]]:
        """Return the resources of every active handoff about a person, each with the id of its handoff.

        Oldest handoff first, each in the order it was saved; what two handoffs share is there twice. None where one of
        them is held: nobody has said yet who the person is.
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

    def in_order(self, after: str, but: Collection[str], limit: int) -> list[str]:
        """Return the ids that follow `after` of referrals whose status is none of `but`, in order."""
        ...
