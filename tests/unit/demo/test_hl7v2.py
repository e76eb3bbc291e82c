from datetime import UTC, date, datetime

import pytest

from gateway.demo.receiving_ehr import hl7v2
from gateway.demo.receiving_ehr.records import Referral, Subject

AT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
REF = (
    b"MSH|^~\\&|WARM_HANDOFF|WARM_HANDOFF|CLINIC_EHR|DEMO_CLINIC|20261122183000+0000||REF^I12^REF_I12|m-1|P|2.5.1\r"
    b"RF1|P|A|Psy|||ref-1|20261122183000\r"
    b"PRD|RP|Demo Police\r"
    b"PRD|RT|Demo Clinic\r"
    b"PID|1||p-1^^^&https://warmhandoff.example/id/person&URI~77^^^&2.999.5&ISO||O\\S\\Test^Ann||19600501|F\r"
    b"OBR|1|||detox^Detox\r"
    b"OBR|2|||57133-1^Referral note^LN\r"
)


def test_referral_is_read_from_rf1_pid_and_obr() -> None:
    referral = hl7v2.referral_from_message(hl7v2.read(REF), "R1", date(2026, 11, 22))

    assert referral == Referral(
        id="R1",
        channel="hl7v2",
        placer="ref-1",
        service="detox",
        priority="asap",
        age=66,
        subject=Subject(
            identifiers=(("https://warmhandoff.example/id/person", "p-1"), ("urn:oid:2.999.5", "77")),
            family="O^Test",
            given="Ann",
            birth_date="1960-05-01",
            gender="female",
        ),
        application="WARM_HANDOFF",
        facility="WARM_HANDOFF",
        own_application="CLINIC_EHR",
        own_facility="DEMO_CLINIC",
        message_id="m-1",
    )


def test_acknowledgement_goes_back_to_the_sender_and_names_its_message() -> None:
    ack = hl7v2.acknowledge(hl7v2.read(REF), "AA", "a-1", AT, [])

    assert ack == (
        b"MSH|^~\\&|CLINIC_EHR|DEMO_CLINIC|WARM_HANDOFF|WARM_HANDOFF|20261122183000+0000||ACK^I12^ACK|a-1|P|2.5.1\r"
        b"MSA|AA|m-1\r"
    )


def test_rejection_carries_both_numbers_and_the_reason() -> None:
    referral = hl7v2.referral_from_message(hl7v2.read(REF), "R1", date(2026, 11, 22))

    rri = hl7v2.referral_response(referral, False, "Full | until ~Monday", "b-1", AT)

    assert rri.decode().split("\r") == [
        "MSH|^~\\&|CLINIC_EHR|DEMO_CLINIC|WARM_HANDOFF|WARM_HANDOFF|20261122183000+0000||RRI^I12^RRI_I12|b-1|P|2.5.1",
        "MSA|AA|m-1",
        "RF1|R|||||ref-1|20261122183000+0000||20261122183000+0000||R1",
        "PRD|RT|Intake^DEMO_CLINIC",
        "PID|1||p-1^^^&https://warmhandoff.example/id/person&URI~77^^^&2.999.5&ISO~MRNR1^^^EHR^MR"
        "||O\\S\\Test^Ann||19600501|F",
        "NTE|1|L|Full \\F\\ until \\R\\Monday",
        "",
    ]


@pytest.mark.parametrize(
    ("event", "structure", "times"), [("A01", "ADT_A01", ("20261122183000+0000", "")), ("A03", "ADT_A03", ("", None))]
)
def test_admission_names_person_and_visit(event: str, structure: str, times: tuple[str, str | None]) -> None:
    referral = hl7v2.referral_from_message(hl7v2.read(REF), "R1", date(2026, 11, 22))

    message = hl7v2.read(hl7v2.admission(referral, event, "b-2", AT))

    assert message.field("MSH", 9) == f"ADT^{event}^{structure}"
    assert message.repetitions(message.field("PID", 3))[2] == "MRNR1^^^EHR^MR"
    assert message.field("PV1", 19) == "R1"
    assert message.field("PV1", 44) == times[0]
    assert message.field("PV1", 45) == ("" if times[1] == "" else "20261122183000+0000")


def test_appointment_names_our_referral_and_its_begin() -> None:
    referral = hl7v2.referral_from_message(hl7v2.read(REF), "R1", date(2026, 11, 22))

    message = hl7v2.read(hl7v2.appointment(referral, datetime(2026, 11, 29, 10, tzinfo=UTC), "b-3", AT))

    assert message.field("MSH", 9) == "SIU^S12^SIU_S12"
    assert message.field("SCH", 26) == "ref-1"
    assert message.field("SCH", 25) == "Booked"
    assert message.field("SCH", 11) == "^^^20261129100000+0000"


@pytest.mark.parametrize("raw", [b"", b"PID|1", b"MSH", b"MSH|||||||", b"\x00\xff"])
def test_bytes_without_a_readable_header_are_unreadable(raw: bytes) -> None:
    with pytest.raises(hl7v2.Unreadable):
        hl7v2.read(raw)


def test_missing_elements_are_named_as_err_locations() -> None:
    message = hl7v2.read(REF.replace(b"RF1|P|A|Psy|||ref-1|", b"RF1|P|A|Psy||||").replace(b"PID|1", b"PIX|1"))

    assert hl7v2.missing_elements(message) == ["RF1^1^6", "PID^1^3", "PID^1^5"]


@pytest.mark.parametrize(
    ("code", "names", "expected"),
    [("AA", "b-1", (True, "AA")), ("CA", "b-1", (True, "CA")), ("AE", "b-1", (False, "AE"))],
)
def test_acknowledgement_of_ours_is_understood(code: str, names: str, expected: tuple[bool, str]) -> None:
    ack = f"MSH|^~\\&|A|B|C|D|20261122||ACK|1|P|2.5.1\rMSA|{code}|{names}\r".encode()

    assert hl7v2.answered_well(ack, "b-1") == expected


def test_acknowledgement_of_another_message_is_none_of_ours() -> None:
    ack = b"MSH|^~\\&|A|B|C|D|20261122||ACK|1|P|2.5.1\rMSA|AA|b-9\r"

    assert hl7v2.answered_well(ack, "b-1")[0] is False
