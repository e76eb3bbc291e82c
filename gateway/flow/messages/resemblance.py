"""Whom of the index a message may be about that gives no number we know: a resemblance, which decides nothing.

A number that a merge which waits would make somebody's is one too.
"""

from gateway.flow.messages.numbers import may_be_known_by
from gateway.identity import match
from gateway.model.handoff import Person
from gateway.model.hl7_answer import PersonNamed
from gateway.ports import Transaction


def could_be_about(tx: Transaction, named: PersonNamed | None) -> tuple[Person, ...]:
    """Return whom a PID resembles by its words or its numbers, in the order of their ids.

    The order is for who locks several of them: two transactions must not wait for each other.
    """
    if named is None:
        return ()
    found = Person("", named.family, named.given, named.birth_date, named.gender, named.phone, named.address)
    candidates = tx.people.candidates(named.family, named.given, named.birth_date, named.phone)
    resembled = match(found, candidates).person_ids
    meant = {one.id: one for one in candidates if one.id in resembled}
    meant |= {one.id: one for one in may_be_known_by(tx, named.identifiers)}
    return tuple(meant[key] for key in sorted(meant))
