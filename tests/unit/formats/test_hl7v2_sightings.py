"""Whom an ADT may be about: every number, every name, and what nobody may pass over."""

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.sightings import Sighting, read_sighting


def sighting(text: str, kind: str = "ADT^A01") -> Sighting | None:
    message = read_message(f"MSH|^~\\&|EHR|H|WH|G|20261102||{kind}|E1|P|2.5.1\r{text}".encode())
    assert isinstance(message, Message)
    return read_sighting(message)


def test_numbers_are_read_wherever_a_person_has_one() -> None:
    found = sighting(
        "PID|1|A-1|A-2^^^H^MR~A-3|A-4~A-5|Stranger^Max|||||||||||||A-6^^^H|A-7|A-8|A-9\r"
        "NK1|1" + "|" * 32 + "B-1\rGT1|1|C-1\rIN1|1" + "|" * 35 + "D-1\rIN2||E-1\r"
    )

    assert found is not None
    assert sorted(found.numbers) == [
        "A-1", "A-2", "A-3", "A-4", "A-5", "A-6", "A-7", "A-8", "A-9", "B-1", "C-1", "D-1", "E-1",
    ]  # fmt: skip


def test_names_are_the_patients_with_and_without_the_middle_name_and_the_aliases() -> None:
    found = sighting("PID|1||A-1||Stranger^Max^Lee~Other^Maxi||19700101|M|Third^Max\rNK1|1|Kin^Ada\r")

    assert found is not None
    assert found.names == (
        ("Stranger", "Max"), ("Stranger", "Max Lee"), ("Other", "Maxi"), ("Third", "Max"),
    )  # fmt: skip
    assert found.birth_date == "1970-01-01"


def test_a_number_with_blanks_around_it_is_looked_up_both_ways() -> None:
    found = sighting("PID|1||A-1 ^^^H^MR||Stranger^Max\r")

    assert found is not None
    assert found.numbers == {"A-1", "A-1 "}


@pytest.mark.parametrize("date", ["", '""', "0", "someday", "19709999"])
def test_a_birth_date_that_is_no_date_is_none(date: str) -> None:
    found = sighting(f"PID|1||A-1||Stranger^Max||{date}\r")

    assert found is not None
    assert found.birth_date is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("PID|1||A-1||Stranger^Max\r", "ORU^R01"),
        ("PID|1||A-1||Stranger^Max\r", "ADT^A40"),
        ("EVN|A24\rPID|1||A-1||Stranger^Max\r", "ADT^A01"),
        ("PID|1||A-1||Stranger^Max\r", "ADT"),
        ("PID|1||A-1||Stranger^Max\rMRG|A-2\r", "ADT^A01"),
        ("PID|1||A-1||Stranger^Max\rCON|1|001\r", "ADT^A01"),
        ("PID|1||A-1||Stranger^Max\rARV|1|A|PSY\r", "ADT^A01"),
        ("PID|1||A-1||Stranger^Max\rPID|2||A-2||Stranger^Mia\r", "ADT^A01"),
        ("PID|1||A-1\r", "ADT^A01"),
        ("PID|1||A-1||^Max\r", "ADT^A01"),
        ("PV1|1|E\r", "ADT^A01"),
    ],
)
def test_what_has_to_be_read_whole_is_no_sighting(text: str, kind: str) -> None:
    assert sighting(text, kind) is None
