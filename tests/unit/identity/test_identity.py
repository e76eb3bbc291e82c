"""Who is this: matched, possible or none."""

import dataclasses

import pytest

from gateway.identity import could_be, match
from gateway.model.handoff import Person

ADA = Person("p1", "Sample", "Ada", "1980-02-03", "female", "360-555-0101", "1 Example Way")


def test_name_birth_date_and_phone_together_are_a_match() -> None:
    found = dataclasses.replace(ADA, id="new", family="SAMPLE ", address=None, phone="(360) 555 0101")

    assert match(found, [ADA]).person_ids == ("p1",)
    assert match(found, [ADA]).grade == "matched"


@pytest.mark.parametrize("phone", ["unknown", "N/A", "000-000-0000", "(999) 999-9999", "911", "-", ""])
def test_what_stands_for_no_phone_confirms_nobody(phone: str) -> None:
    known = dataclasses.replace(ADA, phone=phone, address=None)

    assert match(dataclasses.replace(known, id="new"), [known]).grade == "possible"


@pytest.mark.parametrize(
    "address",
    ["Homeless", "TRANSIENT 98101", "General Delivery 98101-1234", "98101", "Example Way", "unknown", "-", ""],
)
def test_an_address_that_many_share_confirms_nobody(address: str) -> None:
    known = dataclasses.replace(ADA, phone=None, address=address)

    assert match(dataclasses.replace(known, id="new"), [known]).grade == "possible"


@pytest.mark.parametrize("address", ["1 Example Way", "1 Example Way 98101", "PO Box 12 98101", "12345 Example Way"])
def test_name_birth_date_and_address_together_are_a_match(address: str) -> None:
    known = dataclasses.replace(ADA, phone=None, address=address)

    assert match(dataclasses.replace(known, id="new", address=address.upper()), [known]).grade == "matched"


def test_a_phone_with_its_country_code_is_the_same_phone() -> None:
    assert match(dataclasses.replace(ADA, id="new", phone="+1 360 555 0101", address=None), [ADA]).grade == "matched"


def test_name_and_birth_date_alone_are_only_possible() -> None:
    found = dataclasses.replace(ADA, id="new", phone=None, address=None)

    assert match(found, [ADA]).grade == "possible"


def test_a_contradicting_gender_makes_a_match_only_possible() -> None:
    found = dataclasses.replace(ADA, id="new", gender="male")

    assert match(found, [ADA]).grade == "possible"


def test_swapped_names_with_the_same_birth_date_are_possible() -> None:
    found = dataclasses.replace(ADA, id="new", family="Ada", given="Sample")

    assert match(found, [ADA]).grade == "possible"


def test_a_partial_birth_date_never_confirms() -> None:
    found = dataclasses.replace(ADA, id="new", birth_date="1980")

    assert match(found, [ADA]).grade == "possible"
    assert match(dataclasses.replace(found, phone=None, address=None), [ADA]).grade == "none"


def test_two_agreeing_persons_are_possible_with_both() -> None:
    twin = dataclasses.replace(ADA, id="p2")

    result = match(dataclasses.replace(ADA, id="new"), [twin, ADA])

    assert (result.grade, result.person_ids) == ("possible", ("p1", "p2"))


def test_a_stranger_is_nobody() -> None:
    assert match(Person("new", "Other", "Bo", "1999-01-01", None, None, None), [ADA]).grade == "none"


def test_a_person_without_a_name_matches_nobody() -> None:
    assert match(Person("new", "", "", "1980-02-03", None, None, None), [ADA]).grade == "none"


def test_a_shared_record_number_is_a_match_whatever_the_name() -> None:
    number = (("urn:oid:2.999.5", "M1"),)
    known = dataclasses.replace(ADA, identifiers=number)

    assert match(Person("new", "Other", "Bo", None, None, None, None, (), number), [known]).grade == "matched"


@pytest.mark.parametrize("family", ["Łukasik", "Иванова", "李", "Ærøskøbing"])
def test_a_name_of_any_script_is_a_name(family: str) -> None:
    known = dataclasses.replace(ADA, family=family)
    found = dataclasses.replace(known, id="new", family=family.upper())

    assert match(found, [known]).grade == "matched"
    assert match(dataclasses.replace(found, family="Петрова"), [known]).grade == "none"


def test_letters_that_unicode_takes_for_whole_are_those_that_are_written_without_them() -> None:
    known = dataclasses.replace(ADA, family="Łukasik-Søndergård")

    assert match(dataclasses.replace(known, id="new", family="LUKASIK SONDERGARD"), [known]).grade == "matched"


@pytest.mark.parametrize(
    ("family", "given", "birth_date", "could"),
    [
        ("Sample", "Ada", "1980-02-03", True),
        ("Sample", "A", "1980-02-03", True),
        ("Sample", "Ada", None, True),
        ("Sample", "Ada", "1980", True),
        ("Sample", "Ada", "1981", False),
        ("Sample", "Ada", "1981-02-03", False),
        ("Sample", "A", None, False),
        ("Other", "Ada", "1980-02-03", False),
    ],
)
def test_somebody_could_be_one_of_the_index_by_less_than_a_match_asks_for(
    family: str, given: str, birth_date: str | None, could: bool
) -> None:
    found = Person("", family, given, birth_date, None, None, None)

    assert could_be(found, [ADA]) is could
