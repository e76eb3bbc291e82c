"""Find the person who asks: by the whole name and the birth date, for the staff who answer who got what of them.

Nobody is found by a part of a name, so that the index cannot be leafed through. To know somebody here is to know that
there is a record of them, so each search is a row of the audit trail, without what was searched for, and an operator
without an agreement in force with every Part 2 program finds nobody (42 CFR 2.11, 2.12(c)(4)).
"""

from collections.abc import Sequence

from gateway.flow.house import House
from gateway.flow.staff.console import serves_every_program
from gateway.model.audit import AuditEntry
from gateway.model.handoff import FoundPerson
from gateway.model.names import match_name
from gateway.ports import Transaction


def find_people(house: House, actor: str, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
    """Return everybody of this name, case and accents apart, who was born on this day ("1980-02-03")."""
    if not serves_every_program(house):
        return ()
    name = match_name(family, given)

    def look(tx: Transaction) -> Sequence[FoundPerson]:
        alike = tx.people.candidates(family, given, birth_date, None)
        found = [one for one in alike if one.birth_date == birth_date and match_name(one.family, one.given) == name]
        told = {"persons": [one.id for one in found]}
        tx.audit.append(AuditEntry(house.clock(), "person.searched", actor, told))
        return [FoundPerson(one, _newest_record(tx, one.id)) for one in found]

    return house.database.write(look)


def _newest_record(tx: Transaction, person_id: str) -> str | None:
    records = tx.handoffs.of_person(person_id)
    return records[-1].id if records else None
