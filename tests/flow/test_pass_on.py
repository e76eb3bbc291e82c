"""A message passed on as it came: whole groups go, with what hangs on them; what cannot be told is not passed on."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.messages.pass_on import Errand, pass_on
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.decision import Refusal
from gateway.model.fhir_time import instant
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_parts import PassedOn
from gateway.model.notice import STATEMENT_2
from tests.support.part2_world import (
    T0,
    a_consent,
    a_patient,
    a_permit,
    a_request,
    bundle,
    labels,
    world,
)

ENDPOINT = {
    "transport": "hl7v2", "address": "mllp://mercy.example:2576", "version": "2.5.1", "stores_nte": True,
    "verified": "2026-01-01",
}  # fmt: skip
ENVELOPE = Hl7Header(("WARMHANDOFF",), ("GATEWAY",), ("EHR",), ("MERCY",), "20261102100000-0800", "ours-1")
PERSON = "PID|1||T1^^^NOWHERE^MR||Testperson^Tess||19800131|F"
GLUCOSE = ("OBR|1|P1|F1|24323-8^Metabolic panel^LN", "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F")
SCREEN = ("OBR|2|P2|F2|UDS^Urine screen^L", "OBX|1|ST|3879-4^Opiates^LN||positive||||||F")


def message(*segments: str, kind: str = "ORU^R01", version: str = "2.5.1", security: str = "") -> Message:
    header = f"MSH|^~\\&|ASPEN LIS|ASPEN|X|Y|20261102095900-0800|{security}|{kind}|theirs-1|P|{version}"
    read = read_message("\r".join((header, *segments, "")).encode())
    assert isinstance(read, Message)
    return read


def without(*codes: str) -> dict[str, Any]:
    """Aspen's consent to Mercy, but for what has one of these labels."""
    return a_consent(a_permit(provision=[{"type": "deny", "securityLabel": labels(*codes)}]))


def passed(read: Message, *consents: Any, sender: str | None = "org:aspen", **endpoint: Any) -> PassedOn | Refusal:
    registry = world(mercy={"endpoints": [{**ENDPOINT, **endpoint}]})
    errand = Errand(
        request=a_request(by=sender or "org:exchange", transport="hl7v2"),
        subject={"reference": "Patient/t1"},
        sender=sender,
        header=ENVELOPE,
        consents=bundle(*consents),
        facts=[a_patient()],
        at=instant(T0),
        switches={},
    )
    return pass_on(read, errand, registry).outcome


def lines(outcome: PassedOn | Refusal) -> list[str]:
    assert isinstance(outcome, PassedOn), outcome.record
    return outcome.content.decode().split("\r")[:-1]


def reason(outcome: PassedOn | Refusal) -> tuple[str, str]:
    assert isinstance(outcome, Refusal)
    return outcome.record.decision, outcome.record.reason


def test_k02_a_permit_over_2_5_1_has_the_notice_in_a_note_of_the_grammar_and_invents_no_arv() -> None:
    sent = lines(passed(message(PERSON, "PD1|", *GLUCOSE), a_consent()))

    assert [line[:3] for line in sent] == ["MSH", "PID", "PD1", "NTE", "NTE", "OBR", "OBX"]
    assert sent[3].endswith("|CONSENT^Scope of consent^99WHNTE")
    assert sent[4] == f"NTE|2|P|{STATEMENT_2}|NOTICE^Redisclosure notice^99WHNTE"


def test_what_is_passed_on_whole_is_byte_for_byte_what_came_but_for_the_envelope() -> None:
    odd = "OBX|1|ST|2345-7^Glucose^LN||\\X41\\ & ^^~x|||\\.br\\|||F|||||||"

    sent = lines(passed(message(PERSON, GLUCOSE[0], odd, "ZZZ|own|stuff"), a_consent()))

    assert [line for line in sent if line[:3] not in ("MSH", "NTE")] == [PERSON, GLUCOSE[0], odd, "ZZZ|own|stuff"]


