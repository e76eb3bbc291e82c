"""Write a message by a pack: the same rows as for reading, walked in the order of the structure.

A segment is written for each resource that looks like one reading would have made of it: its type, its constants, its
references to what is open. Text can never become structure (`MessageWriter`), and the notice comes from the caller.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.formats.hl7v2.build import NULL, Component, Field, Formatted, MessageWriter, Repetition
from gateway.formats.hl7v2.charsets import CODECS
from gateway.formats.hl7v2.maps.pack import CompiledPack, Names, Node, Opening, Row, emptied_by
from gateway.formats.hl7v2.maps.places import compile_take, matches
from gateway.formats.hl7v2.standard import fields_of
from gateway.formats.hl7v2.times import dtm
from gateway.model.errors import WillNeverWork
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header
from gateway.model.provenance import is_hop

_OF_ANY_TYPE = frozenset({"varies", "", "CM"})
_ORIGINAL_TEXT = 9
"""The component of CWE that holds the words themselves."""


@dataclass(frozen=True, slots=True)
class OutgoingContext:
    """What a message says beside its content."""

    header: Hl7Header
    """Who speaks to whom, and when; its message code and event are those of the kind that is written."""
    notice: str = ""
    """The notice of 42 CFR 2.32 that goes with the content; the pack's structure says where it stands."""
    scope: str = ""
    """What the person agreed to, in plain words (42 CFR 2.32(b))."""
    labels: str = ""
    """The labels of the content as text (`labels_text`)."""
    in_reply_to: str = ""
    """MSH-10 of the message that an answer is about; "" for none."""
    deletions: frozenset[tuple[str, str]] = frozenset()
    """(reference, element), such as ("Patient/abc", "Patient.telecom[]"): what is written as two quotes."""


class Writing:
    """One message while it is written."""

    __slots__ = ("_by_type", "_context", "_index", "counts", "fields", "names", "number", "open", "written")

    def __init__(self, resources: Iterable[Resource], pack: CompiledPack, context: OutgoingContext) -> None:
        self.names: Names = pack.names
        self.open: dict[str, Resource] = {}
        self.fields: dict[int, Field] = {}
        self.number = 0
        self.written: set[str] = set()
        self._context = context
        self._index: dict[str, Resource] = {}
        self._by_type: dict[str, list[Resource]] = {}
        for resource in resources:
            self._index[f"{resource['resourceType']}/{resource.get('id', '')}"] = resource
            self._by_type.setdefault(resource["resourceType"], []).append(resource)
        events = [one for one in self._by_type.get("Provenance", []) if not is_hop(one)]
        if len(events) == 1:
            self.open["Provenance"] = events[0]

    def dtm(self, value: Any) -> str:
        """Write a FHIR date, dateTime or instant as DTM; "" for none."""
        return dtm(str(value)) if value else ""

    def resolve(self, value: Mapping[str, Any]) -> Resource | None:
        """Return the resource a Reference leads to, if it is among those that are written."""
        return self._index.get(str(value.get("reference", "")))

    def of_type(self, resource_type: str) -> list[Resource]:
        """Return the resources of a type in order."""
        return self._by_type.get(resource_type, [])

    def variable(self, name: str) -> Field:
        """Return what a row means by `$name`."""
        if name == "number":
            return str(self.number)
        if name in ("notice", "scope", "labels"):
            return Formatted(getattr(self._context, name)) if getattr(self._context, name) else ""
        header = self._context.header
        if name == "in_reply_to":
            return self._context.in_reply_to
        return {"event": header.trigger_event, "time": header.time, "control_id": header.control_id}[name]

    def typed(self, segment_id: str, field: int, value: Field) -> Field:
        """Return a value with no more components than its field has in the version that is written; "" for none.

        What is one type for us was a smaller one before: a code with its text (CWE) was the bare code (IS, ID) in some
        fields up to 2.6, and had six components (CE) in others; a strict receiver refuses what it does not have.
        """
        rules = fields_of(segment_id, self._context.header.version)
        rule = rules.get(field)
        if rule is None:
            # Withdrawn, where others follow. What stands behind the last field, receivers pass over.
            return "" if field < max(rules, default=0) else value
        if rule.data_type in _OF_ANY_TYPE:
            return value
        if isinstance(value, list):
            return [_fitted(one, len(rule.parts)) for one in value]
        return _fitted(value, len(rule.parts))

    def deletes(self, row: Row) -> bool:
        """Tell whether a row's element is to be deleted at the receiver."""
        if not self._context.deletions:
            return False
        resource = self.open.get(row.target.partition(".")[0])
        reference = f"{resource['resourceType']}/{resource.get('id')}" if resource and "id" in resource else ""
        return (reference, emptied_by(row.target)) in self._context.deletions


