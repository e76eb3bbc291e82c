"""What a message makes its statements about, when it made them, and of what its event says nothing.

Segments repeat what nobody has said anew: a PV1 in a result or in an update does not tell how far the visit is. Which
events do is in HL7 v2.5.1 ch. 3.3.
"""

from datetime import UTC, datetime, timedelta, timezone

from gateway.formats.hl7v2.message import Message
from gateway.formats.hl7v2.times import fhir_date_time, zone_of

RECORD_KINDS = frozenset(("ADT", "MDM", "OMG", "ORM", "ORU", "OSU", "PGL", "PPR", "SIU"))
"""Messages that tell of care and become records of the person: orders, results, documents, plans, visits."""

_TELL_HOW_FAR = frozenset(
    ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A09", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A23")
) | frozenset(("A25", "A26", "A27", "A38"))
"""ADT events that tell how far a visit is."""

_WITHDRAW = {"A13": ("Encounter.period.end", "Encounter.hospitalization.dischargeDisposition")}
"""What an event takes back without naming it: with its cancellation a discharge has not happened."""

_THINGS = (
    ("visit", ("PV1-19.1",)),
    ("order", ("ORC-2.1", "OBR-2.1", "ORC-3.1", "OBR-3.1")),
    ("document", ("TXA-12.1", "TXA-16.1")),
    ("appointment", ("SCH-1.1", "SCH-2.1")),
    ("plan", ("PTH-3.1", "GOL-4.1", "PRB-4.1")),
)
"""Business numbers, the most lasting first: messages that share one belong together."""


def thing_of(message: Message) -> tuple[str, str]:
    """Return what a message belongs to: its kind, and the number its sender gave it.

    Without any number it is the person as the sender knows them (A28, A31), or this message alone.
    """
    for kind, paths in _THINGS:
        for path in paths:
            if number := message.text(path).strip():
                return kind, number
    if message.text("MSH-9.1") == "ADT" and (number := message.text("PID-3.1").strip()):
        return "person", number
    return "message", message.text("MSH-10").strip()


def said_at(message: Message, received_at: datetime) -> datetime:
    """Return when a message was said: EVN-2, of results OBR-22, else MSH-7; without any, when it came.

    Times of one sender are compared with each other alone, so one without an offset has that of MSH-7, else none.
    """
    zone = zone_of(message.text("MSH-7.1")) or "+0000"
    paths = ("OBR-22.1", "MSH-7.1") if message.text("MSH-9.1") == "ORU" else ("EVN-2.1", "MSH-7.1")
    for path in paths:
        told = fhir_date_time(message.text(path), zone) or ""
        if len(told) >= len("YYYY-MM-DD"):
            return _instant(told, zone)
    return received_at


def unsaid_in(message: Message) -> frozenset[str]:
    """Return the elements (Type.element) that a message fills only because they must be filled."""
    code, event = message.text("MSH-9.1"), message.text("MSH-9.2") or message.text("EVN-1")
    if code == "ADT" and event in _TELL_HOW_FAR:
        return frozenset()
    return frozenset({"Encounter.status", "ServiceRequest.status"} if code == "ORU" else {"Encounter.status"})


def withdrawn_by(message: Message) -> tuple[str, ...]:
    """Return the elements that the event of a message takes back."""
    return _WITHDRAW.get(message.text("MSH-9.2") or message.text("EVN-1"), ())


def _instant(told: str, zone: str) -> datetime:
    if "T" in told:
        return datetime.fromisoformat(told)
    hours, minutes = int(zone[1:3]), int(zone[3:5])
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    return datetime.fromisoformat(told).replace(tzinfo=timezone(offset) if offset else UTC)
