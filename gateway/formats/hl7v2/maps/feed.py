"""Read a message by a pack: its resources with stable ids, what it asks to delete, and who said so.

Every resource carries the labels of the message (`labels_of`), and one Provenance names the sender as the author of all
that is about a person: what nobody signs for, nobody may disclose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.formats.hl7v2.maps.pack import CompiledPack, Sender, choose, reference_to
from gateway.formats.hl7v2.maps.reading import Fate, Reading
from gateway.formats.hl7v2.maps.report import report_of
from gateway.formats.hl7v2.message import Message
from gateway.formats.hl7v2.reading import FieldReading
from gateway.model.handoff import Resource

FACILITIES = "https://warmhandoff.example/id/hl7v2-facility"
"""Identifier system of a sender that nobody registered: the text of its MSH-4."""

MESSAGES = "https://warmhandoff.example/id/hl7v2-message"
"""Identifier system of MSH-10."""

_DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
"""Resources about nobody's health: no Provenance speaks of them."""


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What reading needs besides message and pack."""

    key: bytes
    """The installation's secret: ids cannot be computed without it."""
    at: datetime
    """The present instant: recorded where the message states none."""
    sender: Sender | None = None
    """The registered organization whose message this is; None where nobody knows it, and then nothing leaves."""
    zone: str = ""
    """Offset or zone of times that state none, where MSH-7 and the pack have none either."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A field of two quotes: the sender asks that an element be emptied (HL7 v2.5.1 ch. 2.5.3)."""

    path: str
    """Such as PID-13."""
    reference: str
    """The resource, such as Patient/abc; "" where the message made none of it."""
    element: str
    """Such as Patient.telecom[]."""


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What a message says."""

    resources: list[Resource]
    """In the order of the segments, the Provenance last; empty where the message holds nothing that is mapped."""
    deletions: tuple[Deletion, ...]
    """Absent and empty fields change nothing and are not told; these do."""
    unmapped: Mapping[tuple[int, int, int], Fate]
    """(segment from 0, field, repetition; 0 for all): why it stands as it was sent or not at all."""
    message: Message
    pack: CompiledPack

    def report(self) -> list[FieldReading]:
        """Return what became of every field that holds something, in the order of the message."""
        return report_of(self.message, self.pack, self.unmapped)

    def bundle(self) -> Resource:
        """Return the resources as a collection Bundle."""
        base = "https://warmhandoff.example/fhir/"
        entries = [
            {"fullUrl": f"{base}{resource['resourceType']}/{resource['id']}", "resource": resource}
            for resource in self.resources
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def read_feed(message: Message, pack: CompiledPack, context: FeedContext) -> FeedResult:
    """Read a message of any event that the pack takes.

    Segments are taken where they stand: one that the pack's structure has no place for is passed over and reported, it
    never stops the rest. Ids depend on the sender and the business keys of the message alone, so the same visit in ten
    messages is one Encounter.
    """
    sender = context.sender.value if context.sender else message.text("MSH-4")
    reading = Reading(message, pack, context.key, sender, context.zone)
    node = pack.root
    provenance = reading.open["Provenance"] = {"resourceType": "Provenance"}
    for number, segment in enumerate(message.segments):
        fields = segment.fields
        candidates = node.next.get(fields[0])
        if candidates is None:
            continue
        chosen = candidates[0] if not candidates[0].when else choose(candidates, segment)
        if chosen is None:
            continue
        reading.number, reading.fields = number, fields
        reading.read(chosen)
        if chosen.openings or chosen.children:
            node = chosen
    reading.finish()
    _sign(reading, provenance, context)
    return FeedResult(
        reading.resources,
        _deletions(reading),
        reading.unmapped,
        message,
        pack,
    )


def _sign(reading: Reading, provenance: Resource, context: FeedContext) -> None:
    """Complete the Provenance: of whom the resources are, when and by whom they were said, in which message."""
    about = [reference_to(one) for one in reading.resources if one["resourceType"] not in _DIRECTORY]
    if not about:
        return
    control_id = reading.message.text("MSH-10")
    sender = context.sender or Sender(FACILITIES, reading.message.text("MSH-4") or "unknown")
    who = {"type": "Organization", "identifier": {"system": sender.system, "value": sender.value}}
    if sender.name:
        who["display"] = sender.name
    recorded = provenance.pop("recorded", "") or reading.time(reading.message.text("MSH-7")) or ""
    others = provenance.pop("agent", [])
    reading.resources.append(
        {
            "resourceType": "Provenance",
            "id": reading.id_of("Provenance", control_id),
            "target": about,
            **{name: value for name, value in provenance.items() if name != "resourceType"},
            "recorded": recorded if "T" in recorded else context.at.isoformat(timespec="seconds"),
            "activity": {"coding": [{"system": _LIFECYCLE, "code": "originate"}]},
            "agent": [{"type": {"coding": [{"system": _PARTICIPANT, "code": "author"}]}, "who": who}, *others],
            "entity": [
                {"role": "source", "what": {"identifier": {"system": MESSAGES, "value": control_id or "unknown"}}}
            ],
        }
    )


_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def _deletions(reading: Reading) -> tuple[Deletion, ...]:
    return tuple(
        Deletion(path, reference_to(resource)["reference"] if resource.get("id") else "", element)
        for path, element, resource in reading.deletions
    )
