"""By which numbers partners know our people: our own number sent back, and the record numbers they told us.

A number may also be somebody's once a person has said so (a merge that waits): nobody is known by it, and nothing
that bears it is passed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.flow.house import House
from gateway.flow.people import PERSON_ID, lock_person
from gateway.model.handoff import Person
from gateway.model.hl7_answer import PersonIdentifier
from gateway.ports import Transaction


def person_by_number(
    house: House, tx: Transaction, numbers: Iterable[PersonIdentifier]
) -> tuple[Person, str | None] | None:
    """Find a person by a number of PID-3: our own, or one that a partner gave in an answer, and then which partner."""
    for number in numbers:
        known: dict[str, list[Person]] = {}
        for system, person in tx.people.by_number(number.value):
            known.setdefault(system, []).append(person)
        own = known.get(PERSON_ID, ())
        if len(own) == 1:
            return own[0], None
        for organization in house.registry if known else ():
            theirs = known.get(number_system(organization.id, number.assigner), ())
            if len(theirs) == 1:
                return theirs[0], organization.id
    return None


def locked_by_number(
    house: House, tx: Transaction, numbers: Sequence[PersonIdentifier]
) -> tuple[Person, str | None] | None:
    """Find a person as `person_by_number`, locked: what is read of them from now on is what a message changes."""

    def find() -> str | None:
        found = person_by_number(house, tx, numbers)
        return found[0].id if found is not None else None

    lock_person(tx, find)
    return person_by_number(house, tx, numbers)


def all_with_numbers(house: House, tx: Transaction, numbers: Iterable[PersonIdentifier]) -> dict[str, Person]:
    """Return everybody, by id, who has any of these numbers: ours, or one that any partner gave.

    For what must be about one person only: two partners can have given one number to two people.
    """
    found: dict[str, Person] = {}
    for number in numbers:
        systems = {PERSON_ID, *(number_system(one.id, number.assigner) for one in house.registry)}
        found |= {person.id: person for system, person in tx.people.by_number(number.value) if system in systems}
    return found


def with_numbers(person: Person, partner: str, numbers: Iterable[PersonIdentifier]) -> Person:
    """Add a partner's record numbers to a person, so that its messages are recognized."""
    own = {value for system, value in person.identifiers if system == PERSON_ID}
    learned = [(number_system(partner, one.assigner), one.value) for one in numbers if one.value not in own]
    return replace(person, identifiers=tuple(dict.fromkeys([*person.identifiers, *learned])))


def number_system(partner: str, assigner: str) -> str:
    """Name the identifier system of a partner's record numbers; the assigner is as the partner writes it."""
    return f"urn:warm-handoff:record-number:{partner}:{assigner}"


_POSSIBLE = "urn:warm-handoff:possible-number:"


def with_possible_numbers(person: Person, partner: str, numbers: Iterable[PersonIdentifier]) -> Person:
    """Add numbers that a partner's merge, which waits, would make this person's."""
    return replace(person, identifiers=tuple(dict.fromkeys([*person.identifiers, *_possible(partner, numbers)])))


def without_possible_numbers(person: Person, partner: str, numbers: Iterable[PersonIdentifier]) -> Person:
    """Take such numbers away again: the merge has been decided. The same number of another partner is another."""
    decided = _possible(partner, numbers)
    return replace(person, identifiers=tuple(one for one in person.identifiers if one not in decided))


def may_be_known_by(tx: Transaction, numbers: Iterable[PersonIdentifier]) -> list[Person]:
    """Return those whose one of these numbers would be by a merge that waits."""
    known = (pair for one in numbers for pair in tx.people.by_number(one.value))
    return [person for system, person in known if _is_possible(system)]


def _possible(partner: str, numbers: Iterable[PersonIdentifier]) -> list[tuple[str, str]]:
    return [(f"{_POSSIBLE}{partner}:{one.assigner}", one.value) for one in numbers]


def _is_possible(system: str) -> bool:
    return system.startswith(_POSSIBLE)
