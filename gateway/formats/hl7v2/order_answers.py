"""Read how a receiver answers a referral sent as an order: OSU^O51 or OMG^O19 (IHE 360X, PCC-56, 57 and 59)."""

from typing import Literal

from gateway.formats.hl7v2.answers import person_of
from gateway.formats.hl7v2.message import Message, Unreadable
from gateway.formats.hl7v2.times import fhir_date_time, zone_of
from gateway.model.hl7_answer import AnswerStatus, ReferralAnswer

_STATUS: dict[str, AnswerStatus] = {
    "IP": "accepted",
    "SC": "in-progress",
    "A": "in-progress",
    "CM": "completed",
    "CA": "rejected",
    "DC": "rejected",
    "HD": "requested",
}
"""HL7 table 0038 of ORC-5; a receiver that holds an order has not decided. An error (ER) is for a person."""

_VISIT: dict[str, Literal["booked", "done"]] = {"SC": "booked", "A": "done"}
"""What ORC-5 says of the visit: scheduled; some, but not all, results are there."""

_UNDER_WAY = frozenset({"", "IP", "SC", "A"})
"""ORC-5 of an OMG that brings results and is not the last: the interim note of 360X (PCC-59)."""

_STATUS_OF_CONTROL: dict[str, AnswerStatus] = {
    "OK": "accepted",
    **dict.fromkeys(("UA", "OC", "OD", "CR", "DR"), "rejected"),
}
"""HL7 table 0119 of ORC-1, where ORC-5 says nothing: unable to accept; cancelled, also where we have asked for it."""

_COULD_NOT = frozenset({"UC", "UD", "UX"})
"""ORC-1: it could not cancel, discontinue or change what we have taken back or changed."""


def read_order_answer(message: Message, peer_zone: str = "") -> ReferralAnswer | Unreadable:
    """Read an OSU about one order, or an OMG that brings its outcome.

    `peer_zone`, an offset or the name of a zone, counts for times whose sender states no offset.
    """
    code = message.text("MSH-9.1")
    if code not in ("OSU", "OMG"):
        return Unreadable("201", "MSH-9", "expected the status of an order: OSU or OMG")
    referral = message.text("ORC-2.1")
    if not referral:
        return Unreadable("101", "ORC-2", "expected our number of the referral")
    control = message.text("ORC-1").strip().upper()
    if control in _COULD_NOT:
        return Unreadable("103", "ORC-1", "the receiver could not do what the order asked for: settle it with them")
    said = message.text("ORC-5").strip().upper()
    status = _STATUS.get(said) if said else _STATUS_OF_CONTROL.get(control)
    visit = _VISIT.get(said)
    if code == "OMG" and said in _UNDER_WAY and message.named("OBX"):
        status, visit = "in-progress", "done"
    if status is None and code == "OMG":
        return Unreadable("201", "ORC-5", "a note on an order that says nothing of how far it is")
    if status is None:
        return Unreadable("103", "ORC-5", "expected an order status of HL7 table 0038 that says what was decided")
    pid = message.named("PID")
    zone = zone_of(message.text("MSH-7.1")) or peer_zone
    told = message.text("ORC-9.1") or message.text("MSH-7.1")
    return ReferralAnswer(
        event=message.text("MSH-9.2"),
        referral=referral,
        external_id=message.text("ORC-3.1") or None,
        status=status,
        reason=_reason(message),
        at=fhir_date_time(told, zone) if told else None,
        person=person_of(pid[0]) if pid else None,
        visit=visit,
    )


def _reason(message: Message) -> str:
    """Gather the words of the answer: the reason of ORC-16, and every note."""
    words = [message.text("ORC-16.2") or message.text("ORC-16.1")]
    words += [word for note in message.named("NTE") for word in note.texts(3)]
    return "\n".join(word for word in words if word)