def test_the_envelope_is_ours_and_says_no_more_than_a_level() -> None:
    """K20: MSH-8 carries only R or V, not the law; MSH-3, 4 and 10 are no longer the program's."""
    sent = lines(passed(message(PERSON, *GLUCOSE, security="42CFRPart2"), a_consent()))

    assert sent[0] == "MSH|^~\\&|WARMHANDOFF|GATEWAY|EHR|MERCY|20261102100000-0800|R|ORU^R01|ours-1|P|2.5.1"


def test_k04_a_note_goes_with_the_result_it_is_about() -> None:
    note = "NTE|1|L|positive, repeated twice"

    sent = lines(passed(message(PERSON, *GLUCOSE, *SCREEN, note), without("SUD")))

    assert "positive" not in "".join(sent)
    assert [line[:3] for line in sent] == ["MSH", "PID", "NTE", "NTE", "OBR", "OBX"]


def test_an_order_without_its_only_result_goes_too() -> None:
    sent = lines(passed(message(PERSON, *GLUCOSE, *SCREEN), without("SUD")))

    assert "UDS" not in "".join(sent)


def test_a_note_that_tells_by_itself_goes_with_all_its_lines_and_its_result_stays() -> None:
    note = ("NTE|1|L|patient is on", "NTE|2|L|methadone", "NTE|3|L|since May")

    sent = lines(passed(message(PERSON, *GLUCOSE, *note), without("SUD")))

    assert "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F" in sent
    assert not {*note} & {*sent}


def test_the_lines_of_a_report_go_together() -> None:
    report = [f"OBX|{n}|TX|11506-3^Note^LN||{text}||||||F" for n, text in enumerate(("takes", "heroin", "daily"), 1)]

    sent = lines(passed(message(PERSON, *GLUCOSE, "OBR|2|P2|F2|11506-3^Note^LN", *report), without("SUD")))

    assert not {*report} & {*sent}


@pytest.mark.parametrize(
    "unknown", ["ZSU|1|Aspen of Nowhere", "ZZZ|harmless", "XYZ|1", "CON|1|001|||||||||A", "ARV|1|A|SMD"]
)
def test_k07_unknown_segments_go_as_soon_as_anything_is_withheld(unknown: str) -> None:
    sent = lines(passed(message(PERSON, unknown, *GLUCOSE, *SCREEN), without("SUD")))

    assert unknown not in sent


@pytest.mark.parametrize(
    "value",
    [
        "meth\\X61\\done",
        "metha\\X64\\one",
        "meth^adone",
        "meth&adone",
        "METHADONE",
        "x~meth\\X6164\\one",
        "on\\.br\\methadone",
    ],
)
def test_k09_escapes_and_separators_are_decoded_before_they_are_matched(value: str) -> None:
    hidden = f"OBX|2|ST|X1^Other^L||{value}||||||F"

    sent = lines(passed(message(PERSON, *GLUCOSE, hidden), without("SUD")))

    assert hidden not in sent
    assert [line[:3] for line in sent].count("OBX") == 1


@pytest.mark.parametrize(
    "malformed",
    ["OBX|1|||", "OBX|1|NM||1|95", "OBX|1||X^x^L||95", "OBX|1|ED|X^x^L||^text^plain^Base64^%%%%", "obx|1|NM|X^x^L||1"],
)
def test_k18_a_malformed_message_is_never_passed_on(malformed: str) -> None:
    outcome = passed(message(PERSON, GLUCOSE[0], malformed), a_consent())

    assert reason(outcome) == ("DENY", "UNPARSEABLE")


def test_a_message_about_two_people_or_nobody_is_not_passed_on() -> None:
    assert reason(passed(message(PERSON, *GLUCOSE, "PID|2||T2", *GLUCOSE), a_consent())) == ("DENY", "UNPARSEABLE")
    assert reason(passed(message(*GLUCOSE), a_consent())) == ("DENY", "UNPARSEABLE")


def test_a_shell_is_not_passed_on() -> None:
    assert reason(passed(message(PERSON, *SCREEN), without("SUD"))) == ("DENY", "UNSEGMENTABLE")


def test_nothing_leaves_without_a_consent_of_the_program_that_sent_it() -> None:
    assert reason(passed(message(PERSON, *GLUCOSE))) == ("DENY", "NO_CONSENT")


