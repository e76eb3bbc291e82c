"""In-memory repositories of what came in and what is kept for exchange."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from gateway.model.errors import GatewayError
from gateway.model.handoff import (
    Handoff,
    HandoffState,
    InputRecord,
    InputState,
    Person,
    Resource,
    StoredInput,
)
from gateway.model.names import match_name, match_phone
from gateway.ports import Brought, Sighted, StoredResource
from gateway.testing.state import Kept, Key, State, Version, insist, must_exist

_MOST_CANDIDATES = 50


class InMemoryInputs:
    """`ports.Inputs` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, *stored: StoredInput) -> None:
        """Keep inputs as they came."""
        for one in stored:
            insist(one.id not in self._state.inputs, "an input's id is new")
            self._state.inputs[one.id] = one

    def get(self, input_id: str) -> StoredInput | None:
        """Return an input with its bytes."""
        return self._state.inputs.get(input_id)

    def same_content(self, client: str | None, source: str, sha256: str) -> str | None:
        """Return the id of the earliest input of the same client, source and content."""
        same = [
            (i.received_at, i.id)
            for i in self._state.inputs.values()
            if (i.client, i.source, i.sha256) == (client, source, sha256) and i.channel != "mllp"
        ]
        return min(same)[1] if same else None

    def by_idempotency_key(self, client: str | None, source: str, key: str) -> StoredInput | None:
        """Return the input that this client sent to this source with this `Idempotency-Key`."""
        input_id = self._state.input_keys.get((client, source, key))
        return None if input_id is None else self._state.inputs[input_id]

    def remember_key(self, client: str | None, source: str, key: str, input_id: str) -> None:
        """Write which input a client sent to a source with an `Idempotency-Key`; a key that is known is refused."""
        insist((client, source, key) not in self._state.input_keys, "a client uses an idempotency key once")
        insist(input_id in self._state.inputs, "a key belongs to an input")
        self._state.input_keys[client, source, key] = input_id

    def set_state(self, input_id: str, state: InputState, reason: str | None = None) -> None:
        """Mark an input as done or quarantined."""
        stored = must_exist(self._state.inputs.get(input_id), "input", input_id)
        self._state.inputs[input_id] = replace(stored, state=state, reason=reason)

    def set_states(self, states: Sequence[tuple[str, InputState, str | None]]) -> None:
        """Mark inputs (id, state, reason), as `set_state` does."""
        for one in states:
            self.set_state(*one)

    def set_sender(self, input_id: str, client: str) -> None:
        """Write whose an input is, once a person has said so."""
        stored = must_exist(self._state.inputs.get(input_id), "input", input_id)
        self._state.inputs[input_id] = replace(stored, client=client)

    def put_records(self, records: Iterable[InputRecord]) -> None:
        """Write (or overwrite) what became of records of an input."""
        for record in records:
            insist(record.input_id in self._state.inputs, "a record belongs to an input")
            self._state.records[record.input_id, record.n] = record

    def records(self, input_id: str) -> list[InputRecord]:
        """Return what became of each record so far, by number."""
        of_input = (record for record in self._state.records.values() if record.input_id == input_id)
        return sorted(of_input, key=lambda record: record.n)

    def waiting(self, client: str, limit: int = 200) -> list[str]:
        """Return the ids of the inputs of a client of which something waits for a person, in the order they came."""
        waiting = {record.input_id for record in self._state.records.values() if record.state == "quarantined"}
        found = [self._state.inputs[one] for one in waiting if self._state.inputs[one].client == client]
        return [one.id for one in sorted(found, key=lambda stored: (stored.received_at, stored.id))][:limit]


