"""ADT events that change who is who: two persons become one, or a number goes from one to another.

Surviving are the numbers of PID-3, ended are those of MRG-1 (HL7 v2.5.1 ch. 3.3 and 3.4.9). Several pairs may stand in
one message (ADT_A39: {PID [PD1] MRG [PV1]}).
"""

from gateway.formats.hl7v2.answers import identifiers_of, person_of
from gateway.formats.hl7v2.message import Message, Unreadable
from gateway.model.hl7_answer import IdentityChange, PersonIdentifier

MERGES = frozenset(("A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"))
"""The person with the ended numbers is the one with the surviving: everything follows."""

OTHER_IDENTITY_EVENTS = frozenset(("A24", "A35", "A37", "A41", "A42", "A43", "A44", "A45", "A48", "A49", "A50", "A51"))
"""Links, and numbers, accounts or visits that go from one person to another: only a person can say what follows."""

IDENTITY_EVENTS = MERGES | OTHER_IDENTITY_EVENTS


def read_identity_changes(message: Message) -> tuple[IdentityChange, ...] | Unreadable:
    """Read the pairs of persons that an ADT of `IDENTITY_EVENTS` names; of a link (A24, A37) the second PID is `ended`.

    A pair without ended numbers of a person (accounts, visits) has none.
    """
    event = message.text("MSH-9.2") or message.text("EVN-1")
    changes: list[IdentityChange] = []
    surviving = None
    for segment in message.segments:
        if segment.id == "PID" and event in ("A24", "A37") and surviving is not None:
            changes.append(IdentityChange(event, surviving, identifiers_of(segment)))
        elif segment.id == "PID":
            surviving = person_of(segment)
        elif segment.id == "MRG" and surviving is not None:
            changes.append(IdentityChange(event, surviving, _ended(identifiers_of(segment, 1), segment.text(4, 1))))
    if not changes:
        return Unreadable("100", "MRG", "expected a person in PID and the numbers that end in MRG")
    return tuple(changes)


def _ended(numbers: tuple[PersonIdentifier, ...], legacy: str) -> tuple[PersonIdentifier, ...]:
    """Return MRG-1, or where it is empty MRG-4, the only number that messages before 2.3 hold."""
    return numbers or ((PersonIdentifier(legacy),) if legacy else ())
