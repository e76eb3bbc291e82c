"""Who is asked about: one known person, by any of its numbers, born when its record says at the latest."""

from datetime import date
from typing import Any

import pytest

from gateway.consent import read_facts, read_request
from gateway.consent.identity import check_caller, find_person
from gateway.consent.reasons import Withhold
from gateway.consent.situation import Person
from gateway.model.fhir_time import instant
from tests.support.machines import a_machine_set_to
from tests.support.part2_world import PERSON, T0, a_patient, a_request, world

Json = dict[str, Any]
AMBIGUOUS = Withhold("PATIENT_AMBIGUOUS", 400, holds=True)
UNKNOWN = Withhold("PATIENT_UNKNOWN", 400)


def person(*facts: Json, patient: str | None = "Patient/t1", **request: Any) -> Person | Withhold | None:
    known = read_facts(facts, world(), instant(T0))
    return find_person(read_request(a_request(patient=patient, **request)), known)


def merge(retired: str, kept: str, verified: Any = True) -> Json:
    return {"type": "merge", "from": f"Patient/{retired}", "into": f"Patient/{kept}", "verified": verified}


def known_as(name: str, **changes: Any) -> Json:
    return {"resourceType": "Patient", "id": name, "identifier": [{"system": PERSON, "value": name}], **changes}


class TestOnePerson:
    @pytest.mark.parametrize("patient", ["Patient/t1", f"{PERSON}|T1", "https://warmhandoff.example/fhir/Patient/t1"])
    def test_is_found_by_reference_and_by_number(self, patient: str) -> None:
        assert person(a_patient(), patient=patient) == Person(
            frozenset({"Patient/t1", f"{PERSON}|T1"}), date(1980, 1, 31)
        )

    def test_is_the_same_whenever_it_is_asked_for_with_the_same_facts(self) -> None:
        known = read_facts([a_patient()], world(), instant(T0))
        request = read_request(a_request())

        assert find_person(request, known) is find_person(request, known)

    def test_is_nobody_where_nobody_is_named_or_known(self) -> None:
        assert person(a_patient(), patient="Patient/t2") == UNKNOWN
        assert person(a_patient(), patient="https://elsewhere.example/fhir/Patient/t1") == UNKNOWN
        assert person(a_patient(), patient=None) == UNKNOWN
        assert person(patient=None, basis={"type": "deidentified"}) is None
        assert person(patient=None, basis={"type": "research"}) == UNKNOWN