def _fitted(value: Repetition, size: int) -> Repetition:
    """Cut a value to so many components; a bare one is the code, or the text where there is no code."""
    if not isinstance(value, tuple) or len(value) <= max(size, 1):
        return value
    if size > _ORIGINAL_TEXT - 1 or not size:
        return value[:size] if size else _bare(value)
    text = value[_ORIGINAL_TEXT - 1] if len(value) >= _ORIGINAL_TEXT else ""
    return (value[0], value[1] or text, *value[2:size])


def _bare(value: tuple[Component, ...]) -> Repetition:
    first = next((one for one in value if one), "")
    return first[0] if isinstance(first, tuple) else first


def write_message(kind: str, resources: Sequence[Resource], pack: CompiledPack, context: OutgoingContext) -> bytes:
    """Write a message of `kind` (ADT^A01) from these resources; entered in error, nothing of them is left out.

    Raises ValueError for a kind the pack does not write, WillNeverWork where nobody is in it whom it is about or the
    partner's character set cannot hold its text.
    """
    structure = pack.writes.get(kind)
    if structure is None:
        raise ValueError(f"expected one of {', '.join(pack.writes)}, found {kind[:20]!r}")
    writing = Writing(resources, pack, context)
    body = MessageWriter()
    _write_nodes(pack.root.children, writing, body)
    if not writing.written:
        raise WillNeverWork(f"a message {kind} must hold what it is about")
    return _with_header(body, (*kind.split("^"), structure), pack, context.header)


def collected(write: Callable[[Any, Writing], Field], values: list[Any], w: Writing, *, single: bool) -> Field:
    """Write the values of a field as its repetitions."""
    written: list[Repetition] = []
    for value in values[:1] if single else values:
        one = write(value, w)
        written += [part for part in (one if isinstance(one, list) else [one]) if part != ""]
    if len(written) > 1:
        return written
    return written[0] if written else ""


def _write_nodes(nodes: Sequence[Node], w: Writing, body: MessageWriter) -> bool:
    """Write these nodes and all below; tell whether anything was written."""
    counts: dict[str, int] = {}
    before = len(body)
    for node in nodes:
        for bound in _bindings(node, w):
            w.open.update(bound)
            for name in node.closes:
                w.open.pop(name, None)
            counts[node.segment] = counts.get(node.segment, 0) + 1
            w.number = counts[node.segment]
            fields, filled = _fields(node, w)
            fields = {number: w.typed(node.segment, number, value) for number, value in fields.items()}
            below = MessageWriter()
            has_below = _write_nodes(node.children, w, below)
            if filled or node.once == "always" or (node.once == "group" and has_below):
                body.add(node.segment, fields)
                body.extend(below)
            else:
                counts[node.segment] -= 1
                body.extend(below)
    return len(body) > before


def _fields(node: Node, w: Writing) -> tuple[dict[int, Field], bool]:
    """Return the fields of a segment, and whether any of them holds content rather than a constant."""
    fields: dict[int, Field] = {}
    w.fields = fields
    parts: dict[int, dict[int, Component]] = {}
    filled: set[str] = set()
    for row in node.rows:
        if row.take is None:
            continue
        value: Field = row.take(w)
        if value == "" and w.deletes(row):
            value = NULL
        if value == "":
            continue
        if row.target:
            filled.add(row.target)
        if not row.component:
            fields.setdefault(row.field, value)
        else:
            part = value[0] if isinstance(value, list) else value
            inner: Component = tuple(_flat(one) for one in part) if isinstance(part, tuple) else part
            parts.setdefault(row.field, {}).setdefault(row.component, inner)
    for number, cells in parts.items():
        fields.setdefault(number, tuple(cells.get(n, "") for n in range(1, max(cells) + 1)))
    parts_of = [opening for opening in node.openings[:1] if opening.inside is not None]
    whole = all(_holds(opening, filled) for opening in parts_of) and not node.only_with.isdisjoint(fields.keys())
    return fields, bool(filled) and whole


