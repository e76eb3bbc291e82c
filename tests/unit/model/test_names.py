"""Spellings of one name and one phone number are equal."""

import pytest

from gateway.model.names import match_name, match_phone


@pytest.mark.parametrize(
    ("family", "given"),
    [("Zz Test", "Aaron"), ("ZZTEST", "aa-ron"), ("Zztést", "A'aron"), ("Zz-Test", "Aaron "), ("ＺＺtest", "Aaron")],
)
def test_spellings_of_one_name_are_equal(family: str, given: str) -> None:
    assert match_name(family, given) == "zztest aaron"


def test_family_and_given_name_do_not_run_together() -> None:
    assert match_name("Zz", "Test") != match_name("Zzt", "est")


@pytest.mark.parametrize("phone", ["206-555-0101", "+1 (206) 555-0101", "12065550101", "tel:+1.206.555.0101"])
def test_spellings_of_one_phone_number_are_equal(phone: str) -> None:
    assert match_phone(phone) == "2065550101"


@pytest.mark.parametrize("phone", [None, "", "unknown"])
def test_without_digits_there_is_no_phone_number(phone: str | None) -> None:
    assert match_phone(phone) is None
