"""Pass a message on that somebody else wrote: taken apart, decided group by group, and only what may go goes.

One road for every message that leaves as it came (an exchange that relays results or admissions). Whatever cannot be
read, decided or given its notice is not passed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.flow.judgement import Matter, decided
from gateway.formats.hl7v2 import Message, Unreadable
from gateway.formats.hl7v2.forward import forwarded
from gateway.formats.hl7v2.parts import parts_of
from gateway.model.decision import POLICY_VERSION, DecisionRecord, Refusal
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_parts import KeptParts, MessagePart
from gateway.model.partner import Organization, Registry
from gateway.redaction.hl7v2_message import redact_message


@dataclass(frozen=True, slots=True)
class Errand:
    """Whom a message goes to and by what it is decided; `request` and `facts` in the words of the consent engine."""

    request: Mapping[str, Any]
    subject: Resource
    """The FHIR Reference of the person, as the request's patient is known by."""
    sender: str | None
    """Registry id of who wrote the message; None holds it: its origin is unknown."""
    header: Hl7Header
    """Who sends to whom in our own name, time and control id."""
    consents: Resource
    facts: Sequence[Mapping[str, Any]]
    at: datetime
    switches: Mapping[str, Any]
    notice_field: str = ""
    """The receiver's field for a notice, where the grammar of the message has no place for one."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A message as it may go, with the decision behind it and the canonical input of that decision."""

    content: bytes
    kept: KeptParts
    inputs: bytes

    @property
    def record(self) -> DecisionRecord:
        """Return the record of the decision."""
        return self.kept.record


def pass_on(message: Message, errand: Errand, registry: Registry) -> PassedOn | Refusal:
    """Decide on a message group by group, and write what may go with the notice it owes.

    Refused: UNPARSEABLE where it cannot be taken apart, UNSEGMENTABLE where what is left would be a shell,
    NOTICE_UNATTACHABLE (held) where a message of its type and version has no place for the notice; else as decided.
    """
    try:
        parts = parts_of(message, errand.subject)
        if isinstance(parts, Unreadable):
            return _refused(errand, "UNPARSEABLE", "fail closed")
        return _passed(message, parts, errand, registry)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        # Whatever went wrong while filtering, nothing of the message leaves; its text may quote it, so it is not told.
        return _refused(errand, "UNPARSEABLE", "fail closed")


def _passed(message: Message, parts: tuple[MessagePart, ...], errand: Errand, registry: Registry) -> PassedOn | Refusal:
    matter = Matter(
        request=errand.request,
        records=_records(parts, errand, registry),
        consents=errand.consents,
        facts=errand.facts,
        at=errand.at,
        switches=errand.switches,
        gate=None,
    )
    read, outcome = decided(matter, registry)
    if isinstance(outcome, Refusal):
        return outcome
    kept = redact_message(parts, read.records, outcome, read.consents, registry=registry)
    if isinstance(kept, Refusal):
        return kept
    content = forwarded(message, kept, errand.header, errand.notice_field)
    if content is None:
        unattached = replace(kept.record, decision="HOLD", reason="NOTICE_UNATTACHABLE", section="42 CFR 2.32(a)")
        return Refusal(replace(unattached, obligations=("AUDIT",), basis=None))
    return PassedOn(content, kept, matter.written(registry))


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


def _refused(errand: Errand, reason: str, section: str) -> Refusal:
    """Refuse before anything could be decided: there is no input that could be replayed."""
    return Refusal(
        DecisionRecord(
            decision="DENY", reason=reason, section=section, obligations=("AUDIT",), basis=None, withheld=(),
            policy_version=POLICY_VERSION, at=errand.at.isoformat(), input_hash="",
        )
    )  # fmt: skip
