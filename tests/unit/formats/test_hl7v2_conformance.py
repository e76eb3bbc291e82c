"""A message held against the standard: each departure once, with its place and rule, and never its value."""

import pytest

from gateway.formats.hl7v2 import Message, read_message, split_batch
from gateway.formats.hl7v2.conformance import conformance_of
from gateway.model.findings import Finding
from tests.support.shared_data import shared_data

MSH = "MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102101500-0800||{}|C1|P|2.5.1"
EVN = "EVN||20261102101500-0800"
PID = "PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F"
PV1 = "PV1|1|E"


def found_in(*lines: str, kind: str = "ADT^A01^ADT_A01", version: str = "2.5.1") -> list[Finding]:
    header = MSH.format(kind).replace("2.5.1", version)
    message = read_message("".join(f"{line}\r" for line in (header, *lines)).encode())
    assert isinstance(message, Message)
    return list(conformance_of(message))


def rules(*lines: str, kind: str = "ADT^A01^ADT_A01", version: str = "2.5.1") -> list[tuple[str, str]]:
    return [(one.location, one.rule) for one in found_in(*lines, kind=kind, version=version)]


def test_a_message_as_the_standard_has_it_departs_in_nothing() -> None:
    assert rules(EVN, PID, PV1) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((PID, PV1), [("PID", "segment-order")]),
        ((EVN, PID), [("MSH", "segment-missing")]),
        ((EVN, PID, PV1, PID), [("PID[2]", "segment-order")]),
        ((EVN, PID, PV1, "ZPD|x"), [("ZPD", "segment-local")]),
        ((EVN, PID, PV1, "CON|1|001^Release^HL70496||||||||W|A||||||||||||||^X|S"), [("CON", "segment-order")]),
    ],
)
def test_segments_that_are_missing_or_out_of_place_are_named(
    lines: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    assert [one for one in rules(*lines) if one[1].startswith("segment")] == found


@pytest.mark.parametrize(
    ("pid", "found"),
    [
        ("PID|1||||Sample^Ari", ("PID-3", "field-required")),
        ("PID|1||M-1||Sample^Ari||19900102~19900103", ("PID-7", "field-repeats")),
        ("PID|1||M-1||Sample^Ari||2 January", ("PID-7.1", "value")),
        ("PID|x||M-1||Sample^Ari", ("PID-1", "value")),
        ("PID|1||M-1^^^^^^^^^^^^x||Sample^Ari", ("PID-3.13", "component-unknown")),
        ("PID|1||M-1~M-2^^^^NOSUCH||Sample^Ari", ("PID-3[2].5", "code")),
        ("PID|1||M-1||Sample^Ari|||F^Female", ("PID-8", "component-unknown")),
        ("PID|1||M-1||Sample^Ari" + "|" * 40 + "x", ("PID-45", "field-unknown")),
    ],
)
def test_each_field_is_held_against_its_type_and_number(pid: str, found: tuple[str, str]) -> None:
    assert rules(EVN, pid, PV1) == [found]


def test_characters_that_nobody_declared_are_told_where_they_are_guessed() -> None:
    header = MSH.format("ADT^A01^ADT_A01")
    message = read_message(f"{header}\r{EVN}\r{PID.replace('Ari', 'Zoë')}\r{PV1}\r".encode("cp1252"))

    assert isinstance(message, Message)
    assert [(one.severity, one.location, one.rule) for one in conformance_of(message)] == [
        ("warning", "MSH-18", "charset-guessed")
    ]


def test_what_asks_to_delete_is_no_value_to_check() -> None:
    assert rules(EVN, 'PID|1||M-1||Sample^Ari||""|""', PV1) == []


@pytest.mark.parametrize(
    ("obx", "found"),
    [
        ("OBX|1|NM|8867-4^Heart rate^LN||92||||||F", []),
        ("OBX|1|NM|8867-4^Heart rate^LN||fast||||||F", [("OBX-5", "value")]),
        # Tried with every end of its digits, it would take minutes.
        (f"OBX|1|NM|8867-4^Heart rate^LN||{'9' * 100_000}x||||||F", [("OBX-5", "value")]),
        ("OBX|1|CE|8867-4^Heart rate^LN||a^b^L^^^^too many||||||F", [("OBX-5.7", "component-unknown")]),
    ],
)
def test_a_result_is_held_against_the_type_it_says_it_has(obx: str, found: list[tuple[str, str]]) -> None:
    assert rules(EVN, PID, PV1, obx) == found


def test_what_a_version_withdrew_is_no_field_of_it() -> None:
    assert ("EVN-1", "field-unknown") in rules("EVN|A01|20261102101500-0800", PID, PV1, version="2.8")


def test_local_names_of_code_systems_and_hl7_tables_are_names() -> None:
    assert rules(EVN, PID, PV1, "DG1|1||D1^Some^99LOC|||W", "DG1|2||D2^Some^HL70051|||W") == []


def test_a_version_without_tables_is_told_and_read_like_the_one_below() -> None:
    assert rules(EVN, PID, PV1, version="2.9")[0] == ("MSH-12", "version")


def test_a_kind_the_version_does_not_have_is_told_and_its_fields_are_checked() -> None:
    assert rules("PID|1||||Sample^Ari", kind="ZZZ^Z01") == [
        ("MSH-9", "message-kind"),
        ("MSH-9.1", "code"),
        ("MSH-9.2", "code"),
        ("PID-3", "field-required"),
    ]


def test_a_segment_without_a_name_is_found_by_its_number() -> None:
    assert ("segment 3", "segment-order") in rules(EVN, "|1", PID, PV1)
    assert ("segment 3", "segment-order") in rules(EVN, "she said|1", PID, PV1)


def test_no_finding_repeats_what_the_message_says() -> None:
    pid = "PID|secret||^^^^SECRET||^^^^^^^^^^^^^^^secret"

    told = " ".join(one.message for one in found_in("EVN|||||secret&word", pid, "OBX|1|secret|x||a^b"))

    assert "secret" not in told.lower()


def test_every_public_message_can_be_held_against_its_standard() -> None:
    messages = [
        message
        for path in sorted(shared_data("exchange", "hl7v2").rglob("*.hl7"))
        for raw in split_batch(path.read_bytes()).messages
        if isinstance(message := read_message(raw), Message)
    ]

    places = [one.location.partition("[")[0][:3] for message in messages for one in conformance_of(message)]

    assert len(messages) > 50
    assert {"MSH", "PID"} <= set(places)