def _holds(part: Opening, filled: set[str]) -> bool:
    """Tell whether a part of a resource says what it cannot do without, where it says anything."""
    own = {target for target in filled if target.startswith(f"{part.name}.")}
    return not own or all(any(target.startswith(f"{part.name}.{need}") for target in own) for need in part.needs)


def _flat(component: Component) -> str:
    """Return a component as the subcomponent it becomes; what has parts below keeps the first."""
    if isinstance(component, tuple):
        component = component[0] if component else ""
    if isinstance(component, Formatted):
        return component.text
    return component if isinstance(component, str) else ""


def _bindings(node: Node, w: Writing) -> list[dict[str, Resource]]:
    """Return, for each segment to write, the resources and parts that its rows are about."""
    if not node.openings:
        return [{}]
    driving, *others = node.openings
    found: list[dict[str, Resource]] = []
    for candidate in _find(driving, w, driving=True):
        bound = {_name_for(node, driving, candidate): candidate}
        w.open.update(bound)
        _remember(driving, candidate, w)
        for opening in others:
            w.open.pop(opening.name, None)
        for opening in others:
            first = None if opening.name in bound else next(iter(_find(opening, w, driving=False)), None)
            if first is not None:
                bound[opening.name] = w.open[opening.name] = first
        found.append(bound)
    if not found:
        for opening in node.openings:
            w.open.pop(opening.name, None)
    return found or ([{}] if node.once else [])


def _remember(driving: Opening, candidate: Resource, w: Writing) -> None:
    if driving.inside is None and "id" in candidate:
        w.written.add(f"{candidate['resourceType']}/{candidate['id']}")


def _name_for(node: Node, driving: Opening, candidate: Resource) -> str:
    """A reference may lead to another type than the first: an Organization where a role might stand."""
    kind = candidate.get("resourceType", "")
    if driving.resource_type and kind != driving.resource_type:
        return next((one.name for one in node.openings if one.resource_type == kind), driving.name)
    return driving.name


def _find(opening: Opening, w: Writing, *, driving: bool) -> list[Resource]:
    if opening.inside is not None:
        owner, element, is_list = opening.inside
        value = w.open.get(owner, {}).get(element)
        parts = value if is_list else [value]
        whole = [part for part in parts or () if isinstance(part, dict) and opening.needs <= part.keys()]
        meant = [part for part in whole if matches(part, opening.pattern, w.open)]
        return [part for part in meant if not any(matches(part, other, w.open) for other in opening.others)]
    way = opening.via or opening.implied
    if way is not None:
        holder = w.open.get(way[0])
        references = compile_take(way[1])(holder, w.open) if holder else []
        return [found for one in references if (found := w.resolve(one)) is not None]
    return [
        resource
        for resource in w.of_type(opening.resource_type)
        if matches(resource, opening.pattern, w.open)
        and not (driving and f"{resource['resourceType']}/{resource.get('id')}" in w.written)
    ]


def _with_header(body: MessageWriter, kind: tuple[str, ...], pack: CompiledPack, header: Hl7Header) -> bytes:
    charset = header.charset or pack.charset or ("" if body.is_ascii else "UNICODE UTF-8")
    message = MessageWriter()
    message.add(
        "MSH",
        {
            3: header.sending_application,
            4: header.sending_facility,
            5: header.receiving_application,
            6: header.receiving_facility,
            7: header.time,
            8: header.security,
            9: kind,
            10: header.control_id,
            11: header.processing_id,
            12: header.version,
            15: header.accept_acknowledgment,
            16: header.application_acknowledgment,
            18: charset,
            21: header.profile,
        },
    )
    message.extend(body)
    try:
        return message.to_bytes(CODECS.get(charset.upper(), "ascii") if charset else "ascii")
    except UnicodeEncodeError as error:
        raise WillNeverWork(f"the text does not fit the partner's character set {charset or 'ASCII'}") from error
