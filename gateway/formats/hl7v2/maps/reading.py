"""One message while it is read: what is open, what was made of it so far, and what the data types look up.

A resource is kept when its segment ends; references to what opens later are filled in at the end of the message.
"""

import base64
from collections.abc import Callable
from typing import Any, Literal

from gateway.formats.hl7v2.delimiters import NULL_TEXT, unescape
from gateway.formats.hl7v2.labels import MessageLabels, labeled, labels_of
from gateway.formats.hl7v2.maps.pack import CompiledPack, Make, Node, Opening, Way, reference_to
from gateway.formats.hl7v2.maps.settling import settle
from gateway.formats.hl7v2.message import Message, Segment
from gateway.formats.hl7v2.times import fhir_date_time, zone_of
from gateway.model.handoff import Resource
from gateway.model.ids import ids_that_begin

_BLANKS: tuple[Any, ...] = ({}, [{}])
"""Constants that refer to what the segment did not hold."""

Fate = Literal["no place", "no value", "protected"]
"""Why nothing came of a field: no table has its code, or what it is about is missing; it is not of its type; or it is a
number that is never taken."""

_PADDING = 14
"""Components that every composite has at least once it is split; more are never read."""


class Reading:
    """One message while it is read; the data types look here for separators, names and the segment's other fields."""

    __slots__ = (
        "_counted",
        "_dropped",
        "_has_blanks",
        "_late",
        "_linked",
        "_listed",
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
        "has_gathered",
        "id_of",
        "labels",
        "lines",
        "message",
        "names",
        "nth",
        "number",
        "open",
        "padding",
        "repetition",
        "resources",
        "separators",
        "subcomponent",
        "taken",
        "text",
        "unmapped",
        "zone",
    )

    def __init__(self, message: Message, pack: CompiledPack, key: bytes, sender: str, zone: str) -> None:
        """Begin before the first segment; ids hang on `key` and `sender`, `zone` is that of times that state none."""
        self.message = message
        self.separators = separators = message.separators
        self.codec = message.codec
        self.component, self.subcomponent = separators.component, separators.subcomponent
        self.repetition, self.escape = separators.repetition, separators.escape
        self.padding = separators.component * _PADDING
        self.names = pack.names
        self.zone = zone_of(message.text("MSH-7.1")) or pack.zone or zone
        self.labels: MessageLabels = labels_of(message)
        # Most messages hold nothing that has to be decoded: then a part is what it says, and nobody has to look again.
        self.text: Callable[[str], str] = str.strip if _is_plain(message) else self._decoded
        """Decode a part that has no parts of its own, blanks around it left out; "" for two quotes."""
        self.open: dict[str, Resource] = {}
        self.resources: list[Resource] = []
        self.fields: list[str] = []
        self.number = 0
        self.nth = 0
        """The repetition that is read, where a field has several; 0 for a field that is read whole."""
        self.has_gathered = False
        """What was read just now went to something that an earlier segment began."""
        self.taken = 0
        """How often a field filled something so far."""
        self.unmapped: dict[tuple[int, int, int], Fate] = {}
        self.deletions: list[tuple[str, str, Resource]] = []
        self.id_of: Callable[..., str] = ids_that_begin(key, "hl7v2", sender)
        """Derive a stable id under this sender from the parts of a name."""
        self._pending: list[tuple[dict[str, str], str]] = []
        self._positions: dict[str, int] = {}
        self._listed: dict[int, tuple[list[Resource], set[str | None]]] = {}
        self._times: dict[str, str | None] = {}
        self._counted: dict[tuple[str, ...], int] = {}
        self._dropped: set[str] = set()
        self._linked: set[str] = set()
        self._has_blanks = False
        self._late: list[tuple[Resource, tuple[tuple[str, Make], ...]]] = []
        self.lines: list[tuple[Resource, Resource, list[str]]] = []
        self._openings: tuple[Opening, ...] = ()
        self._parties: dict[tuple[str, str], dict[str, str]] = {}

    def _decoded(self, raw: str) -> str:
        if self.escape and self.escape in raw:
            return unescape(raw, self.separators, self.codec).strip()
        return "" if raw == NULL_TEXT else raw.strip()

    def components(self, raw: str) -> list[str]:
        """Split one repetition; at least fourteen components, undecoded."""
        return (raw + self.padding).split(self.component)

    def first_subcomponent(self, raw: str) -> str:
        """Return the first subcomponent of one component, decoded."""
        mark = self.subcomponent
        return self.text(raw.partition(mark)[0] if mark and mark in raw else raw)

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
        sent = raw.partition(self.component)[0] if self.component in raw else raw
        if sent not in self._times:
            self._times[sent] = fhir_date_time(sent, self.zone)
        return self._times[sent]

    def keep(self, field_number: int, fate: Fate = "no place") -> None:
        """Remember that nothing came of a field, or of the repetition of it that is read; the first reason counts."""
        self.unmapped.setdefault((self.number, field_number, self.nth), fate)

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
        for opening in node.closing:
            resource = self.open[opening.name]
            if len(resource) == (2 if opening.resource_type else 0):
                if not (opening.joins and any(one.name in self.open for one in openings if one is not opening)):
                    self._drop(opening)
            elif opening.unfilled and not opening.unfilled <= resource.keys():
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
        for choice, other in opening.shares:
            self._share(choice, self.open.get(other, {}), found)
        if opening.needs and not opening.needs <= found.keys():
            self._lack(node, opening)
            return
        if opening.inside is not None and opening.inside[0] not in self.open:
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

    @staticmethod
    def _share(choice: str, other: Resource, found: Resource) -> None:
        """Give a resource the element of several types (FHIR R4 value[x]) of another, where it has none itself."""
        if not any(element.startswith(choice) for element in found):
            found.update({element: value for element, value in other.items() if element.startswith(choice)})

    def _lack(self, node: Node, opening: Opening) -> None:
        """Give up what lacks an element that it cannot do without; its fields stay with the message."""
        self._drop(opening)
        start = f"{opening.name}."
        lost = [row.field for row in node.rows if row.target.startswith(start)]
        self.unmapped.update({(self.number, field, 0): "no place" for field in lost})

    def _drop(self, opening: Opening) -> None:
        dropped = self.open.pop(opening.name)
        if opening.resource_type and dropped["id"]:
            self._dropped.add(f"{opening.resource_type}/{dropped['id']}")

    def _put_inside(self, inside: tuple[str, str, bool], part: Resource) -> None:
        owner, element, is_list = inside
        holder = self.open[owner]
        if is_list:
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
            self._link_once(holder.setdefault(element, []), reference_to(resource))
        else:
            holder.setdefault(element, reference_to(resource))

    def _link_once(self, references: list[Resource], reference: Resource) -> None:
        """Add a reference to a list that does not have it; a thousand results of a report take no longer each."""
        kept = self._listed.get(id(references))
        if kept is None:
            # The list itself is kept too: without it another could get its id.
            kept = self._listed[id(references)] = (references, {one.get("reference") for one in references})
        if reference["reference"] not in kept[1]:
            kept[1].add(reference["reference"])
            references.append(reference)

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
            parts: list[str] = []
            for path, field, component in alternative:
                part = self._key_part(path, field, component)
                if not part:
                    break
                parts.append(part)
            else:
                named = (opening.resource_type, alternative[0][0], *parts)
                return self.id_of(*named, *self._which(named)) if opening.each else self.id_of(*named)
        # Without a business key it is this segment of this message, whatever else it may be.
        return self.id_of(opening.resource_type, self.message.text("MSH-10"), opening.name, str(self.number))

    def _which(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Tell the second of a business key in this message, the third and so on; nothing for the first."""
        count = self._counted[named] = self._counted.get(named, 0) + 1
        return (str(count),) if count > 1 else ()

    def _key_part(self, path: str, field: int, component: int) -> str:
        """Return what a part of a business key says: a field as it was sent, or the id of an open resource."""
        if not field:
            found = self.open.get(path)
            return str(found.get("id", "")) if found is not None else ""
        sent = self.fields[field] if field < len(self.fields) else ""
        if component and sent:
            if self.repetition and self.repetition in sent:
                sent = sent.partition(self.repetition)[0]
            parts = sent.split(self.component, component)
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
            settle(resource)
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


def _is_plain(message: Message) -> bool:
    """Tell whether nothing in a message is escaped or asks for deletion."""
    text, escape = message.decoded_text, message.separators.escape
    return NULL_TEXT not in text and (not escape or text.find(escape, text.find(escape) + 1) < 0)


def _pruned(value: Any, lost: frozenset[str]) -> Any:
    """Return a value without references that lead nowhere, and without what is empty then."""
    if isinstance(value, dict):
        reference = value.get("reference")  # of CarePlan.activity it is a Reference itself
        if isinstance(reference, str) and reference in lost:
            return None
        members = {name: _pruned(one, lost) for name, one in value.items()}
        return {name: one for name, one in members.items() if one not in ({}, [], None)}
    if isinstance(value, list):
        return [one for one in (_pruned(each, lost) for each in value) if one not in ({}, [], None)]
    return value
