"""Read what recipients send about our referrals and people: RRI, ADT and SIU of any version.

What is missing is told as a value with its place; what is not asked for is not looked at. Field map: `docs/hl7v2.md`.
"""

from gateway.formats.hl7v2.message import Message, Segment, Unreadable
from gateway.formats.hl7v2.times import fhir_date_time, zone_of
from gateway.model.hl7_answer import (
    AdmissionEvent,
    AdmissionKind,
    AnswerStatus,
    AppointmentEvent,
    AppointmentKind,
    PersonIdentifier,
    PersonNamed,
    ReferralAnswer,
)

_STATUS: dict[str, AnswerStatus] = {"A": "accepted", "R": "rejected", "P": "requested", "E": "failed"}

_ADMISSIONS: dict[str, AdmissionKind] = {
    "A01": "admitted",
    "A02": "transferred",
    "A03": "discharged",
    "A04": "registered",
    "A08": "updated",
    "A11": "admission-cancelled",
    "A12": "transfer-cancelled",
    "A13": "discharge-cancelled",
}

_APPOINTMENTS: dict[str, AppointmentKind] = {
    "S12": "booked",
    "S13": "rescheduled",
    "S14": "rescheduled",
    "S15": "cancelled",
    "S17": "cancelled",
    "S26": "no-show",
}

APPOINTMENT_EVENTS = frozenset(_APPOINTMENTS)
REFERRAL_EVENTS = frozenset(("I12", "I13", "I14", "I15"))

_GENDERS = {"M": "male", "F": "female", "U": "unknown", "O": "other", "A": "other", "N": "other"}
"""HL7 table 0001 to FHIR, as the v2-to-FHIR concept map has it."""


def read_referral_answer(message: Message, peer_zone: str = "") -> ReferralAnswer | Unreadable:
    """Read an RRI^I12 to I15, or the REF^I13 to I15 with which some recipients answer.

    `peer_zone`, an offset or the name of a zone, counts for times whose sender states no offset.
    """
    code, event = message.text("MSH-9.1"), message.text("MSH-9.2")
    if code not in ("RRI", "REF") or event not in REFERRAL_EVENTS:
        return Unreadable("201", "MSH-9", "expected an answer to a referral: RRI with event I12 to I15")
    referral = message.text("RF1-6.1")
    if not referral:
        return Unreadable("101", "RF1-6", "expected our identifier of the referral")
    status = _STATUS.get(message.text("RF1-1.1").upper())
    if status is None:
        return Unreadable("103", "RF1-1", "expected a referral status of HL7 table 0283: A, E, P or R")
    return ReferralAnswer(
        event=event,
        referral=referral,
        external_id=message.text("RF1-11.1") or None,
        status=status,
        reason=_reason(message),
        at=_time(message, peer_zone, "RF1-9.1", "MSH-7.1"),
        person=_person(message),
    )


def read_admission(message: Message, peer_zone: str = "") -> AdmissionEvent | Unreadable:
    """Read an ADT that tells where a person is; the event is MSH-9.2, else EVN-1."""
    event = message.text("MSH-9.2") or message.text("EVN-1")
    kind = _ADMISSIONS.get(event)
    if message.text("MSH-9.1") != "ADT" or kind is None:
        return Unreadable("201", "MSH-9", "expected an admission, discharge, registration, transfer or their change")
    person = _person(message)
    if person is None:
        return Unreadable("101", "PID-3", "expected a person: an identifier or a name")
    own_time = {"admitted": "PV1-44.1", "registered": "PV1-44.1", "discharged": "PV1-45.1"}.get(kind, "EVN-6.1")
    return AdmissionEvent(
        event=event,
        kind=kind,
        person=person,
        at=_time(message, peer_zone, "EVN-6.1", own_time, "EVN-2.1", "MSH-7.1"),
    )


def read_appointment(message: Message, peer_zone: str = "") -> AppointmentEvent | Unreadable:
    """Read a SIU about one appointment."""
    event = message.text("MSH-9.2")
    kind = _APPOINTMENTS.get(event)
    if message.text("MSH-9.1") != "SIU" or kind is None:
        return Unreadable("201", "MSH-9", "expected an appointment that is booked, moved, cancelled or missed")
    return AppointmentEvent(
        event=event,
        kind=kind,
        referral=message.text("SCH-26.1"),
        appointment_id=message.text("SCH-2.1") or message.text("SCH-1.1"),
        person=_person(message),
        starts_at=_time(message, peer_zone, "TQ1-7.1", "SCH-11.4", "AIS-4.1"),
        at=_time(message, peer_zone, "MSH-7.1"),
    )


def _time(message: Message, peer_zone: str, *paths: str) -> str | None:
    """Return the first of these times that is there; without an offset it has that of MSH-7, else the peer's."""
    zone = zone_of(message.text("MSH-7.1")) or peer_zone
    for path in paths:
        if sent := message.text(path).strip():
            return fhir_date_time(sent, zone)
    return None


def read_person_update(message: Message) -> PersonNamed | Unreadable:
    """Read an ADT that tells who a person is (A28, A31): the facts of PID."""
    return _person(message) or Unreadable("101", "PID-3", "expected a person: an identifier or a name")


def _person(message: Message) -> PersonNamed | None:
    pid = message.named("PID")
    return person_of(pid[0]) if pid else None


def person_of(pid: Segment) -> PersonNamed | None:
    """Read the person of a PID; None where it holds neither a number nor a name."""
    identifiers = identifiers_of(pid)
    family, given = pid.text(5, 1, 1), pid.text(5, 2)
    if not identifiers and not family:
        return None
    return PersonNamed(
        identifiers,
        family,
        given,
        birth_date=fhir_date_time(pid.text(7, 1)[:8]),
        gender=_GENDERS.get(pid.text(8, 1)[:1].upper()),
        phone=pid.text(13, 1) or pid.text(13, 12) or None,
        address=f"{pid.text(11, 1, 1)} {pid.text(11, 5)}".strip() or None,
    )


def identifiers_of(segment: Segment, field: int = 3) -> tuple[PersonIdentifier, ...]:
    """Read the numbers (CX) of PID-3, or of another field that holds such a list."""
    found = []
    for repetition in range(1, segment.repetitions(field) + 1):
        value = segment.text(field, 1, repetition=repetition)
        assigner = segment.text(field, 4, 2, repetition) or segment.text(field, 4, 1, repetition)
        if value:
            found.append(PersonIdentifier(value, assigner, segment.text(field, 5, repetition=repetition)))
    return tuple(found)


def _reason(message: Message) -> str:
    """Gather the words of the answer: notes after the last group, those of observations left out."""
    words = [message.text("RF1-24")]
    inside_observation = False
    for segment in message.segments:
        if segment.id in ("OBR", "OBX"):
            inside_observation = True
        elif segment.id == "NTE":
            words += [] if inside_observation else segment.texts(3)
        else:
            inside_observation = False
    return "\n".join(word for word in words if word)
