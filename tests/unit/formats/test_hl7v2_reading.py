"""Every field of a message has a fate and a reason, and no field is silent."""

from collections.abc import Callable

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.answers import (
    read_admission,
    read_appointment,
    read_person_update,
    read_referral_answer,
)
from gateway.formats.hl7v2.identities import read_identity_changes
from gateway.formats.hl7v2.order_answers import read_order_answer
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


def test_a_con_is_read_in_a_message_of_any_kind() -> None:
    con = "CON|1|001|ROI 2024|77|text|||||W|X||20261001|||||||E"

    found = {path for path, status in fates("ORM^O01", con).items() if status == "mapped"}

    assert found == {"CON-2", "CON-3", "CON-4", "CON-10", "CON-11", "CON-13", "CON-20"}


READ_AND_USED_NOWHERE = {"SCH-1", "SCH-2"}
"""The number of an appointment: it only tells one telling from another, so it is told as kept."""

IN_THE_PLACE_OF_ANOTHER = {"EVN-1", "MRG-4"}
"""Read where MSH-9.2 or MRG-1 is empty."""

OF_A_WHOLE_PERSON = {"PID-11", "PID-13"}
"""Read with every PID, used where the event is an update."""


@pytest.mark.parametrize(
    ("kind", "segments", "reader"),
    [
        ("RRI^I12", ("RF1|A|||||R-1", "PRD|RT", "PID|1||M-1||Sample^Ari|||F", "NTE|1||words"), read_referral_answer),
        ("ADT^A01", ("EVN|A01", "PID|1||M-1||Sample^Ari|||F", "PV1|1|E"), read_admission),
        ("ADT^A02", ("EVN|A02", "PID|1||M-1||Sample^Ari|||F", "PV1|1|E"), read_admission),
        ("ADT^A03", ("EVN|A03", "PID|1||M-1||Sample^Ari|||F", "PV1|1|E"), read_admission),
        ("ADT^A31", ("EVN|A31", "PID|1||M-1||Sample^Ari|||F", "PV1|1|E"), read_person_update),
        ("ADT^A40", ("EVN|A40", "PID|1||M-1||Sample^Ari|||F", "MRG|M-2"), read_identity_changes),
        ("SIU^S12", ("SCH|1", "NTE|1||words"), read_appointment),
        ("OSU^O51", ("ORC|SC|R-1|||IP|||||", "PID|1||M-1||Sample^Ari|||F", "NTE|1||words"), read_order_answer),
    ],
)
def test_the_tables_say_mapped_of_exactly_what_the_readers_read(
    kind: str, segments: tuple[str, ...], reader: Callable[[Message], object]
) -> None:
    """Change one field after the other: what changes the reading is mapped, what does not is not."""
    plain = a_message(kind, segments)
    before = reader(plain)
    for n, segment in enumerate(segments):
        name = segment[:3]
        for field in range(1, 46):
            changed = a_message(kind, (*segments[:n], with_field(segment, field), *segments[n + 1 :]))
            place = f"{name}-{field}"
            is_read = reader(changed) != before
            (found,) = [one for one in read_fields(changed) if one.path == place]
            if place not in READ_AND_USED_NOWHERE | OF_A_WHOLE_PERSON | IN_THE_PLACE_OF_ANOTHER:
                assert (found.status == "mapped") is is_read, place


def a_message(kind: str, segments: tuple[str, ...]) -> Message:
    content = "\r".join((f"MSH|^~\\&|EHR|H|WH|G|20261102||{kind}|C1|P|2.8", *segments)).encode()
    message = read_message(content)
    assert isinstance(message, Message)
    return message


def with_field(segment: str, field: int) -> str:
    fields = segment.split("|")
    fields += [""] * (field + 1 - len(fields))
    fields[field] = {"A": "R", "1": "2", "F": "M"}.get(fields[field], "20261103101500-0800")
    return "|".join(fields)
