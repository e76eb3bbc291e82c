"""Answers and admissions as hospitals send them, with what is left out and what is in other versions."""

import pytest

from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.answers import read_admission, read_appointment, read_referral_answer
from gateway.model.hl7_answer import AdmissionEvent, AppointmentEvent, PersonIdentifier, PersonNamed, ReferralAnswer
from tests.support.shared_data import shared_data

ANSWER = (
    "MSH|^~\\&|EHR|HARBOR|GATEWAY|WH|20261102133000-0800||RRI^I12^RRI_I12|H77|P|2.5.1\r"
    "MSA|AA|C1\r"
    "RF1|A^Accepted^HL70283|R|Psy|||wh-ref-1^WH||||20261102132900-0800||HB-4711^HARBOR\r"
    "PRD|RP^Referring Provider^HL70286||||||||\r"
    "PRD|RT^Referred to Provider^HL70286|Welcome^Sam^^^Dr||||||\r"
    "PID|1||M-1^^^HARBOR&2.999.7&ISO^MR~S-2^^^STATE^SR||Sample^Ann||19900101|F\r"
    "OBR|1|||57133-1\rOBX|1|TX|note||x\rNTE|1||about the observation\r"
    "PV1|1|O\r"
    "NTE|1||Bed on ward 3 \\T\\ intake at 15:00\r"
)
# In RF1 the process date is field 9 and the external id field 11.
ANSWER = ANSWER.replace("wh-ref-1^WH||||20261102132900-0800||HB", "wh-ref-1^WH|||20261102132900-0800||HB")

ADMISSION = (
    "MSH|^~\\&|ADT|HARBOR|GATEWAY|WH|20261102101700-0800||ADT^A01^ADT_A01|A1|P|2.5.1\r"
    "EVN|A01|20261102101600|||| \r"
    "PID|1||M-1^^^HARBOR^MR||Sample&van^Ann^Q||1990|U\r"
    "PV1|1|E|ED^01^A^HARBOR MAIN||||||||||||||||V-99^^^HARBOR^VN" + "|" * 25 + "20261102101500\r"
)


def read(text: str) -> Message:
    message = read_message(text.encode())
    assert isinstance(message, Message)
    return message


def test_an_acceptance_is_read_with_who_when_and_why() -> None:
    assert read_referral_answer(read(ANSWER)) == ReferralAnswer(
        event="I12",
        referral="wh-ref-1",
        external_id="HB-4711",
        status="accepted",
        reason="Bed on ward 3 & intake at 15:00",
        at="2026-11-02T13:29:00-08:00",
        person=PersonNamed(
            identifiers=(PersonIdentifier("M-1", "2.999.7", "MR"), PersonIdentifier("S-2", "STATE", "SR")),
            family="Sample",
            given="Ann",
            birth_date="1990-01-01",
            gender="female",
        ),
    )


@pytest.mark.parametrize(
    ("sent", "status"), [("A", "accepted"), ("r", "rejected"), ("P", "requested"), ("E", "failed")]
)
def test_a_status_code_is_read(sent: str, status: str) -> None:
    answer = read_referral_answer(read(ANSWER.replace("RF1|A^Accepted^HL70283", f"RF1|{sent}")))

    assert isinstance(answer, ReferralAnswer)
    assert answer.status == status


@pytest.mark.parametrize(
    ("change", "code", "location"),
    [
        (("RRI^I12^RRI_I12", "RRI^I99"), "201", "MSH-9"),
        (("RRI^I12^RRI_I12", "ADT^A01"), "201", "MSH-9"),
        (("wh-ref-1^WH", ""), "101", "RF1-6"),
        (("RF1|A^Accepted^HL70283", "RF1|C^Cancelled^Local"), "103", "RF1-1"),
        (("RF1|A^Accepted^HL70283", "RF1|"), "103", "RF1-1"),
    ],
)
def test_an_answer_that_says_too_little_is_named_by_its_place(
    change: tuple[str, str], code: str, location: str
) -> None:
    outcome = read_referral_answer(read(ANSWER.replace(*change)))

    assert isinstance(outcome, Unreadable)
    assert (outcome.code, outcome.location) == (code, location)


def test_an_admission_is_read_with_where_and_since_when() -> None:
    assert read_admission(read(ADMISSION)) == AdmissionEvent(
        event="A01",
        kind="admitted",
        person=PersonNamed((PersonIdentifier("M-1", "HARBOR", "MR"),), "Sample", "Ann", "1990", "unknown"),
        at="2026-11-02T10:15:00-08:00",
    )


def test_times_without_any_zone_take_the_peers_or_stay_dates() -> None:
    bare = ADMISSION.replace("20261102101700-0800", "20261102101700")

    at_home = read_admission(read(bare), "-0800")
    nowhere = read_admission(read(bare))

    assert isinstance(at_home, AdmissionEvent)
    assert at_home.at == "2026-11-02T10:15:00-08:00"
    assert isinstance(nowhere, AdmissionEvent)
    assert nowhere.at == "2026-11-02"


@pytest.mark.parametrize(("event", "kind"), [("A03", "discharged"), ("A04", "registered"), ("A08", "updated")])
def test_the_event_tells_what_happened(event: str, kind: str) -> None:
    admission = read_admission(read(ADMISSION.replace("ADT^A01^ADT_A01", f"ADT^{event}")))

    assert isinstance(admission, AdmissionEvent)
    assert admission.kind == kind


def test_an_admission_of_nobody_and_an_event_that_is_none_are_told() -> None:
    nobody = read_admission(read(ADMISSION.replace("M-1^^^HARBOR^MR||Sample&van^Ann^Q", "||")))
    merge = read_admission(read(ADMISSION.replace("ADT^A01^ADT_A01", "ADT^A40")))

    assert isinstance(nobody, Unreadable)
    assert nobody.location == "PID-3"
    assert isinstance(merge, Unreadable)
    assert merge.location == "MSH-9"


def test_an_appointment_names_its_referral_and_begin() -> None:
    message = read(
        "MSH|^~\\&|SCH|HARBOR|GATEWAY|WH|20261102133000-0800||SIU^S12|S1|P|2.5.1\r"
        "SCH|P-1|F-2|||||||||^^^20261103090000^20261103100000" + "|" * 15 + "wh-ref-1^WH\r"
    )

    assert read_appointment(message) == AppointmentEvent(
        event="S12",
        kind="booked",
        referral="wh-ref-1",
        appointment_id="F-2",
        person=None,
        starts_at="2026-11-03T09:00:00-08:00",
        at="2026-11-02T13:30:00-08:00",
    )


def test_the_public_samples_are_read() -> None:
    samples = shared_data("exchange", "hl7v2", "ms-fhir-converter")

    admission = read_admission(read((samples / "ADT-A01-01.hl7").read_text("utf-8-sig")))
    appointment = read_appointment(read((samples / "SIU-S26-02.hl7").read_text("utf-8-sig")))
    referral = read_referral_answer(read((samples / "REF-I12-01.hl7").read_text("utf-8-sig")))

    assert isinstance(admission, AdmissionEvent)
    assert (admission.kind, admission.person.family, len(admission.person.identifiers)) == ("admitted", "EVERYMAN", 2)
    assert isinstance(appointment, AppointmentEvent)
    assert appointment.kind == "no-show"
    assert isinstance(referral, ReferralAnswer)
    assert (referral.referral, referral.external_id, referral.status) == ("226839", "11001", "requested")
