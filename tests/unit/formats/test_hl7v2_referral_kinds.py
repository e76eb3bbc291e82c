"""A disclosure as an order (OMG^O19, OSU^O51) and as a document (MDM^T02, T08): right by the grammar, notice inside."""

import base64
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.labels import labels_of
from gateway.formats.hl7v2.referral_document import write_document
from gateway.formats.hl7v2.referral_order import write_cancellation, write_order
from gateway.model.handoff import DeliveryAction
from gateway.model.hl7_header import Hl7Header
from gateway.model.labels import ACT_CODE, PART2, SUD
from gateway.model.notice import STATEMENT_2
from tests.support.departures import departures
from tests.support.referrals import referral_bundle, referral_resources

HEADER = Hl7Header(
    ("WARMHANDOFF",), ("GATEWAY",), ("EHR",), ("RIVERCARE",), "20261102101500-0800", "MSG1", security="R"
)
WRITERS = {"OMG": write_order, "MDM": write_document}
KINDS = sorted(WRITERS)
ACTIONS: tuple[DeliveryAction, ...] = ("create", "update", "cancel")
OF_A_CANCELLATION = ("Patient", "ServiceRequest", "Task", "Provenance")


def raw(kind: str, bundle: dict[str, Any], notice: str = STATEMENT_2, action: DeliveryAction = "create") -> bytes:
    return WRITERS[kind](bundle, notice, HEADER, action)


def written(kind: str, bundle: dict[str, Any], action: DeliveryAction = "create") -> Message:
    message = read_message(raw(kind, bundle, action=action))
    assert isinstance(message, Message)
    return message


def bare_bundle() -> dict[str, Any]:
    """What is sent of a referral that is withdrawn."""
    bundle = referral_bundle()
    kept = [one for one in bundle["entry"] if one["resource"]["resourceType"] in OF_A_CANCELLATION]
    return {**bundle, "entry": kept}


def test_an_order_has_the_segments_of_its_grammar_in_order() -> None:
    message = written("OMG", referral_bundle())

    names = " ".join(segment.id for segment in message.segments)
    assert names == "MSH PID PD1 NTE NTE PV1 PV2 ORC TQ1 OBR NTE NTE NTE OBX OBX OBX OBX NTE OBX OBX OBX"


def test_a_document_has_the_segments_of_its_grammar_in_order() -> None:
    message = written("MDM", referral_bundle())

    assert " ".join(segment.id for segment in message.segments) == "MSH EVN PID PV1 TXA OBX OBX OBX"


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("OMG", "MSH-9", "OMG^O19^OMG_O19"),
        ("OMG", "MSH-8", "R"),
        ("OMG", "PD1-12", "Y"),
        ("OMG", "PV2-22", "Y"),
        ("OMG", "ORC-1", "NW"),
        ("OMG", "ORC-2.1", "wh-ref-1"),
        ("OMG", "ORC-28.1", "R"),
        ("OMG", "ORC-23", "206-555-0110^WPN^PH"),
        ("OMG", "TQ1-8", "20261105"),
        ("OMG", "TQ1-9.1", "A"),
        ("OMG", "OBR-2.1", "wh-ref-1"),
        ("OMG", "OBR-4.1", "57133-1"),
        ("OMG", "OBX-13", "R"),
        ("MDM", "MSH-9", "MDM^T02^MDM_T02"),
        ("MDM", "EVN-2", "20261102101500-0800"),
        ("MDM", "TXA-2", "57133-1"),
        ("MDM", "TXA-12.1", "wh-ref-1"),
        ("MDM", "TXA-17", "DO"),
        ("MDM", "TXA-18", "R"),
        ("MDM", "TXA-19", "AV"),
        ("MDM", "OBX-13", "R"),
    ],
)
def test_every_value_stands_where_the_standard_has_it(kind: str, path: str, value: str) -> None:
    assert written(kind, referral_bundle()).text(path) == value


@pytest.mark.parametrize(
    ("kind", "action", "path", "value"),
    [
        ("OMG", "update", "ORC-1", "XO"),
        ("OMG", "cancel", "ORC-1", "CA"),
        ("MDM", "update", "MSH-9.2", "T08"),
        ("MDM", "cancel", "MSH-9.2", "T08"),
        ("MDM", "cancel", "TXA-19", "CA"),
    ],
)
def test_a_change_and_a_cancellation_say_so(kind: str, action: DeliveryAction, path: str, value: str) -> None:
    bundle = bare_bundle() if action == "cancel" else referral_bundle()

    assert written(kind, bundle, action).text(path) == value


