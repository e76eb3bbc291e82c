"""Every field of a message has a fate and a reason, and no field is silent."""

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.reading import FieldReading, read_fields
from tests.support.shared_data import shared_data


def readings(kind: str, *segments: str) -> dict[str, FieldReading]:
    content = "\r".join((f"MSH|^~\\&|EHR|H|WH|G|20261102||{kind}|C1|P|2.5.1", *segments)).encode()
    message = read_message(content)
    assert isinstance(message, Message)
    return {one.path: one for one in read_fields(message)}


def fates(kind: str, *segments: str) -> dict[str, str]:
    return {path: one.status for path, one in readings(kind, *segments).items() if not path.startswith("MSH")}


def test_a_mapped_field_names_what_it_fills() -> None:
    field = readings("RRI^I12", "RF1|A|||||R-1")["RF1-1"]

    assert field == FieldReading(
        "RF1-1", "Referral status", "A", "mapped", "the recipient's decision (HL7 table 0283)", "Task.status"
    )


def test_repetitions_and_later_segments_have_places_of_their_own() -> None:
    assert set(fates("ADT^A01", "PID|1||M-1~M-2", "NK1|1|A", "NK1|2|B")) == {
        "PID-1", "PID-3", "PID-3[2]", "NK1-1", "NK1-2", "NK1[2]-1", "NK1[2]-2",
    }  # fmt: skip


def test_each_of_the_four_fates_has_its_field() -> None:
    found = fates("ADT^A01", "PID|1||M-1||||||||||||||||000-00-0000", "ZPI|1", "PV1|1|E" + "|" * 60 + "late")

    assert found == {
        "PID-1": "kept", "PID-3": "mapped", "PID-19": "ignored", "ZPI-1": "unknown", "PV1-1": "kept", "PV1-2": "kept",
        "PV1-62": "unknown",
    }  # fmt: skip


def test_nothing_of_an_unmapped_event_counts_as_mapped_but_its_header() -> None:
    found = readings("ADT^A21", "EVN|A21|20261102", "PID|1||M-1")

    assert {one.status for path, one in found.items() if not path.startswith("MSH")} == {"kept"}
    assert "not mapped" in found["PID-3"].rule
    assert found["MSH-10"].status == "mapped"


@pytest.mark.parametrize(
    ("kind", "segments", "mapped"),
    [
        ("ADT^A31", ("PID|1||M-1||Sample^Ari||||||1 Way||555-0100",), {"PID-3", "PID-5", "PID-11", "PID-13"}),
        ("ADT^A01", ("PID|1||M-1||||||||1 Way",), {"PID-3"}),
        ("ADT^A40", ("PID|1||M-1", "MRG|M-2"), {"PID-3", "MRG-1"}),
        ("SIU^S12", ("SCH" + "|" * 26 + "R-1", "PID|1||M-1"), {"SCH-26"}),
        ("ACK^I12", ("MSA|AA|C-9",), {"MSA-1", "MSA-2"}),
    ],
)
def test_what_counts_as_mapped_depends_on_the_message(kind: str, segments: tuple[str, ...], mapped: set[str]) -> None:
    assert {path for path, status in fates(kind, *segments).items() if status == "mapped"} == mapped


def test_every_valued_field_of_every_public_message_occurs_with_a_reason() -> None:
    for path in sorted(shared_data("exchange", "hl7v2").rglob("*.hl7")):
        message = read_message(path.read_bytes())
        assert isinstance(message, Message)

        found = read_fields(message)

        valued = sum(
            bool(segment.raw_value(field, repetition=repetition))
            for segment in message.segments
            for field in range(1, len(segment.fields))
            for repetition in range(1, segment.repetitions(field) + 1)
        )
        assert len(found) == len({one.path for one in found}) == valued
        assert all(one.rule for one in found)
