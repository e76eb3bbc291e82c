"""Read a message by a pack: its resources with stable ids, what it asks to delete, and who said so.

Every resource carries the labels of the message (`labels_of`), and one Provenance names the sender as the author of all
that is about a person: what nobody signs for, nobody may disclose.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.formats.hl7v2.delimiters import NULL_TEXT, unescape
from gateway.formats.hl7v2.labels import MessageLabels, labeled, labels_of
from gateway.formats.hl7v2.maps.pack import CompiledPack, Make, Node, Opening, Sender, Way, choose, reference_to
from gateway.formats.hl7v2.maps.report import report_of
from gateway.formats.hl7v2.message import Message, Segment
from gateway.formats.hl7v2.reading import FieldReading
from gateway.formats.hl7v2.times import fhir_date_time, zone_of
from gateway.model.handoff import Resource
from gateway.model.ids import stable_id

FACILITIES = "https://warmhandoff.example/id/hl7v2-facility"
"""Identifier system of a sender that nobody registered: the text of its MSH-4."""

MESSAGES = "https://warmhandoff.example/id/hl7v2-message"
"""Identifier system of MSH-10."""

_BLANKS: tuple[Any, ...] = ({}, [{}])
"""Constants that refer to what the segment did not hold."""

_DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
"""Resources about nobody's health: no Provenance speaks of them."""

_PADDING = 14
"""Components that every composite has at least once it is split; more are never read."""


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
    unmapped: frozenset[tuple[int, int]]
    """(segment from 0, field): a code no table knows, so it stands as it was sent or not at all."""
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