def test_360x_takes_an_order_back_by_its_status() -> None:
    bundle = bare_bundle()

    message = read_message(write_cancellation(bundle, STATEMENT_2, replace(HEADER, profile="360X")))

    assert isinstance(message, Message)
    assert [segment.id for segment in message.segments] == ["MSH", "NTE", "PID", "ORC"]
    told = ("MSH-9", "MSH-21", "ORC-1", "ORC-2.1", "ORC-5", "ORC-28.1")
    assert [message.text(path) for path in told] == ["OSU^O51^OSU_O51", "360X", "CA", "wh-ref-1", "CA", "R"]
    assert (message.named("NTE")[-1].text(3), message.named("NTE")[-1].text(4, 1)) == (STATEMENT_2, "NOTICE")
    assert departures(message) == []


def test_the_notice_is_the_last_note_of_the_person_in_an_order() -> None:
    message = written("OMG", referral_bundle())

    last = message.named("NTE")[1]
    assert (last.text(3), last.text(4, 1)) == (STATEMENT_2, "NOTICE")


def test_the_notice_is_the_last_result_of_a_document() -> None:
    last = written("MDM", referral_bundle()).named("OBX")[-1]

    assert (last.text(5), last.text(3, 1)) == (STATEMENT_2, "NOTICE")


@pytest.mark.parametrize("kind", KINDS)
def test_the_printable_copy_is_inside(kind: str) -> None:
    printable = [obx for obx in written(kind, referral_bundle()).named("OBX") if obx.text(2) == "ED"]

    assert base64.b64decode(printable[-1].text(5, 5)).startswith(b"%PDF-")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_hl7apy_finds_nothing_wrong_by_its_grammar(kind: str, action: DeliveryAction) -> None:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.parser import parse_message

    bundle = bare_bundle() if action == "cancel" else referral_bundle()
    # hl7apy holds ED-5 to the 199 characters of an ST; it is TX (HL7 v2.5.1 ch. 2.A.24), and a document is longer.
    text = re.sub(r"(Base64\^)[^|\r]*", r"\1AAAA", raw(kind, bundle, action=action).decode("utf-8"))

    parsed = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)

    assert parsed.validate()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_written_departs_in_nothing_from_the_standard(kind: str, action: DeliveryAction) -> None:
    bundle = bare_bundle() if action == "cancel" else referral_bundle()

    assert departures(written(kind, bundle, action)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_labels_come_back_from_what_is_written(kind: str) -> None:
    """K13: nothing is lost on the way to v2 and back, in a version without ARV."""
    resources = referral_resources()
    security = [{"system": ACT_CODE, "code": code} for code in ("42CFRPart2", "SUD", "NORDSCLCD")]
    bundle = referral_bundle(request={**resources["request"], "meta": {"security": security}})

    labels = labels_of(written(kind, bundle)).of("ServiceRequest")

    assert {PART2, SUD, (ACT_CODE, "NORDSCLCD")} <= labels


_HOSTILE = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30).map(
    lambda text: f"x{text}|^~\\&\rZZZ|1"
)


@settings(max_examples=40, deadline=None)
@given(_HOSTILE, _HOSTILE)
def test_no_text_becomes_structure(one: str, two: str) -> None:
    resources = referral_resources()
    bundle = referral_bundle(
        patient={**resources["patient"], "name": [{"family": one, "given": [two]}]},
        request={**resources["request"], "reasonCode": [{"text": two}], "note": [{"text": one}]},
        goal={**resources["goal"], "description": {"text": two}},
    )

    for kind in KINDS:
        hostile = [segment.id for segment in written(kind, bundle).segments]
        assert "ZZZ" not in hostile
        assert hostile == [segment.id for segment in written(kind, _harmless()).segments]


def _harmless() -> dict[str, Any]:
    """The same bundle in harmless words."""
    resources = referral_resources()
    return referral_bundle(
        request={**resources["request"], "reasonCode": [{"text": "why"}], "note": [{"text": "a remark"}]}
    )