class InMemoryResources:
    """`ports.Resources` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, resource_type: str, resource_id: str) -> StoredResource | None:
        """Return the current version, or None when it does not exist or was deleted."""
        kept = self._state.resources.get((resource_type, resource_id))
        return None if kept is None or kept.body is None else _stored(kept, kept.versions[-1])

    def several(self, keys: Sequence[tuple[str, str]]) -> list[StoredResource]:
        """Return those of these (type, id) that `get` would return, in this order, in one question."""
        return [stored for key in dict.fromkeys(keys) if (stored := self.get(*key)) is not None]

    def put(self, resource: Resource, *, handoff_id: str | None, person_id: str | None, at: datetime) -> int:
        """Write a resource as its next version; where it is new to the handoff it comes last there."""
        key = (resource["resourceType"], resource["id"])
        version = write_version(self._state, key, content(resource), handoff_id, person_id, at)
        held = self._state.contents.get(handoff_id or "", ())
        insist(handoff_id is None or handoff_id in self._state.handoffs, "a resource's handoff exists")
        if handoff_id is not None and key not in held:
            self._state.contents[handoff_id] = (*held, key)
        return version

    def history(self, resource_type: str, resource_id: str) -> list[StoredResource]:
        """Return every version, newest first; a number that is missing is a deletion."""
        kept = self._state.resources.get((resource_type, resource_id))
        if kept is None:
            return []
        return [_stored(kept, version) for version in reversed(kept.versions) if version.body is not None]

    def of_people(self, resource_types: Sequence[str], person_ids: Sequence[str]) -> list[StoredResource]:
        """Return the current resources of these types about these persons, oldest change first."""
        found = [stored for one in dict.fromkeys(person_ids) for stored in self.of_person(resource_types, one)]
        return sorted(found, key=lambda stored: (stored.updated_at, stored.body["id"]))

    def of_person(self, resource_types: Sequence[str], person_id: str) -> list[StoredResource]:
        """Return the current resources of these types about a person, oldest change first."""
        found = [stored for kind in resource_types for stored in self._of_type(kind) if stored.person_id == person_id]
        return sorted(found, key=lambda stored: (stored.updated_at, stored.body["id"]))

    def by_identifier(self, resource_type: str, system: str, value: str) -> list[StoredResource]:
        """Return the current resources of a type that carry this business identifier."""
        return [stored for stored in self._of_type(resource_type) if (system, value) in _identifiers(stored.body)]

    def _of_type(self, resource_type: str) -> list[StoredResource]:
        current = (
            _stored(kept, kept.versions[-1])
            for key, kept in self._state.resources.items()
            if key[0] == resource_type and kept.body is not None
        )
        return sorted(current, key=lambda stored: (stored.updated_at, stored.body["id"]))


class InMemoryHandoffs:
    """`ports.Handoffs` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, handoff_id: str) -> Handoff | None:
        """Return a handoff without its resources."""
        return self._state.handoffs.get(handoff_id)

    def save(self, handoff: Handoff, resources: Sequence[Resource]) -> None:
        """Write a handoff and exactly these resources, in this order; what changed gets its next version."""
        state = self._state
        keys = tuple((resource["resourceType"], resource["id"]) for resource in resources)
        if len(set(keys)) != len(keys):
            raise ValueError(f"expected each resource of handoff {handoff.id} once, found one twice")
        insist(handoff.input_id in state.inputs, "a handoff comes from an input")
        dropped = [key for key in state.contents.get(handoff.id, ()) if key not in keys]
        state.handoffs[handoff.id] = handoff
        state.contents[handoff.id] = keys
        for key in dropped:
            if not any(key in held for held in state.contents.values()):
                kept = state.resources[key]
                write_version(state, key, None, kept.handoff_id, kept.person_id, handoff.updated_at)
        for key, resource in zip(keys, resources, strict=True):
            kept_before = state.resources.get(key)
            person_id, body = _person_of(handoff, kept_before), content(resource)
            if kept_before is None or kept_before.body != body:
                write_version(state, key, body, handoff.id, person_id, handoff.updated_at)
            else:
                state.resources[key] = replace(kept_before, handoff_id=handoff.id, person_id=person_id)

    def set_state(self, handoff_id: str, state: HandoffState, reason: str | None, at: datetime) -> None:
        """Hold, release or withdraw a handoff."""
        handoff = must_exist(self._state.handoffs.get(handoff_id), "handoff", handoff_id)
        self._state.handoffs[handoff_id] = replace(handoff, state=state, hold_reason=reason, updated_at=at)

    def resources(self, handoff_id: str) -> list[Resource]:
        """Return the current resources of a handoff, as they were saved and in that order."""
        kept = (self._state.resources[key] for key in self._state.contents.get(handoff_id, ()))
        return [_copied(resource.body) for resource in kept if resource.body is not None]

    def several(self, handoff_ids: Sequence[str]) -> list[tuple[Handoff, list[Resource]]]:
        """Return these handoffs, in this order, each with its current resources as `resources` gives them."""
        known = (self.get(key) for key in dict.fromkeys(handoff_ids))
        return [(handoff, self.resources(handoff.id)) for handoff in known if handoff is not None]

    def of_person(self, person_id: str) -> list[Handoff]:
        """Return every handoff about a person, oldest first."""
        about = (handoff for handoff in self._state.handoffs.values() if handoff.person_id == person_id)
        return sorted(about, key=lambda handoff: (handoff.created_at, handoff.id))

    def of_people(self, person_ids: Sequence[str]) -> list[Handoff]:
        """Return every handoff about these persons, oldest first."""
        about = (handoff for handoff in self._state.handoffs.values() if handoff.person_id in person_ids)
        return sorted(about, key=lambda handoff: (handoff.created_at, handoff.id))

    def holding(self, resource_type: str, resource_ids: Sequence[str]) -> list[Brought]:
        """Return the handoffs that hold any of these resources now, by id."""
        wanted, contents = {(resource_type, key) for key in resource_ids}, self._state.contents
        found = [self._state.handoffs[key] for key in sorted(contents) if not wanted.isdisjoint(contents[key])]
        return [Brought(one.id, one.agency, self._state.inputs[one.input_id].client) for one in found]

    def contents_of(self, person_id: str) -> list[tuple[str, Resource]]:
        """Return the resources of every active handoff about a person, each with the id of its handoff."""
        about = self.of_person(person_id)
        if any(handoff.state == "held" for handoff in about):
            return []
        active = [handoff.id for handoff in about if handoff.state in ("active", "unrouted")]
        return [(handoff_id, body) for handoff_id in active for body in self.resources(handoff_id)]

    def move_person(self, from_person: str, to_person: str) -> None:
        """Re-point handoffs, resources, referrals, decisions and caveats from one person to another."""
        state = self._state
        for rows in (state.handoffs, state.resources, state.referrals, state.decisions, state.caveats):
            moved: dict[Any, Any] = {key: row for key, row in rows.items() if row.person_id == from_person}
            rows.update({key: replace(row, person_id=to_person) for key, row in moved.items()})