class Reading:
    """One message while it is read; the data types look here for separators, names and the segment's other fields."""

    __slots__ = (
        "_context",
        "_dropped",
        "_has_blanks",
        "_late",
        "_linked",
        "_openings",
        "_parties",
        "_pending",
        "_positions",
        "_times",
        "codec",
        "component",
        "deletions",
        "escape",
        "fields",
        "labels",
        "lines",
        "message",
        "names",
        "number",
        "open",
        "padding",
        "prefix",
        "repetition",
        "resources",
        "separators",
        "subcomponent",
        "text",
        "unmapped",
        "zone",
    )

    def __init__(self, message: Message, pack: CompiledPack, context: FeedContext) -> None:
        self.message = message
        self.separators = separators = message.separators
        self.codec = message.codec
        self.component, self.subcomponent = separators.component, separators.subcomponent
        self.repetition, self.escape = separators.repetition, separators.escape
        self.padding = separators.component * _PADDING
        self.names = pack.names
        self.zone = zone_of(message.text("MSH-7.1")) or pack.zone or context.zone
        self.labels: MessageLabels = labels_of(message)
        # Most messages hold nothing that has to be decoded: then a part is what it says, and nobody has to look again.
        self.text: Callable[[str], str] = str if _is_plain(message) else self._decoded
        """Decode a part that has no parts of its own; "" for two quotes and for blanks."""
        self.open: dict[str, Resource] = {}
        self.resources: list[Resource] = []
        self.fields: list[str] = []
        self.number = 0
        self.unmapped: set[tuple[int, int]] = set()
        self.deletions: list[tuple[str, str, Resource]] = []
        self._context = context
        self._pending: list[tuple[dict[str, str], str]] = []
        self._positions: dict[str, int] = {}
        self._times: dict[str, str | None] = {}
        self._dropped: set[str] = set()
        self._linked: set[str] = set()
        self._has_blanks = False
        self._late: list[tuple[Resource, tuple[tuple[str, Make], ...]]] = []
        self.lines: list[tuple[Resource, Resource, list[str]]] = []
        self._openings: tuple[Opening, ...] = ()
        self._parties: dict[tuple[str, str], dict[str, str]] = {}
        facility = message.text("MSH-4")
        self.prefix = context.sender.value if context.sender else facility

    def _decoded(self, raw: str) -> str:
        if self.escape and self.escape in raw:
            return unescape(raw, self.separators, self.codec)
        return "" if raw == NULL_TEXT or raw.isspace() else raw

    def components(self, raw: str) -> list[str]:
        """Split one repetition; at least fourteen components, undecoded."""
        return (raw + self.padding).split(self.component)

    def subcomponents(self, raw: str) -> list[str]:
        """Split and decode one component; at least five subcomponents."""
        mark = self.subcomponent
        if not mark or mark not in raw:
            return [self.text(raw), "", "", "", ""]
        parts = raw.split(mark)
        return [self.text(part) if part else "" for part in parts] + [""] * (5 - len(parts))

    def segment(self) -> Segment:
        """Return the segment that is being read."""
        return Segment(self.fields, self.separators, self.codec)

    def time(self, raw: str) -> str | None:
        """Return a DTM as FHIR dateTime, with the zone of the message or of the sender where it states none."""
        sent = raw.partition(self.component)[0]
        if sent not in self._times:
            self._times[sent] = self._time(sent)
        return self._times[sent]

    def _time(self, sent: str) -> str | None:
        zone = self.zone
        if zone and zone[0] not in "+-":
            zone = _offset(sent, zone)
        return fhir_date_time(sent, zone)

    def keep(self, field_number: int) -> None:
        """Remember that a field of this segment holds a code which no table knows."""
        self.unmapped.add((self.number, field_number))

    def reference(self, name: str) -> dict[str, str]:
        """Return a Reference to an open resource; one that opens later is filled in at the end."""
        found = self.open.get(name)
        if found is not None and "id" in found:
            if not found["id"]:
                self._identify(name, found)
            reference = reference_to(found)
            self._linked.add(reference["reference"])
            return reference
        if any(opening.name == name for opening in self._openings):
            self._has_blanks = True
            return {}
        blank = {"reference": ""}
        self._pending.append((blank, name))
        return blank

    def id_of(self, *parts: str) -> str:
        """Derive a stable id under this sender."""
        return stable_id(self._context.key, "hl7v2", self.prefix, *parts)

    def party(
        self, kind: str, raw: str, read: Callable[[str, "Reading"], tuple[str, Resource] | None]
    ) -> dict[str, str] | None:
        """Return a Reference to the resource of a person, place or organization, made once for a message.

        `read` gives its business key and its elements.
        """
        known = self._parties.get((kind, raw))
        if known is None:
            made = read(raw, self)
            if made is None:
                return None
            key, resource = made
            identity = self.id_of(kind, key)
            known = self._parties[kind, raw] = {"reference": f"{kind}/{identity}"}
            if known["reference"] not in self._positions:
                self._positions[known["reference"]] = len(self.resources)
                self.resources.append({"resourceType": kind, "id": identity, **resource})
        return dict(known)

    def read(self, node: Node) -> None:
        """Read the segment in `fields` as this node says."""
        openings, opened = node.openings, self.open
        self._openings = openings
        for name in node.closes:
            opened.pop(name, None)
        waiting = len(self._pending)
        for opening in openings:
            # The id is derived once somebody refers to it, or when it turns out that there is something to keep.
            opened[opening.name] = {"resourceType": opening.resource_type, "id": ""} if opening.resource_type else {}
        fields = self.fields
        count = len(fields)
        for number, fill in node.fills:
            if number < count and fields[number]:
                fill(fields[number], self)
        if openings:
            self._close(node)
        if len(self._pending) > waiting:
            # What this segment itself has opened by now is meant, not what a later one will open by the same name.
            self._pending[waiting:] = [one for one in self._pending[waiting:] if not self._resolve(*one)]

    def _resolve(self, blank: dict[str, str], name: str) -> bool:
        found = self.open.get(name)
        if found is None or not found.get("id"):
            return False
        blank.update(reference_to(found))
        return True

    def _close(self, node: Node) -> None:
        """Keep what was filled, with its constants; what lacks something it cannot do without stays in the message."""
        openings = node.openings
        for opening in sorted(openings, key=_joins) if len(openings) > 1 else openings:
            resource = self.open[opening.name]
            if len(resource) == (2 if opening.resource_type else 0):
                if not (opening.joins and any(one.name in self.open for one in openings if one is not opening)):
                    self._drop(opening)
            elif not opening.needs <= resource.keys() | opening.given:
                self._lack(node, opening)
        for opening in openings:
            found = self.open.get(opening.name)
            if found is not None:
                self._keep(node, opening, found)

    def _keep(self, node: Node, opening: Opening, found: Resource) -> None:
        if opening.resource_type and not found["id"]:
            found["id"] = self._identity(opening)
        for element, make in opening.constants:
            if element not in found and (value := make(self)) not in _BLANKS:
                found[element] = value
        if not opening.needs <= found.keys():
            self._lack(node, opening)
            return
        if opening.late:
            self._late.append((found, opening.late))
        if opening.inside is not None:
            self._put_inside(opening.inside, found)
        else:
            self._add(opening.name, found)
        if opening.via is not None:
            self._link(opening.via, found, None)
        for way, beside in opening.also:
            self._link(way, found, beside)

    def _lack(self, node: Node, opening: Opening) -> None:
        """Give up what lacks an element that it cannot do without; its fields stay with the message."""
        self._drop(opening)
        start = f"{opening.name}."
        self.unmapped.update((self.number, row.field) for row in node.rows if row.target.startswith(start))

    def _drop(self, opening: Opening) -> None:
        dropped = self.open.pop(opening.name)
        if opening.resource_type and dropped["id"]:
            self._dropped.add(f"{opening.resource_type}/{dropped['id']}")

    def _put_inside(self, inside: tuple[str, str, bool], part: Resource) -> None:
        owner, element, is_list = inside
        holder = self.open.get(owner)
        if holder is None:
            self.keep(0)
        elif is_list:
            items = holder.setdefault(element, [])
            if part not in items:
                items.append(part)
        else:
            holder.setdefault(element, part)

    def _link(self, way: Way, resource: Resource, beside: Make | None) -> None:
        owner, steps = way
        holder = self.open.get(owner)
        if holder is None:
            return
        for element, is_list in steps[:-1]:
            if is_list:
                holder.setdefault(element, []).append(beside(self) if beside else {})
                holder = holder[element][-1]
            else:
                holder = holder.setdefault(element, {})
        element, is_list = steps[-1]
        if is_list:
            references = holder.setdefault(element, [])
            if reference_to(resource) not in references:
                references.append(reference_to(resource))
        else:
            holder.setdefault(element, reference_to(resource))

    def _add(self, name: str, resource: Resource) -> None:
        """Take in a resource; the same business key twice is one resource, the later segment the better informed."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        position = self._positions.setdefault(reference, len(self.resources))
        if position == len(self.resources):
            self.resources.append(resource)
        else:
            known = self.resources[position]
            resource.update({element: value for element, value in known.items() if element not in resource})
            self.resources[position] = self.open[name] = resource

    def _identify(self, name: str, resource: Resource) -> None:
        for opening in self._openings:
            if opening.name == name:
                resource["id"] = self._identity(opening)

    def _identity(self, opening: Opening) -> str:
        for alternative in opening.keys:
            parts = [self._key_part(*one) for one in alternative]
            if all(parts):
                return self.id_of(opening.resource_type, alternative[0][0], *parts)
        # Without a business key it is this segment of this message, whatever else it may be.
        return self.id_of(opening.resource_type, self.message.text("MSH-10"), opening.name, str(self.number))

    def _key_part(self, path: str, field: int, component: int) -> str:
        """Return what a part of a business key says: a field as it was sent, or the id of an open resource."""
        if not field:
            return str(self.open.get(path, {}).get("id", ""))
        sent = self.fields[field] if field < len(self.fields) else ""
        if component and sent:
            parts = (sent.partition(self.repetition)[0] if self.repetition else sent).split(self.component, component)
            sent = parts[component - 1] if component <= len(parts) else ""
        return "" if sent == NULL_TEXT else sent

    def finish(self) -> None:
        """Fill in references to what opened later, add the labels and take out what leads nowhere."""
        for resource, constants in self._late:
            for element, make in constants:
                if element not in resource:
                    resource[element] = make(self)
        for _, attachment, lines in self.lines:
            attachment["data"] = base64.b64encode("\n".join(lines).encode()).decode("ascii")
        for resource in self.resources:
            if resource["resourceType"] == "Appointment":
                complete_times(resource)
        dangling = [name for blank, name in self._pending if not self._resolve(blank, name)]
        lost = frozenset((self._dropped & self._linked) - self._positions.keys()) | {""}
        if dangling or len(lost) > 1 or self._has_blanks:
            self.resources = [_pruned(resource, lost) for resource in self.resources]
        labels = self.labels
        by_type: dict[str, Any] = {}
        for position, resource in enumerate(self.resources):
            kind = resource["resourceType"]
            wanted = by_type.get(kind)
            if wanted is None:
                wanted = by_type[kind] = labels.of(kind)
            if wanted:
                self.resources[position] = labeled(resource, wanted)


def read_feed(message: Message, pack: CompiledPack, context: FeedContext) -> FeedResult:
    """Read a message of any event that the pack takes.

    Segments are taken where they stand: one that the pack's structure has no place for is passed over and reported, it
    never stops the rest. Ids depend on the sender and the business keys of the message alone, so the same visit in ten
    messages is one Encounter.
    """
    reading = Reading(message, pack, context)
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
        frozenset(reading.unmapped),
        message,
        pack,
    )


def complete_times(appointment: Resource) -> None:
    """Give an Appointment both its times or none (FHIR R4 app-2): the end by its length, else the start once more."""
    start = appointment.get("start")
    if start is None:
        appointment.pop("end", None)
    elif "end" not in appointment:
        minutes = appointment.get("minutesDuration", 0)
        ends = datetime.fromisoformat(start) + timedelta(minutes=minutes)
        appointment["end"] = ends.isoformat(timespec="seconds")


def _is_plain(message: Message) -> bool:
    """Tell whether nothing in a message is escaped, asks for deletion or is blank."""
    text = message.decoded_text
    separators = message.separators
    if (separators.escape and text.count(separators.escape) > 1) or NULL_TEXT in text:
        return False
    marks = (separators.field, separators.component, separators.repetition, separators.subcomponent)
    return not any(mark and f"{mark} " in text for mark in marks)


def _joins(opening: Opening) -> bool:
    return opening.joins


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


def _pruned(value: Any, lost: frozenset[str]) -> Any:
    """Return a value without references that lead nowhere, and without what is empty then."""
    if isinstance(value, dict):
        if value.get("reference") in lost:
            return None
        members = {name: _pruned(one, lost) for name, one in value.items()}
        return {name: one for name, one in members.items() if one not in ({}, [], None)}
    if isinstance(value, list):
        return [one for one in (_pruned(each, lost) for each in value) if one not in ({}, [], None)]
    return value


def _offset(dtm: str, zone: str) -> str:
    """Return the offset of a zone's clocks at a local time such as 20261102101500; "" where there is none."""
    digits = dtm[:14].ljust(14, "0")
    if len(dtm) < 12 or not digits.isdigit():
        return ""
    try:
        local = datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}").replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError):
        return ""
    return local.strftime("%z")
