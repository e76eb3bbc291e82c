"""Whom of the index a message may be about that gives no number we know: a resemblance, which decides nothing."""

from gateway.identity import match
from gateway.model.handoff import Person
from gateway.model.hl7_answer import PersonNamed
from gateway.ports import Transaction


def could_be_about(tx: Transaction, named: PersonNamed | None) -> tuple[Person, ...]:
    """Return whom the words of a PID resemble, in the order of their ids.

    The order is for who locks several of them: two transactions must not wait for each other.
    """
    if named is None:
        return ()
    found = Person("", named.family, named.given, named.birth_date, named.gender, named.phone, named.address)
    candidates = tx.people.candidates(named.family, named.given, named.birth_date, named.phone)
    resembled = match(found, candidates).person_ids
    return tuple(sorted((one for one in candidates if one.id in resembled), key=lambda one: one.id))
