"""Find the person who stands at the desk: by the whole name and the birth date.

Nobody is found by a part of a name, so that the index cannot be leafed through. To know somebody here is to know that
there is a record of them, so each search is a row of the audit trail, without what was searched for. Who answers who
got what of a person sees all records of them: an operator without an agreement in force with every Part 2 program
finds nobody (42 CFR 2.11, 2.12(c)(4)). Who takes a consent finds whom a record names that they may begin it with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.flow.consents.views import patient_in
from gateway.flow.house import House
from gateway.flow.people import person_of
from gateway.flow.staff.console import serves_every_program
from gateway.model.audit import AuditEntry
from gateway.model.handoff import FoundPerson
from gateway.model.names import match_name
from gateway.model.staff import Member
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


def find_to_ask(house: House, actor: Member, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
    """Return whom of this name and birth date a consent can be taken from, each with the newest record to begin with.

    Staff of a program find whom their program's own records name so, and learn nothing of what others know.
    """
    name = match_name(family, given)

    def named_so(tx: Transaction, person_id: str) -> Iterator[FoundPerson]:
        for handoff in reversed(tx.handoffs.of_person(person_id)):
            patient = patient_in(house, tx, actor, handoff)
            if patient is not None:
                named = replace(person_of(patient), id=person_id)
                if named.birth_date == birth_date and match_name(named.family, named.given) == name:
                    yield FoundPerson(named, handoff.id)

    def look(tx: Transaction) -> Sequence[FoundPerson]:
        alike = tx.people.candidates(family, given, birth_date, None)
        newest = [next(named_so(tx, one.id), None) for one in alike]
        found = [one for one in newest if one is not None]
        told = {"persons": [one.person.id for one in found]}
        tx.audit.append(AuditEntry(house.clock(), "person.searched", actor.id, told))
        return found

    return house.database.write(look)


def _newest_record(tx: Transaction, person_id: str) -> str | None:
    records = tx.handoffs.of_person(person_id)
    return records[-1].id if records else None
