"""A disclosure as REF: every value where the standard has it, the notice last, and hostile text harmless."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.referral import write_referral
from gateway.model.errors import WillNeverWork
from gateway.model.hl7_header import Hl7Header
from gateway.model.notice import STATEMENT_1, STATEMENT_2
from tests.support.referrals import concept, observation, referral_bundle, referral_resources

HEADER = Hl7Header(
    sending_application=("WARMHANDOFF",),
    sending_facility=("WH", "2.999.1", "ISO"),
    receiving_application=("EHR",),
    receiving_facility=("RIVERCARE",),
    time="20261102101500-0800",
    control_id="MSG1",
    trigger_event="I12",
    security="R",
)


def written(bundle: dict[str, Any], notice: str = STATEMENT_2) -> Message:
    message = read_message(write_referral(bundle, notice, HEADER))
    assert isinstance(message, Message)
    return message


def test_the_segments_stand_in_the_order_of_the_grammar() -> None:
    message = written(referral_bundle())

    assert " ".join(segment.id for segment in message.segments) == (
        "MSH RF1 PRD PRD PID PR1 OBR OBX OBX OBX OBR OBX NTE OBR OBX OBR OBX OBR OBX PV1 PV2 NTE NTE NTE NTE NTE"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("MSH-4.2", "2.999.1"),
        ("MSH-8", "R"),
        ("MSH-9.3", "REF_I12"),
        ("MSH-10", "MSG1"),
        ("MSH-12", "2.5.1"),
        ("MSH-18", ""),
        ("RF1-1.1", "P"),
        ("RF1-2.1", "A"),
        ("RF1-3.1", "Psy"),
        ("RF1-6.1", "wh-ref-1"),
        ("RF1-6.3", "https://warmhandoff.example/id/referral"),
        ("RF1-7", "20261101221500-0800"),
        ("RF1-8", "20261105"),
        ("RF1-9", "20261101221600-0800"),
        ("PRD-1.1", "RP"),
        ("PRD-1[2].1", "cit-officer"),
        ("PRD-4.4", "Sample City Police Department"),
        ("PRD-5.1", "206-555-0110"),
        ("PRD-7.1", "WA0999900"),
        ("PRD[2]-1.1", "RT"),
        ("PRD[2]-3.1", "1 Example Way"),
        ("PRD[2]-7.2", "NPI"),
        ("PID-3.1", "person-1"),
        ("PID-3.4.2", "https://warmhandoff.example/id/person"),
        ("PID-5.1", "Testperson"),
        ("PID-5.3", "Rae"),
        ("PID-5[2].7", "A"),
        ("PID-7", "199002"),
        ("PID-8", "F"),
        ("PID-11.1", "No fixed address, often at Example Park"),
        ("PID-11.7", "C"),
        ("PID-13.1", "206-555-0123"),
        ("PID-13[2].4", "alma@example.org"),
        ("PID-15.2", "Spanish"),
        ("PR1-3.1", "crisis-clinic"),
        ("PR1-3.4", "H2011"),
        ("OBX-3.1", "crying"),
        ("OBX-3.3", "99WHBEH"),
        ("OBX-5.1", "Y"),
        ("OBX-15.2", "CIT officer, Sample City Police Department"),
        ("OBX[4]-15.2", "Clinician, Rivercare Crisis Clinic"),
        ("OBX[5]-3.2", "Knife was present, taken by officers"),
        ("OBX[6]-5", "One.\nTwo."),
        ("PV1-2", "N"),
        ("PV1-19.1", "enc-1"),
        ("PV1-45", "20261101223000-0800"),
        ("PV2-22", "Y"),
    ],
)
def test_a_value_stands_where_the_standard_has_it(path: str, value: str) -> None:
    assert written(referral_bundle()).text(path) == value


def test_the_last_notes_are_the_scope_of_consent_and_then_the_notice_word_for_word() -> None:
    for notice in (STATEMENT_1, STATEMENT_2):
        notes = written(referral_bundle(), notice).named("NTE")

        assert [note.text(4, 1) for note in notes[1:]] == ["1R", "RE", "GOAL", "CONSENT", "NOTICE"]
        assert notes[-2].text(3) == (
            "The person consented on 2026-11-01 to disclosure to Rivercare Crisis Clinic for treatment "
            "until 2027-11-01."
        )
        assert notes[-1].text(3) == notice
        assert [note.text(1) for note in notes[1:]] == ["1", "2", "3", "4", "5"]


def test_what_redaction_says_about_the_disclosure_is_told_once_and_as_a_note() -> None:
    def informing(identifier: str, text: str) -> dict[str, Any]:
        data = base64.b64encode(text.encode()).decode()
        attachment = {"contentType": "text/plain; charset=utf-8", "data": data}
        return {"resourceType": "DocumentReference", "id": identifier, "content": [{"attachment": attachment}]}

    bundle = referral_bundle(
        scope=informing("part2-scope-abc", "Disclosed to: Rivercare.\nFor: treatment."),
        statement=informing("part2-notice", STATEMENT_1),
    )

    message = written(bundle)

    assert [obx.text(5) for obx in message.named("OBX") if obx.text(2) == "TX"] == ["One.\nTwo."]
    assert [note.text(3) for note in message.named("NTE")][-2:] == [
        "Disclosed to: Rivercare.\nFor: treatment.",
        STATEMENT_2,
    ]
    assert written(bundle, "").named("NTE")[-1].text(3) == STATEMENT_1


def test_without_a_notice_no_note_claims_to_be_one() -> None:
    message = written(referral_bundle(consent=None), "")

    assert "NOTICE" not in [note.text(4, 1) for note in message.named("NTE")]


def test_the_printable_copy_is_the_last_observation_and_a_pdf() -> None:
    last = written(referral_bundle()).named("OBX")[-1]

    assert (last.text(2), last.text(3, 1), last.text(5, 3), last.text(5, 4)) == ("ED", "57133-1", "pdf", "Base64")
    assert base64.b64decode(last.text(5, 5)).startswith(b"%PDF-")


def test_the_same_disclosure_gives_the_same_bytes() -> None:
    first = write_referral(referral_bundle(), STATEMENT_1, HEADER)

    assert write_referral(referral_bundle(), STATEMENT_1, HEADER) == first


def test_a_change_and_a_cancellation_are_told_by_the_event() -> None:
    cancelled = {
        **referral_resources()["task"],
        "status": "cancelled",
        "statusReason": {"text": "The person went elsewhere"},
    }
    message = read_message(write_referral(referral_bundle(task=cancelled), "", replace(HEADER, trigger_event="I14")))

    assert isinstance(message, Message)
    assert message.text("MSH-9.2") == "I14"
    assert message.text("MSH-9.3") == "REF_I12"
    assert message.raw_value("RF1-1") == ""
    assert "The person went elsewhere" in [note.text(3) for note in message.named("NTE")]


def test_a_clinicians_condition_is_a_diagnosis_and_an_observation_never() -> None:
    condition = {
        "resourceType": "Condition",
        "id": "x1",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F32.9"}], "text": "Depression"},
        "verificationStatus": {"coding": [{"code": "provisional"}]},
    }

    assert written(referral_bundle()).named("DG1") == []
    diagnosis = written(referral_bundle(condition=condition)).named("DG1")[0]
    assert (diagnosis.text(3, 1), diagnosis.text(3, 3), diagnosis.text(6)) == ("F32.9", "I10C", "W")


def test_a_relative_is_next_of_kin() -> None:
    relative = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "name": [{"family": "Testperson", "given": ["Bo"]}],
        "relationship": [{"text": "brother"}],
        "telecom": [{"system": "phone", "value": "206-555-0177"}],
    }

    message = written(referral_bundle(relative=relative))

    assert (message.text("NK1-2.1"), message.text("NK1-3.2")) == ("Testperson", "brother")
    assert message.text("NK1-5.1") == "206-555-0177"


@pytest.mark.parametrize(
    ("value", "data_type", "text", "unit"),
    [
        ({"valueBoolean": False}, "CE", "N", ""),
        ({"valueCodeableConcept": concept("behavior", "calm", "Calm")}, "CE", "calm", ""),
        ({"valueQuantity": {"value": 12.5, "unit": "mg/dL"}}, "NM", "12.5", "mg/dL"),
        ({"valueInteger": 7}, "NM", "7", ""),
        ({"valueDateTime": "2026-11-01"}, "TS", "20261101", ""),
        ({"valueString": "one\ntwo"}, "TX", "one\ntwo", ""),
        ({"dataAbsentReason": {"text": "refused"}}, "", "", ""),
    ],
)
def test_an_observation_has_the_data_type_of_its_value(
    value: dict[str, Any], data_type: str, text: str, unit: str
) -> None:
    crying = {k: v for k, v in observation("o1", "behavior", "x", "X").items() if k != "valueBoolean"} | value
    message = written(referral_bundle(crying=crying))

    assert (message.text("OBX-2"), message.text("OBX-5.1"), message.text("OBX-6")) == (data_type, text, unit)


def test_a_social_need_is_a_local_referral_type() -> None:
    request = {**referral_resources()["request"], "code": concept("service", "housing", "Housing")}

    assert written(referral_bundle(request=request)).text("RF1-3.3") == "99WHSVC"


def test_a_number_that_a_partner_gave_has_the_partners_name_for_its_assigner_and_not_ours() -> None:
    resources = referral_resources()
    number = {"system": "https://warmhandoff.example/id/hl7v2/SAMPLE%20HOSPITAL", "value": "M-1"}
    local = {"coding": [{"system": "https://warmhandoff.example/id/hl7v2/99SH", "code": "CR1", "display": "Crisis"}]}
    patient = {**resources["patient"], "identifier": [number]}

    message = written(referral_bundle(patient=patient, request={**resources["request"], "code": local}))

    assert message.raw_value("PID-3") == "M-1^^^SAMPLE HOSPITAL^PI"
    assert message.raw_value("PR1-3") == "CR1^Crisis^99SH"


def test_a_recipient_known_by_identifier_only_is_named_all_the_same() -> None:
    clinic = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999900200"}}
    stranger = {"identifier": {"system": "urn:oid:2.999.5", "value": "77"}, "display": "Harbor General"}
    request = referral_resources()["request"]

    known = written(referral_bundle(request={**request, "performer": [clinic]}))
    unknown = written(referral_bundle(request={**request, "performer": [stranger]}))

    assert known.text("PRD[2]-4.4") == "Rivercare Crisis Clinic"
    assert (unknown.text("PRD[2]-4.4"), unknown.text("PRD[2]-7.1")) == ("Harbor General", "77")


def test_text_outside_ascii_is_declared_and_a_set_that_cannot_hold_it_refused() -> None:
    patient = {**referral_resources()["patient"], "name": [{"family": "Nguyễn", "given": ["Ánh"]}]}
    message = written(referral_bundle(patient=patient))

    assert message.text("MSH-18") == "UNICODE UTF-8"
    assert message.text("PID-5.1") == "Nguyễn"
    with pytest.raises(WillNeverWork, match="8859/1"):
        write_referral(referral_bundle(patient=patient), "", replace(HEADER, charset="8859/1"))


def test_a_plan_is_a_note_with_its_title_and_activities() -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "cp1",
        "status": "active",
        "title": "Response plan",
        "activity": [{"detail": {"description": "Speak slowly"}}, {"detail": {"description": "Call her sister"}}],
    }

    notes = {note.text(4, 1): note.text(3) for note in written(referral_bundle(plan=plan)).named("NTE")}

    assert notes["PLAN"] == "Response plan\nSpeak slowly\nCall her sister"


@pytest.mark.parametrize("time", ["20261102", "2026-11-02T18:00:00Z", ""])
def test_a_header_without_an_instant_is_a_mistake(time: str) -> None:
    with pytest.raises(ValueError, match="MSH-7"):
        write_referral(referral_bundle(), "", replace(HEADER, time=time))


def test_a_header_of_another_event_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="I12, I13, I14"):
        write_referral(referral_bundle(), "", replace(HEADER, trigger_event="A01"))


@pytest.mark.parametrize("missing", ["request", "patient"])
def test_a_bundle_without_referral_or_person_is_no_message(missing: str) -> None:
    with pytest.raises(WillNeverWork):
        write_referral(referral_bundle(**{missing: None}), "", HEADER)


def test_one_of_several_referrals_is_chosen_by_its_number() -> None:
    second = referral_resources()["request"]
    second = {**second, "id": "s2", "identifier": [{**second["identifier"][0], "value": "wh-ref-2"}]}

    message = read_message(write_referral(referral_bundle(second=second), "", HEADER, referral="wh-ref-2"))

    assert isinstance(message, Message)
    assert message.text("RF1-6.1") == "wh-ref-2"


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from('|^~\\&\r\n\x0b\x1c"MSHPIDNTE.brX0 \x85\u2028\U0001f600é'), st.characters()),
    max_size=30,
)
ORDINARY = [segment.id for segment in written(referral_bundle()).segments]


@settings(max_examples=60, deadline=None)
@given(HOSTILE.filter(str.strip), HOSTILE.filter(str.strip), HOSTILE.filter(str.strip))
def test_no_text_of_a_record_adds_or_moves_a_segment(one: str, two: str, three: str) -> None:
    resources = referral_resources()
    bundle = referral_bundle(
        patient={
            **resources["patient"],
            "name": [{"family": one, "given": [two]}],
            "address": [{"text": three}],
            "communication": [{"language": {"text": one}}],
        },
        crying=observation("o1", "behavior", "crying", two),
        police={**resources["police"], "name": three},
        goal={**resources["goal"], "description": {"text": one}},
        request={**resources["request"], "reasonCode": [{"text": two}], "note": [{"text": three}]},
    )

    message = written(bundle)

    assert [segment.id for segment in message.segments] == ORDINARY
    assert message.text("PID-5.1") == one_line(one)
    assert message.text("PID-5.2") == one_line(two)
    assert message.text("PID-11.1") == one_line(three)
    assert message.text("OBX-3.2") == one_line(two)
    assert message.text("PRD-4.4") == one_line(three)
    assert message.text("NTE[2]-3") == many_lines(two)
    assert message.text("RF1-6.1") == "wh-ref-1"
    assert message.named("NTE")[-1].text(3) == STATEMENT_2


def many_lines(text: str) -> str:
    halves = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
    return text.replace("\r\n", "\n").translate(halves | {ord(c): "\n" for c in "\r\x0b\x0c\x85\u2028\u2029"})


def one_line(text: str) -> str:
    return many_lines(text).replace("\n", " ")


def test_hl7apy_reads_the_same_values() -> None:
    """A second opinion from an independent implementation, with the grammar of 2.5.1."""
    from hl7apy.parser import parse_message

    raw = write_referral(referral_bundle(), STATEMENT_2, HEADER).decode("ascii")
    parsed = parse_message(raw, find_groups=True)

    assert parsed.msh.msh_10.value == "MSG1"
    assert parsed.rf1.rf1_6.rf1_6_1.value == "wh-ref-1"
    assert parsed.pid.pid_5[0].pid_5_1.value == "Testperson"
    assert [group.name for group in parsed.children][:6] == [
        "MSH",
        "RF1",
        "REF_I12_PROVIDER_CONTACT",
        "REF_I12_PROVIDER_CONTACT",
        "PID",
        "REF_I12_PROCEDURE",
    ]
    assert parsed.nte[-1].nte_3.value == STATEMENT_2
    # It writes the line break of formatted text as if its escape characters were text.
    assert parsed.to_er7().replace("\\E\\.br\\E\\", "\\.br\\") == raw.removesuffix("\r")
