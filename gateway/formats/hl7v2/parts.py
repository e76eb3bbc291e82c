"""Take a message apart for passing it on: which segments belong together, and what each group says, decoded.

By the order of segments, not by a grammar: messages break theirs, and a broken one must not lose the tie between a
result and its note (HL7 v2.5.1 ch. 3, 4, 7, 11). What is not known here is opaque.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.formats.hl7v2.delimiters import NULL_TEXT, unescape
from gateway.formats.hl7v2.labels import labeled, labels_of, own_labels
from gateway.formats.hl7v2.message import HEADER_SEGMENTS, Message, Segment, Unreadable
from gateway.formats.hl7v2.part_codes import codings_in, codings_of
from gateway.model.handoff import Resource
from gateway.model.hl7_parts import MessagePart, PartKind

_ENVELOPE = frozenset({"MSH", "SFT", "UAC", "EVN", "MSA", "ERR", "DSC"})

_TYPES: dict[str, str] = {
    "PID": "Patient", "NK1": "RelatedPerson", "GT1": "RelatedPerson", "PV1": "Encounter", "DG1": "Condition",
    "DRG": "Condition", "AL1": "AllergyIntolerance", "IAM": "AllergyIntolerance", "PR1": "Procedure",
    "IN1": "Coverage", "ACC": "Basic", "UB1": "Basic", "UB2": "Basic", "PDA": "Basic", "DB1": "Basic",
    "OBX": "Observation", "NTE": "Communication", "FT1": "ChargeItem", "SPM": "Specimen", "PRB": "Condition",
    "GOL": "Goal", "PTH": "CarePlan", "VAR": "Basic", "ROL": "Basic", "PRT": "Basic", "SCH": "Appointment",
    "RGS": "Basic", "AIS": "Basic", "AIG": "Basic", "AIL": "Basic", "AIP": "Basic", "TXA": "DocumentReference",
    "RF1": "ServiceRequest", "AUT": "Basic", "PRD": "Basic", "ORC": "ServiceRequest", "OBR": "ServiceRequest",
    "RXO": "MedicationRequest", "RXE": "MedicationRequest", "RXD": "MedicationDispense", "RXA": "Immunization",
    "RXG": "MedicationAdministration", "ODS": "NutritionOrder", "RQD": "SupplyRequest", "CTI": "Basic", "BLG": "Basic",
}  # fmt: skip
"""Segments that open a part, and what kind of thing they are."""

_JOINS: dict[str, frozenset[str]] = {
    "PD1": frozenset({"PID"}),
    "MRG": frozenset({"PID"}),
    "PV2": frozenset({"PV1"}),
    "IN2": frozenset({"IN1"}),
    "IN3": frozenset({"IN1"}),
    "CTD": frozenset({"PRD", "ORC", "OBR", "AUT"}),
    "TQ1": frozenset({"ORC", "OBR", "SCH"}),
    "TQ2": frozenset({"ORC", "OBR"}),
    "RXR": frozenset({"RXO", "RXE", "RXD", "RXA", "RXG", "ORC"}),
    "RXC": frozenset({"RXO", "RXE", "RXD", "RXG", "ORC"}),
}
"""Segments that go on with the part before: which segments may have opened it."""

_ORDERS = frozenset({"OBR", "RXO", "RXE", "RXD", "RXA", "RXG", "ODS", "RQD"})
_OF_AN_ORDER = frozenset({"OBX", "DG1", "FT1", "SPM", "CTI", "BLG", "ROL", "PRT", "VAR"})
_CLOSES = frozenset({"PID", "PV1", "RF1", "SCH"})
_CORE = frozenset({"PV1", "SCH", "TXA", "RF1", "ORC", *_ORDERS, "PRB", "GOL"})
_SEGMENT_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_BINARY_TYPES = frozenset({"ED", "RP"})
_TEXT_TYPES = frozenset({"TX", "FT", "ST"})
_ENCODINGS = frozenset({"BASE64", "A", "HEX", ""})


@dataclass
class _Open:
    """What is open while a message is walked through."""

    opener: str = ""
    part: "_Draft | None" = None
    order: "_Draft | None" = None
    problem: "_Draft | None" = None
    document: "_Draft | None" = None
    resources: "_Draft | None" = None


@dataclass
class _Draft:
    reference: str
    kind: PartKind
    opener: str
    parent: "_Draft | None"
    lines: list[int] = field(default_factory=list)

    @property
    def type(self) -> str:
        return self.reference.partition("/")[0]


Said = tuple[int, int, int, str]
"""Line, field, repetition, and what stands there."""


def parts_of(message: Message, subject: Resource) -> tuple[MessagePart, ...] | Unreadable:
    """Take a message apart; `subject` is the FHIR Reference (`Patient/id`) by which its one person is decided on.

    Unreadable: it is about several persons or none, or holds something that has no form: it cannot be passed on.
    """
    segments = message.segments
    wrong = next((each.id for each in segments if not _SEGMENT_NAME.fullmatch(each.id)), None)
    if wrong is not None:
        return Unreadable("207", "", "expected segments with a name of three capitals or digits")
    if len(message.named("PID")) != 1:
        return Unreadable("207", "PID", "expected a message about one person")
    if any(not _has_form(each) for each in message.named("OBX")):
        return Unreadable("207", "OBX", "expected OBX with a code, and with a type where it has a value")
    texts = [tuple(_texts(message, number, segment)) for number, segment in enumerate(segments)]
    drafts = _drafts(segments, str(subject["reference"]))
    resources = _resources(message, drafts, texts, subject)
    return tuple(
        MessagePart(
            reference=draft.reference,
            kind=draft.kind,
            lines=tuple(draft.lines),
            parent=draft.parent.reference if draft.parent else None,
            is_core=draft.opener in _CORE,
            needs_child=draft.opener in _ORDERS | {"ORC", "RGS"},
            resource=resources.get(draft.reference),
            fields=tuple(one for n in draft.lines for one in texts[n]),
        )
        for draft in drafts
    )


def _resources(
    message: Message, drafts: list[_Draft], texts: list[tuple[Said, ...]], subject: Resource
) -> dict[str, Resource]:
    """Return the resource of each item, labeled: a result has the labels of its order too."""
    labels = labels_of(message)
    own = {draft.reference: own_labels(message.segments[n] for n in draft.lines) for draft in drafts}
    made = {}
    for draft in drafts:
        if draft.kind != "envelope":
            above = own[draft.parent.reference] if draft.parent else frozenset()
            scoped = labels.of(draft.type) if draft.opener in ("PID", "NK1", "PV1") else labels.message
            lines = [(message.segments[n], texts[n]) for n in draft.lines]
            made[draft.reference] = labeled(_resource(draft, lines, subject), scoped | above | own[draft.reference])
    return made


def _drafts(segments: list[Segment], person: str) -> list[_Draft]:
    opened = _Open()
    drafts: list[_Draft] = []
    for number, segment in enumerate(segments):
        name = segment.id
        if drafts and _goes_on(segments[number - 1], segment):
            drafts[-1].lines.append(number)
            continue
        if name in _JOINS and opened.part is not None and opened.opener in _JOINS[name]:
            opened.part.lines.append(number)
            continue
        if name in _ORDERS and opened.opener == "ORC" and opened.order is not None and opened.part is opened.order:
            opened.order.lines.append(number)
            opened.opener = name
            continue
        kind: PartKind = "envelope" if name in _ENVELOPE else "item" if name in _TYPES else "opaque"
        type_ = "DocumentReference" if _is_file(segment) else _TYPES.get(name, "Basic")
        reference = person if name == "PID" else f"{type_}/part{number}"
        draft = _Draft(reference, kind, name, _parent(name, opened), [number])
        drafts.append(draft)
        _open(name, draft, opened)
    return drafts


def _goes_on(before: Segment, segment: Segment) -> bool:
    """Say whether a segment goes on with the text of the one before: the lines of a note, or of a report."""
    if before.id != segment.id:
        return False
    is_text = segment.id == "OBX" and segment.text(2).strip().upper() in _TEXT_TYPES
    return segment.id == "NTE" or (is_text and before.text(3) == segment.text(3))


def _parent(name: str, opened: _Open) -> _Draft | None:
    if name == "NTE":
        return opened.part
    if name in _ORDERS or name == "ORC":
        return opened.problem
    if name in _OF_AN_ORDER:
        return opened.order or opened.document or opened.problem
    if name in ("GOL", "PTH"):
        return opened.problem
    return opened.resources if name in ("AIS", "AIG", "AIL", "AIP") else None


def _open(name: str, draft: _Draft, opened: _Open) -> None:
    if name == "NTE" or draft.kind == "envelope":
        return
    opened.part, opened.opener = draft, name
    if name in _CLOSES:
        opened.order = opened.problem = opened.document = opened.resources = None
    if name == "ORC" or name in _ORDERS:
        opened.order = draft
    elif name in ("PRB", "GOL"):
        opened.problem, opened.order = draft if name == "PRB" or opened.problem is None else opened.problem, None
    elif name == "TXA":
        opened.document, opened.order = draft, None
    elif name == "RGS":
        opened.resources = draft


def _texts(message: Message, number: int, segment: Segment) -> Iterator[Said]:
    """Yield what each repetition says, a line for each reading: with blanks between its parts, run together, and each.

    A word cut in two by a separator or written in escapes is still the word. What a file holds is left out.
    """
    separators = message.separators
    first = 3 if segment.id in HEADER_SEGMENTS else 1
    for place in range(first, len(segment.fields)):
        value = segment.fields[place]
        if not value or value == NULL_TEXT or (place == 5 and _is_file(segment)):
            continue
        pieces = value.split(separators.repetition) if separators.repetition else [value]
        for repetition, piece in enumerate(pieces, 1):
            leaves = _leaves(piece, separators.component, separators.subcomponent)
            decoded = [unescape(leaf, separators, message.codec) for leaf in leaves if leaf]
            if decoded:
                readings = [" ".join(decoded), "".join(decoded), *decoded] if len(decoded) > 1 else decoded
                yield number, place, repetition, "\n".join(readings)


def _leaves(value: str, component: str, subcomponent: str) -> list[str]:
    parts = value.split(component)
    return [leaf for part in parts for leaf in (part.split(subcomponent) if subcomponent else [part])]


def _resource(draft: _Draft, lines: list[tuple[Segment, tuple[Said, ...]]], subject: Resource) -> Resource:
    resource: Resource = {"resourceType": draft.type, "id": draft.reference.partition("/")[2]}
    if draft.type != "Patient":
        resource["subject"] = subject
    words = "\n".join(text for _, said in lines for _, _, _, text in said)
    codings = [*(coding for segment, _ in lines for coding in codings_of(segment)), *codings_in([words])]
    if codings:
        resource["code"] = {"coding": codings}
    if words:
        resource["note"] = [{"text": words}]
    files = [_attachment(segment) for segment, _ in lines if _is_file(segment)]
    return {**resource, "content": [{"attachment": one} for one in files]} if files else resource


def _is_file(segment: Segment) -> bool:
    return segment.id == "OBX" and segment.text(2).upper() in _BINARY_TYPES


def _attachment(obx: Segment) -> Resource:
    """Return what an ED holds; a pointer (RP) is a file nobody here has read."""
    kind, subtype, encoding = obx.text(5, 2).lower(), obx.text(5, 3).lower(), obx.text(5, 4).upper()
    if obx.text(2).upper() == "RP":
        return {"contentType": "application/octet-stream"}
    content_type = f"text/{subtype or 'plain'}" if kind == "text" else f"{kind or 'application'}/{subtype or 'x'}"
    data = obx.text(5, 5)
    if encoding != "BASE64":
        data = base64.b64encode(data.encode()).decode("ascii")
    return {"contentType": content_type, "data": data}


def _has_form(obx: Segment) -> bool:
    if not obx.text(3).strip():
        return False
    if obx.text(5) and not re.fullmatch(r"[A-Z]{2,3}", obx.text(2).strip().upper()):
        return False
    if obx.text(2).upper() != "ED":
        return True
    if obx.text(5, 4).upper() not in _ENCODINGS:
        return False
    if obx.text(5, 4).upper() != "BASE64":
        return True
    try:
        base64.b64decode("".join(obx.text(5, 5).split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
