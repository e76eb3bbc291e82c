"""Pass a message on that somebody else wrote: taken apart, decided group by group, and only what may go goes.

One road for every message that leaves as it came (an exchange that relays results or admissions). Whatever cannot be
read, decided or given its notice is not passed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.flow.judgement import Matter, decided, judge
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.forward import forwarded
from gateway.formats.hl7v2.parts import parts_of
from gateway.model.decision import POLICY_VERSION, DecisionRecord, Refusal
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_parts import MessagePart, PassedOn
from gateway.model.partner import Organization, Registry
from gateway.redaction.hl7v2_message import redact_message

_NOBODY = Hl7Header((), (), (), (), "", "")
"""The header of a message that goes nowhere: it is decided on once more, to compare."""


_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""Whatever goes wrong while filtering, nothing of the message leaves; an error's text may quote it, so none is told."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Whom a message goes to and by what it is decided; `request` and `facts` in the words of the consent engine."""

    request: Mapping[str, Any]
    subject: Resource
    """The FHIR Reference (`Patient/id`) of the person, as the request's patient is known by."""
    sender: str | None
    """Registry id of who wrote the message; None holds it: its origin is unknown."""
    header: Hl7Header
    """Who sends to whom in our own name, time and control id."""
    consents: Resource
    facts: Sequence[Mapping[str, Any]]
    at: datetime
    switches: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Passing:
    """What came of wanting to pass a message on, with the canonical input that gives the same record again."""

    outcome: PassedOn | Refusal
    inputs: bytes


def pass_on(message: Message, errand: Errand, registry: Registry) -> Passing:
    """Decide on a message group by group, and write what may go with the notice it owes.

    Refused: UNPARSEABLE where it cannot be taken apart, UNSEGMENTABLE where what is left would be a shell,
    NOTICE_UNATTACHABLE (held) where a message of its type and version has no place for the notice; else as decided.
    """
    unread = _matter(message, errand, ())
    try:
        parts = parts_of(message, errand.subject)
        if isinstance(parts, Unreadable):
            return Passing(_unparseable(unread), unread.written(registry))
        matter = _matter(message, errand, _records(parts, errand, registry))
        return Passing(_passed(message, parts, matter, errand.header, registry), matter.written(registry))
    except _FAULTS:
        return Passing(_unparseable(unread), unread.written(registry))


def decided_again(matter: Matter, registry: Registry) -> DecisionRecord:
    """Make any past decision again from its matter, also one on a message that was passed on or not."""
    if matter.message is None:
        return judge(matter, registry).record
    message = read_message(matter.message, registry.charset_of)
    patients = [one["id"] for one in matter.records if one["resourceType"] == "Patient"]
    if not patients or isinstance(message, Unreadable):
        return _unparseable(matter).record
    try:
        parts = parts_of(message, {"reference": f"Patient/{patients[0]}"})
        if isinstance(parts, Unreadable):
            return _unparseable(matter).record
        return _passed(message, parts, matter, _NOBODY, registry).record
    except _FAULTS:
        return _unparseable(matter).record


def _matter(message: Message, errand: Errand, records: Sequence[Resource]) -> Matter:
    return Matter(
        request=errand.request,
        records=records,
        consents=errand.consents,
        facts=errand.facts,
        at=errand.at,
        switches=errand.switches,
        gate=None,
        message=message.raw,
    )


def _passed(
    message: Message, parts: tuple[MessagePart, ...], matter: Matter, header: Hl7Header, registry: Registry
) -> PassedOn | Refusal:
    read, outcome = decided(matter, registry)
    if isinstance(outcome, Refusal):
        return outcome
    kept = redact_message(parts, read.records, outcome, read.consents, registry=registry)
    if isinstance(kept, Refusal):
        return kept
    content = forwarded(message, kept, header, _notice_field(matter, registry))
    if content is None:
        unattached = replace(kept.record, decision="HOLD", reason="NOTICE_UNATTACHABLE", section="42 CFR 2.32(a)")
        return Refusal(replace(unattached, obligations=("AUDIT",), basis=None))
    return PassedOn(content, kept)


def _notice_field(matter: Matter, registry: Registry) -> str:
    """Return the receiver's own place for a notice, where the grammar of the message has none."""
    receiver = registry.get(matter.request["recipient"])
    endpoints = receiver.endpoints if receiver is not None else ()
    return next((one.notice_field for one in endpoints if one.transport == matter.request["transport"]), "")


def _records(parts: Sequence[MessagePart], errand: Errand, registry: Registry) -> list[Resource]:
    """Return the resources of the parts, each with who wrote it: the sender, and every program it names as a source."""
    resources = [part.resource for part in parts if part.resource is not None]
    sender = registry.get(errand.sender)
    if sender is None:
        return resources
    programs = {
        value.lower(): one for one in registry if one.is_program(errand.at) for _, value in one.identifiers if value
    }
    return resources + [
        _authored(part, _authors(part, sender, programs)) for part in parts if part.resource is not None
    ]


def _authors(part: MessagePart, sender: Organization, programs: Mapping[str, Organization]) -> list[Organization]:
    """Name who wrote a part: origin first. A program's own number inside (OBX-15, ORC-21, PV1-7) makes it an author."""
    values = {value.strip() for _, _, _, text in part.fields for value in text.lower().splitlines()}
    named = [programs[value] for value in sorted(values & programs.keys())]
    return list({one.id: one for one in (sender, *named)}.values())


def _authored(part: MessagePart, authors: Sequence[Organization]) -> Resource:
    return {
        "resourceType": "Provenance",
        "id": f"of-{part.reference.rpartition('/')[2]}",
        "target": [{"reference": part.reference}],
        "activity": {"coding": [{"code": "originate"}]},
        "agent": [
            {
                "type": {"coding": [{"code": "author"}]},
                "who": {"type": "Organization", "identifier": {"system": system, "value": value}},
            }
            for one in authors
            for system, value in one.identifiers[:1]
        ],
    }


def _unparseable(matter: Matter) -> Refusal:
    """Refuse before anything could be decided."""
    return Refusal(
        DecisionRecord(
            decision="DENY", reason="UNPARSEABLE", section="fail closed", obligations=("AUDIT",), basis=None,
            withheld=(), policy_version=POLICY_VERSION, at=matter.at.isoformat(), input_hash="",
        )
    )  # fmt: skip