def test_what_a_sender_nobody_registered_wrote_is_held() -> None:
    assert reason(passed(message(PERSON, *GLUCOSE), a_consent(), sender=None)) == ("HOLD", "ORIGIN_UNKNOWN")


def test_origin_comes_before_the_sender_where_a_result_names_the_program_it_is_from() -> None:
    """A hospital that forwards a program's result needs the program's consent for it (42 CFR 2.11, 2.12(a))."""
    of_aspen = "OBX|2|NM|718-7^Hemoglobin^LN||13|g/dL|||||F||||aspen^Aspen of Nowhere"

    sent = lines(passed(message(PERSON, *GLUCOSE, of_aspen), sender="org:quarry"))

    assert "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F" in sent
    assert of_aspen not in sent


@pytest.mark.parametrize(
    "segment",
    [
        "PV1|1|I|2W^^^QUARRY||||7^Doe^Dee|||Aspen of Nowhere|||||||||V1",
        "PV1|1|I|2W^^^QUARRY||||7^Doe^Dee||||||||||||V1||||||||||||||||||||ASPEN OF NOWHERE",
    ],
)
def test_a_program_that_is_named_in_a_visit_is_left_out_of_it(segment: str) -> None:
    """J20 in v2: PV1-10 and PV1-39 stay empty; the fields after them keep their places."""
    sent = lines(passed(message("EVN|A01|20261102", PERSON, segment, kind="ADT^A01"), sender="org:quarry"))

    assert "ASPEN" not in "".join(sent).upper()
    assert sent[-1].split("|")[19:20] == ["V1"]


def test_set_ids_are_counted_anew_so_that_no_gap_tells() -> None:
    diagnoses = ("DG1|1||F11.20^Opioid^I10C", "DG1|2||I10^Hypertension^I10C")

    sent = lines(
        passed(message("EVN|A08|2026", PERSON, "PV1|1|I", *diagnoses, kind="ADT^A08", version="2.8"), without("SUD"))
    )

    assert "DG1|1||I10^Hypertension^I10C" in sent
    assert "F11" not in "".join(sent)


def test_from_2_6_on_an_admission_carries_the_notice_in_arv() -> None:
    sent = lines(passed(message("EVN|A01|2026", PERSON, "PD1|", "PV1|1|I", kind="ADT^A01", version="2.8"), a_consent()))

    assert [line[:3] for line in sent] == ["MSH", "EVN", "PID", "PD1", "ARV", "ARV", "PV1"]
    assert sent[5].split("|")[5] == STATEMENT_2


def test_an_admission_of_2_5_1_has_no_place_for_the_notice_and_is_held() -> None:
    outcome = passed(message("EVN|A01|2026", PERSON, "PV1|1|I", kind="ADT^A01"), a_consent())

    assert reason(outcome) == ("HOLD", "NOTICE_UNATTACHABLE")


def test_an_admission_of_2_5_1_carries_it_in_the_field_agreed_on() -> None:
    read = message("EVN|A01|2026", PERSON, "PV1|1|I", "ZNT|", kind="ADT^A01")

    sent = lines(passed(read, a_consent(), notice_field="ZNT-2"))

    assert sent[-1] == f"ZNT||{STATEMENT_2}"


def test_an_agreed_field_that_is_filled_stops_the_message() -> None:
    read = message("EVN|A01|2026", PERSON, "PV1|1|I", "ZNT|1|theirs", kind="ADT^A01")

    assert reason(passed(read, a_consent(), notice_field="ZNT-2")) == ("DENY", "UNPARSEABLE")


def test_k03_a_receiver_that_drops_notes_gets_nothing() -> None:
    outcome = passed(message(PERSON, *GLUCOSE), a_consent(), stores_nte=False)

    assert reason(outcome) == ("HOLD", "NOTICE_UNATTACHABLE")