class TestMerges:
    def test_that_somebody_verified_make_one_person_of_all_they_join(self) -> None:
        records = [known_as("a"), known_as("b", birthDate="1980-01-31"), known_as("c")]

        found = person(*records, merge("a", "b"), merge("b", "c"), patient="Patient/a")

        keys = {f"{PERSON}|{one}" for one in "abc"} | {f"Patient/{one}" for one in "abc"}
        assert found == Person(frozenset(keys), date(1980, 1, 31))

    def test_that_nobody_verified_leave_a_person_to_look(self) -> None:
        records = [known_as("a"), known_as("b"), known_as("c")]

        assert person(*records, merge("a", "b", verified=False), patient="Patient/a") == AMBIGUOUS
        assert person(*records, merge("a", "b", verified="yes"), patient="Patient/b") == AMBIGUOUS
        assert person(*records, merge("a", "b"), merge("b", "c", verified=None), patient="Patient/a") == AMBIGUOUS
        assert isinstance(person(*records, merge("a", "b", verified=False), patient="Patient/c"), Person)

    @pytest.mark.parametrize("verified", [(True, False), (False, True)])
    def test_what_one_says_is_verified_and_another_not_is_not(self, verified: tuple[bool, bool]) -> None:
        merges = [merge("a", "b", verified=one) for one in verified]

        assert person(known_as("a"), known_as("b"), *merges, patient="Patient/a") == AMBIGUOUS

    @pytest.mark.parametrize(("kind", "found"), [
        ("replaced-by", AMBIGUOUS), ("replaces", AMBIGUOUS), ("seealso", None), (None, None),
    ])  # fmt: skip
    def test_told_by_a_record_alone_wait_for_somebody_to_verify_them(self, kind: str | None, found: Any) -> None:
        linked = known_as("a", link=[{"other": {"reference": "Patient/b"}, "type": kind}])

        for patient in ("Patient/a", "Patient/b"):
            answer = person(linked, known_as("b"), patient=patient)
            assert answer == found if found else isinstance(answer, Person)

    @pytest.mark.parametrize(
        "other",
        [{"reference": "Patient/gone"}, {"identifier": {"system": PERSON, "value": "gone"}}, {"display": "somebody"}],
    )
    def test_told_by_a_record_with_one_that_is_not_here_wait_too(self, other: Json) -> None:
        linked = known_as("a", link=[{"other": other, "type": "replaces"}])

        assert person(linked, patient="Patient/a") == AMBIGUOUS

    def test_told_by_a_record_with_a_number_wait_for_whoever_has_it(self) -> None:
        linked = known_as("a", link=[{"other": {"identifier": {"system": PERSON, "value": "b"}}, "type": "replaces"}])

        assert person(linked, known_as("b"), patient="Patient/b") == AMBIGUOUS
        assert isinstance(person(linked, known_as("b"), merge("a", "b"), patient="Patient/b"), Person)
        assert isinstance(person(linked, known_as("c"), patient="Patient/c"), Person)

    def test_told_by_a_record_and_verified_are_verified(self) -> None:
        linked = known_as("a", link=[{"other": {"reference": "Patient/b"}, "type": "replaced-by"}])

        assert isinstance(person(linked, known_as("b"), merge("a", "b"), patient="Patient/a"), Person)
        assert isinstance(person(linked, merge("b", "a"), patient="Patient/a"), Person)

    def test_with_a_record_that_is_not_here_keep_its_reference(self) -> None:
        assert person(known_as("a"), merge("gone", "a"), patient="Patient/a") == Person(
            frozenset({"Patient/a", f"{PERSON}|a", "Patient/gone"}), None
        )

    def test_of_two_that_are_both_in_use_are_none(self) -> None:
        both = [known_as("a", identifier=[{"system": PERSON, "value": "x"}])]
        both += [known_as("b", identifier=[{"system": PERSON, "value": "x"}])]

        assert person(*both, patient=f"{PERSON}|x") == AMBIGUOUS
        assert isinstance(person(*both, merge("a", "b"), patient=f"{PERSON}|x"), Person)


@pytest.mark.parametrize(
    ("stated", "born"),
    [
        ("1980-01-31", date(1980, 1, 31)),
        ("1980-02", date(1980, 2, 29)),
        ("1981", date(1981, 12, 31)),
        (None, None),
        ("long ago", None),
    ],
)
def test_nobody_is_taken_for_older_than_they_are(stated: str | None, born: date | None) -> None:
    found = person(a_patient(birthDate=stated))

    assert isinstance(found, Person)
    assert found.born == born


def test_a_birthday_is_the_same_whatever_the_machine_is_set_to() -> None:
    with a_machine_set_to("Asia/Tokyo"):
        found = person(a_patient(birthDate="1980-01-31"))

    assert isinstance(found, Person)
    assert found.born == date(1980, 1, 31)


class TestTheCaller:
    def check(self, **requester: Any) -> Withhold | None:
        return check_caller(read_request(a_request(requester=requester)), read_facts([], world(), instant(T0)))

    def test_is_who_it_was_proven_to_be(self) -> None:
        assert self.check(organization="org:mercy", authenticated_as="org:mercy") is None
        assert self.check(authenticated_as="p1", person={"id": "p1"}) is None
        for forged in (
            {"organization": "org:mercy", "authenticated_as": "org:plan"},
            {"organization": "org:mercy"},
            {"authenticated_as": "p2", "person": {"id": "p1"}},
            {"organization": "org:mercy", "authenticated_as": "p1", "person": {"id": "p1"}},
            {},
        ):
            assert self.check(**forged) == Withhold("IDENTITY_MISMATCH", 300)

    @pytest.mark.parametrize(("owner", "is_theirs"), [
        ("org:mercy", True), ("p1", True), (None, True), ("org:plan", False),
    ])  # fmt: skip
    def test_comes_by_a_link_of_its_own_only(self, owner: str | None, is_theirs: bool) -> None:
        asked = {"organization": "org:mercy", "authenticated_as": "org:mercy", "person": {"id": "p1"}}

        assert (self.check(**asked, link={"issued_to": owner}) is None) is is_theirs
