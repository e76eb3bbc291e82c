"""Security labels as HL7v2 carries them and as FHIR does: which fields, which tables, what each code means.

Tables 0177 (confidentiality), 0717 and 0719 (access restriction); the official maps where they exist (ETH is v3 ETHUD).
A label is only ever raised: what cannot be understood restricts, and nothing a message says takes a label away.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gateway.formats.hl7v2.coded import LOCAL_NOTES
from gateway.formats.hl7v2.message import Message, Segment
from gateway.model.handoff import Resource
from gateway.model.labels import (
    ACT_CODE,
    CONFIDENTIALITY,
    CONFIDENTIALITY_RANK,
    COUNSELING_NOTES,
    HIV,
    OWN_LABEL,
    PART2,
    RESTRICTED,
    SENSITIVITIES,
    STAYING_ON,
    SUD,
    VERY_RESTRICTED,
    Label,
    high_water_mark,
)

LABELS_NOTE = "LABELS"
"""NTE-4 of the note in which our own messages carry the labels of their content."""

_NORMAL: Label = (CONFIDENTIALITY, "N")

_LEVELS: dict[str, Label] = {
    # U of table 0177 is "usual control"; U of v3-Confidentiality would be "unrestricted".
    "U": _NORMAL,
    "N": _NORMAL,
    "L": (CONFIDENTIALITY, "L"),
    "M": (CONFIDENTIALITY, "M"),
    "R": RESTRICTED,
    "V": VERY_RESTRICTED,
}
_NOTHING = frozenset({"NO", "NONE"})
"""Table 0717: no restriction."""


_FHIR_CODES: dict[str, Label] = {
    label[1].upper(): label for label in SENSITIVITIES | STAYING_ON | {PART2, COUNSELING_NOTES}
}
_CODES: dict[str, Label] = {
    **_FHIR_CODES,
    "ETH": (ACT_CODE, "ETHUD"),
    "AID": HIV,
    "DRG": SUD,
    "42CFRPART2CD": PART2,
    "NORDSLCD": (ACT_CODE, "NORDSCLCD"),
}
"""Code, upper case -> label; every other code that is valued (VIP, SMD, ALL, a local one) means restricted."""

_PLAIN: Final = re.compile(r"[^0-9a-z]+")
_TOKEN: Final = re.compile(r"[0-9A-Za-z]+")
_LAW = "42cfrpart2"

_OF_ORDERS = frozenset({"ServiceRequest", "Task", "DiagnosticReport", "Observation", "Specimen", "Procedure"})
_UNLABELED = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location", "Provenance", "MessageHeader"})


@dataclass(frozen=True, slots=True)
class MessageLabels:
    """The labels of a message by what they are about; `message` counts for everything in it."""

    message: frozenset[Label]
    patient: frozenset[Label]
    visit: frozenset[Label]
    order: frozenset[Label]
    document: frozenset[Label]

    def of(self, resource_type: str) -> frozenset[Label]:
        """Return the labels that a resource of this type has from the message it came in."""
        if resource_type in _UNLABELED:
            return frozenset()
        scoped = {"Patient": self.patient, "RelatedPerson": self.patient, "Encounter": self.visit}
        own = scoped.get(resource_type, self.order if resource_type in _OF_ORDERS else frozenset())
        return self.message | own | (self.document if resource_type == "DocumentReference" else frozenset())


def labels_of(message: Message) -> MessageLabels:
    """Read every label of a message: MSH-8, PD1-12, ARV, PV1-16, PV2-22, ORC-28, OBX-13, TXA-18, and notes of law.

    From 2.9 also MSH-26 to 28 and ARV-7 and 8. 42CFRPart2, wherever it stands, counts for the whole message: the law
    covers the record, not one field (42 CFR 2.12).
    """
    found: dict[str, set[Label]] = {name: set() for name in ("message", "patient", "visit", "order", "document")}
    scope = "message"
    for segment in message.segments:
        name = segment.fields[0]
        scope = _SCOPES.get(name, scope)
        read = _READERS.get(name)
        if read is not None:
            found[scope if name == "ARV" else _HOME[name]].update(read(segment))
        if name == "OBX":
            found["message"].update(_said(segment, code=3, text=5))
    if any(PART2 in labels for labels in found.values()):
        found["message"] |= {PART2, RESTRICTED}
    return MessageLabels(**{name: frozenset(labels) for name, labels in found.items()})


def own_labels(segments: Iterable[Segment]) -> frozenset[Label]:
    """Return the labels that these segments state by themselves: those of a result, not of its neighbours."""
    readers = ((_READERS.get(segment.id), segment) for segment in segments)
    return frozenset(label for read, segment in readers if read is not None for label in read(segment))


def labeled(resource: Resource, labels: Iterable[Label]) -> Resource:
    """Return the resource with these labels in meta.security beside its own; the level is the highest of all."""
    meta: dict[str, Any] = resource.get("meta", {})
    codings = list(meta.get("security", ()))
    own = {(one.get("system", ""), one.get("code", "")) for one in codings}
    wanted = own | set(labels)
    if wanted == own:
        return resource
    levels = {label for label in wanted if label[0] == CONFIDENTIALITY}
    kept = [one for one in codings if one.get("system") != CONFIDENTIALITY]
    raised = [{"system": CONFIDENTIALITY, "code": high_water_mark(levels)}] if levels else []
    added = [{"system": system, "code": code} for system, code in sorted(wanted - own - levels)]
    return {**resource, "meta": {**meta, "security": [*raised, *kept, *added]}}


def meaning_of(text: str) -> frozenset[Label]:
    """Return the labels that a code or a free text on security means; an unknown one is restricted."""
    text = text.strip()
    if not text:
        return frozenset()
    if text.upper() in _LEVELS:
        return frozenset({_LEVELS[text.upper()]})
    if text.upper() in _NOTHING:
        return frozenset()
    tokens = [token.upper() for token in _TOKEN.findall(text)]
    known = {_CODES[token] for token in tokens if token in _CODES}
    if _LAW in _PLAIN.sub("", text.lower()):
        known.add(PART2)
    if "V" in tokens:
        known.add(VERY_RESTRICTED)
    return frozenset(known if VERY_RESTRICTED in known else known | {RESTRICTED})


def is_law_notice(text: str) -> bool:
    """Say whether a note is a notice of 42 CFR 2.32, of any year's wording."""
    if "4" not in text:  # the cheapest sign that it is none: most results and notes have not even that
        return False
    plain = _PLAIN.sub("", text.lower())
    return _LAW in plain and ("prohibit" in plain or "protectedby" in plain)


