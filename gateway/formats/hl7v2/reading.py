"""What becomes of each field of a message: mapped, kept, ignored on purpose, or unknown, each with the reason.

The tables say what the readers beside them use (`acknowledgement`, `answers`, `identities`); a test holds the two
together. A field is named by its place without occurrence: every PID-3 of a message is read alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.formats.hl7v2.answers import APPOINTMENT_EVENTS, REFERRAL_EVENTS
from gateway.formats.hl7v2.field_names import field_name
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.formats.hl7v2.message import Message, Segment

FieldStatus = Literal["mapped", "kept", "ignored", "unknown"]


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field that holds something: its place and name, what it says, and what is made of it."""

    path: str
    """Such as PID-3[2] or OBX[4]-5: occurrence and repetition from the second on."""
    name: str
    """As the standard calls it; "" where the version does not know it."""
    value: str
    """As sent, escapes in."""
    status: FieldStatus
    rule: str
    """Why, in words."""
    target: str | None
    """What it fills: a FHIR element, or a fact of the index of persons."""


_HEADER = {
    "MSH-1": ("how the message is split", None),
    "MSH-2": ("how the message is split", None),
    "MSH-3": ("who sends: duplicates, the reply link, our answer", "MSA message MSH-5"),
    "MSH-4": ("who sends: duplicates, the reply link, our answer", "MSA message MSH-6"),
    "MSH-5": ("whom our answer names as its sender", "MSA message MSH-3"),
    "MSH-6": ("whom our answer names as its sender", "MSA message MSH-4"),
    "MSH-7": ("the zone of times that state none, and the last resort for when it happened", None),
    "MSH-9": ("what kind of message this is", None),
    "MSH-10": ("the key against duplicates", "MSA-2"),
    "MSH-11": ("whether we take it", None),
    "MSH-12": ("the version of our answer, and of these names", None),
    "MSH-15": ("whether an accept answer is asked for", None),
    "MSH-16": ("whether an application answer is asked for", None),
    "MSH-18": ("how bytes become characters", None),
}
_WHO = {
    "PID-3": ("finds the person by a number we or the sender gave", "Patient.identifier"),
    "PID-5": ("compared with the index of persons", "Patient.name"),
    "PID-7": ("compared with the index of persons", "Patient.birthDate"),
    "PID-8": ("compared with the index of persons", "Patient.gender"),
}
_REFERRAL_ANSWER = {
    **_WHO,
    "RF1-1": ("the recipient's decision (HL7 table 0283)", "Task.status"),
    "RF1-6": ("finds the referral", "Task.identifier"),
    "RF1-9": ("when the recipient decided", "Task.lastModified"),
    "RF1-11": ("the recipient's own number", "Task.identifier (FILL)"),
    "RF1-24": ("the recipient's words", "Task.statusReason"),
    "NTE-3": ("the recipient's words, those of observations left out", "Task.statusReason"),
}
_ORDER_ANSWER = {
    **_WHO,
    "ORC-2": ("finds the referral that went out as an order", "Task.identifier"),
    "ORC-3": ("the recipient's own number", "Task.identifier (FILL)"),
    "ORC-5": ("the recipient's decision (HL7 table 0038)", "Task.status"),
    "ORC-9": ("when the recipient decided", "Task.lastModified"),
    "ORC-16": ("the recipient's reason", "Task.statusReason"),
    "NTE-3": ("the recipient's words", "Task.statusReason"),
}
_VISIT = {
    **_WHO,
    "EVN-1": ("the event where MSH-9.2 is empty", None),
    "EVN-2": ("when it happened, where nothing finer is given", "Task.lastModified"),
    "EVN-6": ("when it happened", "Task.lastModified"),
}
_BEGINNING = {**_VISIT, "PV1-44": ("when the admission happened, where EVN-6 is empty", "Task.lastModified")}
_END = {**_VISIT, "PV1-45": ("when the discharge happened, where EVN-6 is empty", "Task.lastModified")}
_PERSON = {
    **_WHO,
    "PID-11": ("fills the index of persons where it lacks an address", "index of persons"),
    "PID-13": ("fills the index of persons where it lacks a telephone number", "index of persons"),
}
_IDENTITY = {
    **_WHO,
    "MRG-1": ("the number that ends: a merge waits for a person's word", "Patient.identifier"),
    "MRG-4": ("the number that ends, in messages that have no MRG-1", "Patient.identifier"),
}
_APPOINTMENT = {
    "SCH-26": ("finds the referral", "Task.identifier"),
    "MSH-7": ("when the appointment was told", "Task.lastModified"),
}
_ACKNOWLEDGEMENT = {
    "MSA-1": ("what the receiver's application says of our message", "state of the delivery"),
    "MSA-2": ("finds our message by its MSH-10", "state of the delivery"),
    "ERR-1": ("the error code, before 2.5", "state of the delivery"),
    "ERR-3": ("the error code", "state of the delivery"),
}

