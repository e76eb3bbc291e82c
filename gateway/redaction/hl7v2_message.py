"""What of a message that is passed on as it came may stay, under a permit: whole groups, never a blanked-out one.

A message of somebody else cannot be built anew; so what is not allowed goes with all that hangs on it, what nobody can
read goes as soon as anything else does, and where the rest would be a shell nothing is passed on (42 CFR 2.13(a), (c)).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from gateway.model.consent_directive import Consents
from gateway.model.decision import Permit, Refusal, Verdict
from gateway.model.hl7_parts import KeptParts, MessagePart
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.partner import Registry
from gateway.redaction.notice_text import scope_text, statement_for
from gateway.redaction.release_labels import envelope_level, labels_of
from gateway.redaction.visible import Visible, visible_to

_CUTS_ELEMENTS = frozenset({"MIN", "CJI_STRIP"})
"""Obligations that take elements out of a resource: a segment has none that could be taken out for them."""


def redact_message(
    parts: Sequence[MessagePart], records: LabeledRecords, permit: Permit, consents: Consents, *, registry: Registry
) -> KeptParts | Refusal:
    """Say what of a message may be passed on under a permit of `gateway.consent.decide` for the items of its parts.

    Refused as UNSEGMENTABLE: the permit cuts single elements, the person is not among what is permitted, or nothing of
    what the message is for would be left.
    """
    verdicts = permit.permitted()
    released = [item for item in records.items if item.reference in verdicts]
    if any(_CUTS_ELEMENTS & verdicts[item.reference].obligations for item in released):
        return _unsegmentable(permit)
    visible = visible_to(released, records, registry, permit.recipients)
    gone = {part.reference for part in parts if part.kind != "envelope" and part.reference not in verdicts}
    numbers = {value.lower() for one in registry if one.id in visible.hidden for _, value in one.identifiers}
    telling = {part.reference: _telling(part, visible, numbers) for part in parts}
    is_whole = not gone and not any(telling.values())
    if not is_whole:
        gone |= {part.reference for part in parts if part.kind == "opaque" or _is_sealed(part)}
    gone = _with_what_hangs_on(parts, gone)
    kept = [part for part in parts if part.reference not in gone]
    if not _has_a_point(parts, kept):
        return _unsegmentable(permit)
    return KeptParts(
        lines=frozenset(line for part in kept for line in part.lines),
        blank=frozenset(place for part in kept for place in telling[part.reference]),
        is_whole=is_whole,
        notice=_notice(released, verdicts),
        scope=_scope(released, verdicts, permit, consents, registry),
        level=envelope_level({label for item in released for label in labels_of(item, verdicts[item.reference])}),
        record=replace(permit.record, withheld=tuple(sorted({*permit.record.withheld, *gone}))),
    )


def _unsegmentable(permit: Permit) -> Refusal:
    record = replace(
        permit.record, decision="DENY", reason="UNSEGMENTABLE", section="42 CFR 2.13(a)", obligations=("AUDIT",),
        basis=None,
    )  # fmt: skip
    return Refusal(record, permit.verdicts)


def _telling(part: MessagePart, visible: Visible, numbers: Set[str]) -> frozenset[tuple[int, int, int]]:
    """Return the fields that name, or number, an organization whose name alone would identify a patient."""
    return frozenset(
        (line, field, repetition)
        for line, field, repetition, text in part.fields
        if visible.tells(text) or not numbers.isdisjoint(text.lower().splitlines())
    )


def _is_sealed(part: MessagePart) -> bool:
    """Say whether a part holds a file nobody here can read: what was taken out elsewhere may be inside."""
    contents = part.resource.get("content", ()) if part.resource else ()
    return any(not str(one["attachment"]["contentType"]).startswith("text/") for one in contents)


def _with_what_hangs_on(parts: Sequence[MessagePart], gone: set[str]) -> set[str]:
    """Add the children of what goes, and what loses its last child, until nothing more goes."""
    children: dict[str, list[str]] = {}
    for part in parts:
        if part.parent is not None:
            children.setdefault(part.parent, []).append(part.reference)
    while True:
        orphans = {part.reference for part in parts if part.parent in gone}
        emptied = {
            part.reference
            for part in parts
            if part.needs_child and children.get(part.reference) and gone.issuperset(children[part.reference])
        }
        if orphans | emptied <= gone:
            return gone
        gone = gone | orphans | emptied


def _has_a_point(parts: Sequence[MessagePart], kept: Sequence[MessagePart]) -> bool:
    if not any(part.resource and part.resource["resourceType"] == "Patient" for part in kept):
        return False
    return any(part.is_core for part in kept) or not any(part.is_core for part in parts)


def _notice(released: Iterable[Item], verdicts: Mapping[str, Verdict]) -> str:
    is_noticed = any("NOTICE" in verdicts[item.reference].obligations for item in released)
    return statement_for("hl7v2")[1] if is_noticed else ""


def _scope(
    released: Iterable[Item],
    verdicts: Mapping[str, Verdict],
    permit: Permit,
    consents: Consents,
    registry: Registry,
) -> str:
    bases = {verdicts[item.reference].basis for item in released}
    used = sorted({(f"Consent/{one.id}", one.version or "") for one in bases if one and one.type == "Consent"})
    directives = [consents.version(reference, version or None) for reference, version in used]
    return "\n".join(scope_text(one, permit, registry) for one in directives if one is not None)
