"""What `ports.Database` promises about the index of persons, on every implementation."""

from hashlib import sha256

import pytest

from gateway.model.errors import GatewayError
from gateway.ports import Database, Transaction
from tests.support.stored import AT, LATER, a_person, a_referral, keep

pytest_plugins = ("tests.support.databases",)

_LONG = "".join(sha256(bytes([n])).hexdigest() for n in range(100))
"""Made of hashes: what repeats itself PostgreSQL makes shorter before it is too long for an index."""


def test_a_person_is_found_by_patient_and_by_identifier(database: Database) -> None:
    person = a_person(patient_ids=("patient-1", "patient-2"))
    database.write(lambda t: t.people.save(person, AT))

    assert database.read(lambda t: t.people.get("person-1")) == person
    assert database.read(lambda t: t.people.by_patient("patient-2")) == person
    assert database.read(lambda t: t.people.by_patient("P-1")) is None
    assert database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1")) == [person]


def test_an_identifier_that_a_person_lost_no_longer_finds_them(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person(), AT))

    database.write(lambda t: t.people.save(a_person(identifiers=(), patient_ids=("patient-9",)), LATER))

    assert database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1")) == []
    assert database.read(lambda t: t.people.by_patient("patient-1")) is None


def test_a_person_is_found_by_a_number_however_long_it_and_its_system_are(database: Database) -> None:
    system, number = "urn:" + "s" * 300, _LONG
    database.write(lambda t: t.people.save(a_person(identifiers=((system, number),)), AT))

    def found(t: Transaction) -> list[list[str]]:
        by_number = [person.id for _, person in t.people.by_number(number)]
        sighted = ["person-1"] if t.people.sighted({number}, [], None, 1).has_number else []
        return [
            [person.id for person in t.people.by_identifier(system, number)], t.people.known_as(system, number),
            by_number, sighted,
        ]  # fmt: skip

    assert database.read(found) == [["person-1"]] * 4


def test_a_person_is_a_candidate_however_long_the_name_is(database: Database) -> None:
    family = _LONG
    database.write(lambda t: t.people.save(a_person(family=family), AT))

    found = database.read(lambda t: t.people.candidates(family, a_person().given, None, None))

    assert [person.family for person in found] == [family]


def test_one_identifier_may_name_two_persons(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person("person-1"), AT))
    database.write(lambda t: t.people.save(a_person("person-2", patient_ids=()), AT))

    found = database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1"))

    assert [person.id for person in found] == ["person-1", "person-2"]


def test_a_number_finds_everybody_who_has_it_with_the_system_that_gives_it(database: Database) -> None:
    ours, theirs = "https://warmhandoff.example/id/person", "urn:hospital"
    one = a_person("person-1", patient_ids=("7",), identifiers=((ours, "7"), (theirs, "8")))
    other = a_person("person-2", patient_ids=(), identifiers=((theirs, "7"),))
    database.write(lambda t: [t.people.save(person, AT) for person in (other, one)])

    assert database.read(lambda t: t.people.by_number("7")) == [(ours, one), (theirs, other)]
    assert database.read(lambda t: t.people.by_number("8")) == [(theirs, one)]
    assert database.read(lambda t: t.people.by_number("9")) == []


def test_candidates_share_name_and_birth_date_or_phone_or_name_or_birth_date_in_this_order(database: Database) -> None:
    nobody = {"patient_ids": (), "identifiers": (), "birth_date": None, "phone": None}
    people = [
        a_person("by-date", family="Other", given="X", **{**nobody, "birth_date": "1980-02-30"}),
        a_person("by-name", family="ZZTÉST", given="Aa-ron", **nobody),
        a_person("by-phone", family="Third", given="Y", **{**nobody, "phone": "+1 (206) 555-0101"}),
        a_person("stranger", family="Fourth", given="Z", **nobody),
        a_person("by-two", family="Zztest", given="Aaron", **{**nobody, "birth_date": "1980-02-30"}),
    ]
    for person in people:
        database.write(lambda t, person=person: t.people.save(person, AT))

    found = database.read(lambda t: t.people.candidates("Zztest", "Aaron", "1980-02-30", "206-555-0101"))

    assert [person.id for person in found] == ["by-two", "by-phone", "by-name", "by-date"]


def test_a_common_name_does_not_hide_who_was_born_that_day(database: Database) -> None:
    def crowd(t: Transaction) -> None:
        for n in range(60):
            t.people.save(a_person(f"person-{n:02}", birth_date=None, patient_ids=(), identifiers=()), AT)
        t.people.save(a_person("sought", patient_ids=(), identifiers=()), AT)

    database.write(crowd)

    found = database.read(lambda t: t.people.candidates("Zztest", "Aaron", "1980-02-30", None))

    assert found[0].id == "sought"


def test_nobody_is_a_candidate_for_having_no_name(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person(family="", given="", birth_date=None, phone=None), AT))

    assert database.read(lambda t: t.people.candidates("", "", None, None)) == []


def test_there_are_at_most_fifty_candidates(database: Database) -> None:
    def crowd(t: Transaction) -> None:
        for n in range(60):
            t.people.save(a_person(f"person-{n:02}", given=f"N{n}", patient_ids=(), identifiers=()), AT)

    database.write(crowd)

    assert len(database.read(lambda t: t.people.candidates("Nobody", "Known", "1980-02-30", None))) == 50


def test_locking_an_unknown_person_fails(database: Database) -> None:
    with pytest.raises(GatewayError, match="found none to lock"):
        database.write(lambda t: t.people.lock("nobody"))


def test_who_is_known_as_whom_is_one_question(database: Database) -> None:
    ours = "https://warmhandoff.example/id/person"
    database.write(lambda t: t.people.save(a_person("person-2", patient_ids=()), AT))
    database.write(lambda t: t.people.save(a_person("person-1"), AT))

    def look(t: Transaction) -> list[list[str]]:
        asked = [(ours, "P-1"), ("Patient", "patient-1"), (ours, "patient-1"), ("Patient", "P-1")]
        return [t.people.known_as(system, value) for system, value in asked]

    assert database.read(look) == [["person-1", "person-2"], ["person-1"], [], []]


def test_what_is_asked_about_several_people_is_what_is_asked_about_each(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral()))

    def look(t: Transaction) -> tuple[object, ...]:
        people, kinds = ["person-1", "nobody"], ("Observation", "Patient")
        several = (t.resources.of_people(kinds, people), t.handoffs.of_people(people), t.referrals.of_people(people))
        one = (
            t.resources.of_person(kinds, "person-1"),
            t.handoffs.of_person("person-1"),
            t.referrals.of_person("person-1"),
        )
        assert several == one
        return (t.resources.of_people(kinds, []), t.handoffs.of_people([]), t.referrals.of_people([]))

    assert database.read(look) == ([], [], [])
    assert database.read(lambda t: len(t.referrals.of_people(["person-1"]))) == 1


def test_locking_several_people_passes_over_those_nobody_knows(database: Database) -> None:
    keep(database)

    database.write(lambda t: t.people.lock_each(["person-1", "nobody"]))
    database.write(lambda t: t.people.lock_each([]))