class InMemoryPeople:
    """`ports.People` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, person_id: str) -> Person | None:
        """Return a person."""
        return self._state.people.get(person_id)

    def save(self, person: Person, at: datetime) -> None:
        """Write a person with all patient ids and identifiers."""
        self._state.people[person.id] = replace(
            person,
            patient_ids=tuple(sorted(set(person.patient_ids))),
            identifiers=tuple(sorted(set(person.identifiers))),
        )

    def by_patient(self, patient_id: str) -> Person | None:
        """Return the person whose Patient resource has this logical id."""
        return next((person for person in self._by_id() if patient_id in person.patient_ids), None)

    def by_identifier(self, system: str, value: str) -> list[Person]:
        """Return the persons known under this identifier (more than one: ambiguous)."""
        return [person for person in self._by_id() if (system, value) in person.identifiers]

    def known_as(self, system: str, value: str) -> list[str]:
        """Return the ids of the persons known under this identifier, or with "Patient" by that logical id."""
        if system == "Patient":
            return [person.id for person in self._by_id() if value in person.patient_ids]
        return [person.id for person in self.by_identifier(system, value)]

    def by_number(self, value: str) -> list[tuple[str, Person]]:
        """Return everybody known under this number, each with the identifier system that gives it."""
        known = [(key[0], person) for person in self._by_id() for key in person.identifiers if key[1] == value]
        return sorted(known, key=lambda one: (one[0], one[1].id))

    def candidates(self, family: str, given: str, birth_date: str | None, phone: str | None) -> list[Person]:
        """Return the persons who share a normalized name, a birth date or a phone number; at most 50.

        Those who share name and birth date come first, then phone, name, birth date.
        """
        name, digits = match_name(family, given), match_phone(phone)
        people = self._by_id()
        same_name = [p for p in people if name and match_name(p.family, p.given) == name]
        same_day = [p for p in people if birth_date and p.birth_date == birth_date]
        same_phone = [p for p in people if digits and match_phone(p.phone) == digits]
        both = [p for p in same_name if p in same_day]
        found = {person.id: person for person in [*both, *same_phone, *same_name, *same_day]}
        return list(found.values())[:_MOST_CANDIDATES]

    def sighted(
        self, numbers: Collection[str], names: Sequence[tuple[str, str]], birth_date: str | None, limit: int
    ) -> Sighted:
        """Look for anybody who could be meant."""
        wanted, reduced = set(numbers), {match_name(*one) for one in names} - {""}
        has_number = any(
            wanted & {*person.patient_ids, *(value for _, value in person.identifiers)}
            for person in self._state.people.values()
        )
        found = [
            Person("", person.family, person.given, person.birth_date, None, None, None)
            for person in self._by_id()
            if match_name(person.family, person.given) in reduced or person.birth_date == (birth_date or "")
        ]
        return Sighted(has_number, found[:limit])

    def lock_each(self, person_ids: Sequence[str]) -> None:
        """Do nothing: writes of this database never overlap."""

    def lock(self, person_id: str) -> None:
        """Do nothing but insist that the person exists: writes of this database never overlap."""
        if person_id not in self._state.people:
            raise GatewayError(f"expected a stored person with id {person_id}, found none to lock")

    def _by_id(self) -> list[Person]:
        return [self._state.people[key] for key in sorted(self._state.people)]


def write_version(
    state: State, key: Key, body: Resource | None, handoff_id: str | None, person_id: str | None, at: datetime
) -> int:
    """Add the next version of a resource and return its number; without a body it is deleted."""
    before = state.resources.get(key)
    versions = before.versions if before else ()
    number = versions[-1].number + 1 if versions else 1
    state.resources[key] = Kept((*versions, Version(number, body, at)), handoff_id, person_id)
    return number


def content(resource: Resource) -> Resource:
    """Return a copy of a resource without the two `meta` elements that the store itself keeps."""
    body = _copied(resource)
    for name in ("versionId", "lastUpdated"):
        body.get("meta", {}).pop(name, None)
    if not body.get("meta", True):
        del body["meta"]
    return body


def _copied(resource: Resource) -> Resource:
    """Copy by writing and reading, as a store does: a tenth of the time of `copy.deepcopy`."""
    copied: Resource = orjson.loads(orjson.dumps(resource))
    return copied


def _stored(kept: Kept, version: Version) -> StoredResource:
    body = _copied(version.body or {})
    updated = version.updated_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    body["meta"] = {**body.get("meta", {}), "versionId": str(version.number), "lastUpdated": updated}
    return StoredResource(body, version.number, version.updated_at, kept.handoff_id, kept.person_id)


def _identifiers(body: Resource) -> set[Key]:
    """Return the (system, value) pairs of a resource's business identifiers."""
    identifier = body.get("identifier") or ()
    listed = [identifier] if isinstance(identifier, dict) else identifier
    return {(i["system"], i["value"]) for i in listed if i.get("system") and i.get("value")}


def _person_of(handoff: Handoff, kept: Kept | None) -> str | None:
    """Say whom a resource is about: what handoffs of different persons share is about nobody."""
    shared = kept is not None and kept.body is not None and kept.handoff_id not in (None, handoff.id)
    return None if shared and kept is not None and kept.person_id != handoff.person_id else handoff.person_id
