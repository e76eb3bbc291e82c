"""Everybody an ADT speaks of, by any number and any name in it: what has to be looked up before it may be passed over.

Wider than `answers`, which reads whom a message is about: whatever is missed here could be lost for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.formats.hl7v2.message import Message, Segment
from gateway.formats.hl7v2.times import fhir_date_time

_NUMBERS = {
    "PID": (2, 3, 4, 18, 19, 20, 21),
    "MRG": (1, 2, 3, 4),
    "NK1": (33,),
    "GT1": (2, 19),
    "IN1": (36, 49),
    "IN2": (2, 6, 8),
}
"""Fields that hold numbers of persons; the number is their first component (HL7 v2.5.1 ch. 3 and 6)."""

_NEVER = ("MRG", "CON", "ARV")
"""Segments that change who is who, or what may be done with what we hold: never passed over."""

_NAMES = (5, 9)
"""PID-5 and, before 2.7, the aliases of PID-9."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Whom a message may be about."""

    numbers: frozenset[str]
    names: tuple[tuple[str, str], ...]
    """(family, given) of the patient, aliases too; given with the middle names and without."""
    birth_date: str | None
    """FHIR date; None where there is none or it is no date."""


def read_sighting(message: Message) -> Sighting | None:
    """Read whom an ADT may be about; None where it must be read whole by somebody who knows more.

    That is what changes who is who, names several patients or none, or is no ADT.
    """
    events = {message.text("MSH-9.2").strip(), message.text("EVN-1").strip()} - {""}
    patients = message.named("PID")
    if message.text("MSH-9.1").strip() != "ADT" or not events or events & IDENTITY_EVENTS:
        return None
    if len(patients) != 1 or any(message.named(name) for name in _NEVER):
        return None
    names = tuple(dict.fromkeys(_names(patients[0])))
    numbers = frozenset(number for name, fields in _NUMBERS.items() for number in _numbers(message, name, fields))
    return Sighting(numbers, names, fhir_date_time(patients[0].text(7, 1).strip()[:8])) if names else None


def _numbers(message: Message, name: str, fields: tuple[int, ...]) -> Iterator[str]:
    for segment in message.named(name):
        for field in fields:
            for number in segment.texts(field, 1):
                yield from {number, number.strip()} - {""}


def _names(patient: Segment) -> Iterator[tuple[str, str]]:
    for field in _NAMES:
        for repetition in range(1, patient.repetitions(field) + 1):
            family, given, middle = (patient.text(field, part, 1, repetition).strip() for part in (1, 2, 3))
            if family:
                yield family, given
            if family and middle:
                yield family, f"{given} {middle}"
