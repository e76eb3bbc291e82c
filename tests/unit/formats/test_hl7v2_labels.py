"""Labels: read from every field that carries one, never lowered, and kept over FHIR -> v2 -> FHIR."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.hl7v2 import Message, MessageWriter, read_message
from gateway.formats.hl7v2.build import Formatted
from gateway.formats.hl7v2.labels import labeled, labels_of, labels_text, meaning_of
from gateway.model.labels import (
    ACT_CODE,
    CONFIDENTIALITY,
    CONFIDENTIALITY_RANK,
    HANDLING,
    OWN_LABEL,
    PART2,
    RESTRICTED,
    SUD,
    high_water_mark,
)
from gateway.model.notice import STATEMENT_1, STATEMENT_2

VERY = (CONFIDENTIALITY, "V")
NORMAL = (CONFIDENTIALITY, "N")


def a_message(*segments: str, security: str = "", version: str = "2.8") -> Message:
    header = f"MSH|^~\\&|A|B|C|D|20261102120000-0800|{security}|ADT^A04|1|P|{version}"
    message = read_message("\r".join((header, *segments, "")).encode())
    assert isinstance(message, Message)
    return message


def test_a_2_8_message_with_the_law_in_arv_and_msh_8_is_labeled_in_all_its_resources() -> None:
    """K13."""
    labels = labels_of(a_message("PID|1||1", "ARV|1|A|42CFRPart2^^HL70717|REG", security="R"))

    assert all({RESTRICTED, PART2} <= labels.of(kind) for kind in ("Patient", "Encounter", "Condition", "Observation"))
    assert labels.of("Organization") == frozenset()


@pytest.mark.parametrize(
    ("segments", "kind", "expected"),
    [
        (("PID|1||1", "PD1||||||||||||Y"), "Patient", {RESTRICTED}),
        (("PID|1||1", "PD1||||||||||||N"), "Patient", set()),
        (("PID|1||1", "PD1|", "ARV|1|A|DRG"), "Patient", {RESTRICTED, SUD}),
        (("PID|1||1", "PV1|1|E", "PV2|", "ARV|1|A|PSY"), "Encounter", {RESTRICTED, (ACT_CODE, "PSY")}),
        (("PV1|1|E||||||||||||||VIP",), "Encounter", {RESTRICTED}),
        (("PV2||||||||||||||||||||||Y",), "Encounter", {RESTRICTED}),
        (("ORC|NW" + "|" * 27 + "ETH",), "ServiceRequest", {RESTRICTED, (ACT_CODE, "ETHUD")}),
        (("TXA|1" + "|" * 17 + "V",), "DocumentReference", {VERY}),
        (("OBX|1|ST|x||y||||||||own access",), "Observation", {RESTRICTED}),
        ((f"NTE|1|P|{STATEMENT_2}",), "Condition", {RESTRICTED, PART2}),
        ((f"NTE|1|P|{STATEMENT_1.replace(chr(10), ' ')}",), "Condition", {RESTRICTED, PART2}),
        ((f"ARV|1|A|ALL||{STATEMENT_2}",), "Condition", {RESTRICTED, PART2}),
    ],
)  # fmt: skip
def test_each_field_labels_what_it_is_about(segments: tuple[str, ...], kind: str, expected: set[Any]) -> None:
    assert labels_of(a_message(*segments)).of(kind) == expected


def test_a_label_of_the_visit_is_none_of_the_patient() -> None:
    labels = labels_of(a_message("PID|1||1", "PV1|1|E", "PV2|", "ARV|1|A|PSY"))

    assert labels.of("Patient") == frozenset()


def test_the_fields_of_2_9_are_read_although_no_grammar_here_knows_them() -> None:
    """K19."""
    header = f"MSH|^~\\&|A|B|C|D|20261102120000-0800||ADT^A04|1|P|2.9{'|' * 14}R|CPLYCD|with care"
    message = read_message(f"{header}\rARV|1|A|ALL||||42CFRPart2|NORDSCLCD|PID^1|7\rPID|1||1\r".encode())
    assert isinstance(message, Message)

    labels = labels_of(message)

    assert labels.of("Condition") == {RESTRICTED, PART2, (ACT_CODE, "CPLYCD"), (ACT_CODE, "NORDSCLCD")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("U", {NORMAL}),
        ("N", {NORMAL}),
        ("R", {RESTRICTED}),
        ("v", {VERY}),
        ("NO", set()),
        ("42 CFR Part 2", {RESTRICTED, PART2}),
        ("42CFRPart2", {RESTRICTED, PART2}),
        ("please do not pass on", {RESTRICTED}),
        ("EMP", {RESTRICTED}),
        ("AID", {RESTRICTED, (ACT_CODE, "HIV")}),
        ("NORDSLCD", {RESTRICTED, (ACT_CODE, "NORDSCLCD")}),
    ],
)
def test_what_is_not_understood_restricts(text: str, expected: set[Any]) -> None:
    assert meaning_of(text) == expected


def test_a_deleted_restriction_takes_nothing_away() -> None:
    labels = labels_of(a_message("PID|1||1", "PD1||||||||||||Y", "ARV|1|D|DRG"))

    assert labels.of("Patient") == {RESTRICTED}


def test_a_label_is_never_lowered() -> None:
    kept = [{"system": CONFIDENTIALITY, "code": "V"}, {"system": ACT_CODE, "code": "HIV", "display": "as written"}]
    resource = {"resourceType": "Condition", "meta": {"versionId": "3", "security": kept}}

    raised = labeled(resource, {NORMAL, SUD})

    assert raised["meta"] == {
        "versionId": "3",
        "security": [
            {"system": CONFIDENTIALITY, "code": "V"},
            {"system": ACT_CODE, "code": "HIV", "display": "as written"},
            {"system": ACT_CODE, "code": "SUD"},
        ],
    }
    assert labeled(resource, ()) is resource


def test_every_label_with_which_something_leaves_can_be_read_back() -> None:
    texts = [labels_text([labeled({"resourceType": "Task"}, {RESTRICTED, label})]) for label in sorted(HANDLING)]

    assert [sorted(_read_back(text)) for text in texts] == [sorted({RESTRICTED, one}) for one in sorted(HANDLING)]


_SENSITIVE = ("ETH", "ETHUD", "SUD", "HIV", "MH", "STD", "42CFRPart2", "CPLYCD", "PERSISTLABEL", "NORDSCLCD", "NOREUSE")
_LABELS = st.frozensets(
    st.sampled_from(
        [(ACT_CODE, code) for code in _SENSITIVE]
        + [(OWN_LABEL, "NOPROCEEDING"), (OWN_LABEL, "SUDNOTES")]
        + [(CONFIDENTIALITY, level) for level in "NRV"]
    )
)


@given(st.lists(_LABELS, max_size=4))
def test_labels_survive_the_way_to_v2_and_back(of_each: list[frozenset[tuple[str, str]]]) -> None:
    """K13: nothing is lost, and no level falls."""
    resources = [labeled({"resourceType": "Condition"}, labels) for labels in of_each]

    back = _read_back(labels_text(resources))

    levels = [CONFIDENTIALITY_RANK[high_water_mark(labels)] for labels in of_each]
    assert CONFIDENTIALITY_RANK[high_water_mark(back)] >= max(levels, default=0)
    sensitive = {label for labels in of_each for label in labels if label[0] != CONFIDENTIALITY}
    assert sensitive <= back


def _read_back(text: str) -> frozenset[tuple[str, str]]:
    writer = MessageWriter()
    writer.add("MSH", {9: ("REF", "I12"), 10: "1", 11: "P", 12: "2.5.1"})
    if text:
        writer.add("NTE", {1: "1", 2: "P", 3: Formatted(text), 4: ("LABELS", "Security labels", "99WHNTE")})
    message = read_message(writer.to_bytes("ascii"))
    assert isinstance(message, Message)
    return labels_of(message).of("Condition")