_CONSENT = {
    "CON-2": ("whether it is about disclosure or about a treatment (HL7 table 0496)", None),
    "CON-3": ("finds the consent it takes back, where CON-4 is empty", "Consent.policy"),
    "CON-4": ("finds the consent it takes back", "Consent.identifier"),
    "CON-9": ("the person's own words: nothing leaves until somebody has read them", "Consent.provision (deny)"),
    "CON-10": ("how a revocation was made; a spoken consent is none", "Consent.extension (part2-revocation)"),
    "CON-11": ("takes back or restricts, never permits (HL7 table 0498)", "Consent.status"),
    "CON-13": ("kept as stated; nothing counts from it", "Consent.dateTime"),
    "CON-20": ("a claim in the audit trail, no emergency record", "AuditEvent"),
}
"""Read in every message, whatever its type."""

_LEFT_OUT = {
    "PID-10": "race is not taken from messages",
    "PID-17": "religion is not taken from messages",
    "PID-19": "social security numbers are never taken",
    "PID-20": "licence numbers are never taken",
    "PID-22": "ethnic group is not taken from messages",
    "MSH-8": "a sender's word on security never lowers or lifts a label",
}

_NO_MEANING = "kept as sent: nothing here is made of it"
_UNMAPPED = "kept as sent: messages of this type and event are not mapped"
_UNKNOWN = "kept as sent: no field of this version"
_SITE = "kept as sent: a segment of the sender's own"

Rules = Mapping[str, tuple[str, str | None]]


def read_fields(message: Message) -> list[FieldReading]:
    """Return every field that holds something, repetition by repetition, in the order of the message."""
    rules = _rules(message)
    version = message.text("MSH-12.1")
    seen: dict[str, int] = {}
    readings: list[FieldReading] = []
    for segment in message.segments:
        seen[segment.id] = seen.get(segment.id, 0) + 1
        occurrence = f"[{seen[segment.id]}]" if seen[segment.id] > 1 else ""
        readings += _of_segment(segment, f"{segment.id}{occurrence}", version, rules)
    return readings


def header_reading(field: int) -> tuple[str, str | None] | None:
    """Return what a field of MSH is used for and what it fills, whatever the message is; None for one that is not."""
    return _HEADER.get(f"MSH-{field}")


def _of_segment(segment: Segment, where: str, version: str, rules: Rules | None) -> Iterator[FieldReading]:
    for field in range(1, len(segment.fields)):
        name = field_name(segment.id, field, version)
        status, rule, target = _meaning(segment.id, field, name, rules)
        for repetition in range(1, segment.repetitions(field) + 1):
            value = segment.raw_value(field, repetition=repetition)
            if value:
                path = f"{where}-{field}" + (f"[{repetition}]" if repetition > 1 else "")
                yield FieldReading(path, name, value, status, rule, target)


def _meaning(segment_id: str, field: int, name: str, rules: Rules | None) -> tuple[FieldStatus, str, str | None]:
    place = f"{segment_id}-{field}"
    known = {**_HEADER, **_CONSENT, **(rules or {})}.get(place)
    if known is not None:
        return "mapped", *known
    if place in _LEFT_OUT:
        return "ignored", _LEFT_OUT[place], None
    if segment_id.startswith("Z"):
        return "unknown", _SITE, None
    if not name:
        return "unknown", _UNKNOWN, None
    return "kept", _NO_MEANING if rules is not None else _UNMAPPED, None


def _rules(message: Message) -> Rules | None:
    """Return what is read in messages of this type and event; None where none is."""
    code, event = message.text("MSH-9.1"), message.text("MSH-9.2") or message.text("EVN-1")
    if code == "ADT":
        return _IDENTITY if event in IDENTITY_EVENTS else _ADMISSIONS.get(event)
    if code == "ACK":
        return _ACKNOWLEDGEMENT
    if code == "SIU" and event in APPOINTMENT_EVENTS:
        return _APPOINTMENT
    if code == "OSU":
        return _ORDER_ANSWER
    return _REFERRAL_ANSWER if code in ("RRI", "REF") and event in REFERRAL_EVENTS else None


_ADMISSIONS: dict[str, Rules] = {
    **dict.fromkeys(("A01", "A04"), _BEGINNING),
    "A03": _END,
    **dict.fromkeys(("A02", "A11", "A12", "A13"), _VISIT),
    "A08": {**_VISIT, **_PERSON},
    "A28": _PERSON,
    "A31": _PERSON,
}