def labels_text(resources: Iterable[Resource]) -> str:
    """Return the labels of what leaves, as the text of the note that carries them; "" where all of it is normal.

    Read back by `labels_of`, so that a label survives a transport that has no field for it.
    """
    stated = {
        (one.get("system", ""), one.get("code", ""))
        for resource in resources
        for one in resource.get("meta", {}).get("security", ())
    }
    level = high_water_mark(stated)
    codes = sorted(code for system, code in stated if system in (ACT_CODE, OWN_LABEL))
    if not codes and level not in ("R", "V"):
        return ""
    return " ".join([level, *codes])


def _coded(segment: Segment, *fields: int) -> set[Label]:
    """Read codes (CWE) of every repetition; the text counts where there is no code."""
    found: set[Label] = set()
    for field in fields:
        for repetition in range(1, segment.repetitions(field) + 1):
            code = segment.text(field, 1, repetition=repetition) or segment.text(field, 2, repetition=repetition)
            found |= meaning_of(code)
    return found


def _header(msh: Segment) -> set[Label]:
    return set(meaning_of(msh.text(8))) | _coded(msh, 26, 27, 28)


def _person(pd1: Segment) -> set[Label]:
    return {RESTRICTED} if pd1.text(12).upper() not in ("", "N") else set()


def _restriction(arv: Segment) -> set[Label]:
    """Read one access restriction; one that is deleted (table 0206, D) neither adds nor takes away."""
    if arv.text(2, 1).upper() == "D":
        return set()
    words = {label for text in arv.texts(5) if is_law_notice(text) for label in (PART2, RESTRICTED)}
    return _coded(arv, 3, 7, 8) | (meaning_of(arv.text(4, 1)) & {PART2}) | words


def _visit(pv1: Segment) -> set[Label]:
    return _coded(pv1, 16)


def _visit_more(pv2: Segment) -> set[Label]:
    return {RESTRICTED} if pv2.text(22).upper() not in ("", "N") else set()


def _order(orc: Segment) -> set[Label]:
    return _coded(orc, 28)


def _result(obx: Segment) -> set[Label]:
    return set(meaning_of(obx.text(13)))


def _document(txa: Segment) -> set[Label]:
    return _coded(txa, 18)


def _note(nte: Segment) -> set[Label]:
    return _said(nte, code=4, text=3)


def _said(segment: Segment, *, code: int, text: int) -> set[Label]:
    """Read the note of our labels, or a notice of the law; messages without notes carry both as results."""
    if segment.text(code, 1) == LABELS_NOTE and segment.text(code, 3) == LOCAL_NOTES:
        return {_in_note(word) for word in segment.text(text).split()}
    return {PART2, RESTRICTED} if is_law_notice("\n".join(segment.texts(text))) else set()


def _in_note(code: str) -> Label:
    """Read one code of our own note: it is written as FHIR has it, not as a v2 table has."""
    if code in CONFIDENTIALITY_RANK:
        return CONFIDENTIALITY, code
    return _FHIR_CODES.get(code.upper(), RESTRICTED)


_READERS = {
    "MSH": _header,
    "PD1": _person,
    "ARV": _restriction,
    "PV1": _visit,
    "PV2": _visit_more,
    "ORC": _order,
    "OBX": _result,
    "TXA": _document,
    "NTE": _note,
}
_HOME = {
    "MSH": "message",
    "PD1": "patient",
    "PV1": "visit",
    "PV2": "visit",
    "ORC": "order",
    "OBX": "order",
    "TXA": "document",
    "NTE": "message",
}
_SCOPES = {"MSH": "message", "PID": "patient", "PD1": "patient", "PV1": "visit", "PV2": "visit"}
"""Segments that open what an ARV after them is about; after MSH it is the whole message (2.9)."""