def test_a_document_carries_the_notice_inside() -> None:
    text = "OBX|1|TX|11506-3^Note^LN||all is well||||||F"

    sent = lines(passed(message("EVN|T02|2026", PERSON, "PV1|1|O", "TXA|1|PN|TX", text, kind="MDM^T02"), a_consent()))

    assert [line[:3] for line in sent[-3:]] == ["OBX", "OBX", "OBX"]
    assert sent[-1] == f"OBX|3|TX|NOTICE^Redisclosure notice^99WHNTE||{STATEMENT_2}||||||F"


def test_a_file_nobody_can_read_goes_as_soon_as_anything_is_withheld() -> None:
    scan = "OBX|2|ED|SCAN^Scan^L||^application^pdf^Base64^JVBERi0xLjQ=||||||F"

    whole = lines(passed(message(PERSON, *GLUCOSE, scan), a_consent()))
    cut = lines(passed(message(PERSON, *GLUCOSE, scan, *SCREEN), without("SUD")))

    assert scan in whole
    assert "JVBERi0" not in "".join(cut)


def test_labels_of_the_sender_count_for_the_decision() -> None:
    """K13 on the way through: a result labeled HIV by the message goes where HIV is refused."""
    labeled = "OBX|2|ST|X1^Other^L||2|||||||HIV"

    sent = lines(passed(message(PERSON, *GLUCOSE, labeled), without("HIV")))

    assert [line[:3] for line in sent].count("OBX") == 1
    assert labeled not in sent


SECRETS = ("methadone", "meth\\X61\\done", "metha^done", "F11.20^x^I10C", "buprenorphine&naloxone", "Heroin")
HIDING = (
    "OBX|1|ST|X1^Other^L||{}||||||F", "OBX|1|CWE|X1^Other^L||{}||||||F", "DG1|1||{}", "NTE|1|L|{}", "AL1|1|DA|{}",
    "PR1|1||{}", "IN1|1|P|{}", "FT1|1|||2026||CG|{}", "OBR|9|||{}", "ZZZ|1|{}", "ROL|1|AD|PP|{}", "AUT|{}",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(HIDING), st.sampled_from(SECRETS), st.booleans()), max_size=6))
def test_no_byte_of_what_is_withheld_leaves_wherever_it_stands(planted: list[tuple[str, str, bool]]) -> None:
    hidden = [
        (shape.format(f"{secret} TOKEN{n}"), f"NTE|1|L|more of TOKEN{n}" if has_note else "")
        for n, (shape, secret, has_note) in enumerate(planted)
    ]
    segments = [segment for pair in hidden for segment in pair if segment]

    outcome = passed(message(PERSON, *GLUCOSE, *segments), without("SUD"))

    if isinstance(outcome, PassedOn):
        assert b"TOKEN" not in outcome.content
        assert b"2345-7" in outcome.content
    else:
        assert outcome.record.reason in ("UNSEGMENTABLE", "UNPARSEABLE")


_FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from([PERSON, *GLUCOSE, *SCREEN, "NTE|1|L|heroin", "ORC|NW", "TXA|1", "ZZZ", "MSH|^~\\&|x", "OBX"]),
        st.text(st.sampled_from("OBXNTEPIDR1|^~\\&.X6 \t"), max_size=12),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(_FRAGMENTS)
def test_nothing_that_can_be_read_as_a_message_breaks_the_filter(segments: list[str]) -> None:
    """K18: every way out is a message or a refusal."""
    header = "MSH|^~\\&|ASPEN LIS|ASPEN|X|Y|2026||ORU^R01|theirs-1|P|2.5.1"
    read = read_message("\r".join((header, *segments, "")).encode())

    if isinstance(read, Message):
        outcome = passed(read, without("SUD"))
        assert isinstance(outcome, Refusal) or b"heroin" not in outcome.content


def test_the_fields_of_2_9_that_name_a_law_are_left_out_of_the_header() -> None:
    """K19, K20."""
    header = "MSH|^~\\&|ASPEN LIS|ASPEN|X|Y|2026||ORU^R01|theirs-1|P|2.9" + "|" * 14 + "R|42CFRPart2|by law"
    read = read_message("\r".join((header, PERSON, *GLUCOSE, "")).encode())
    assert isinstance(read, Message)

    sent = lines(passed(read, a_consent()))

    assert sent[0].endswith("|R|ORU^R01|ours-1|P|2.9")
