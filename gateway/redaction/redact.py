"""Build the disclosure of a permit: rebuilt from what is allowed, labeled, with its notice.

What leaves is a function of what is released. Whether the withheld records exist makes no difference to one byte of
it; a property test holds that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from gateway.model.consent_directive import Consents
from gateway.model.decision import Basis, DecisionRecord, Permit, Refusal, Verdict
from gateway.model.disclosure import Disclosure
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.labels import CONFIDENTIALITY
from gateway.model.partner import Registry
from gateway.redaction.consent_item import cut_consent
from gateway.redaction.least import POLICE, limited
from gateway.redaction.notice_text import asking_entry, notice_entry, scope_entry, statement_for
from gateway.redaction.rebuild import modified_among, points_to, rebuild
from gateway.redaction.release_labels import Metas, envelope_level
from gateway.redaction.visible import OWN_BASE, Visible, visible_to

Json = Mapping[str, Any]

_FIRST = {"Patient": 0, "Encounter": 1}
_PROVENANCE = ("id", "recorded", "occurredDateTime", "occurredPeriod", "activity", "agent")


def redact(records: LabeledRecords, permit: Permit, consents: Consents, *, registry: Registry) -> Disclosure | Refusal:
    """Build what may leave under a permit of `gateway.consent.decide` for the same records and consents.

    The content is a FHIR R4 Bundle (collection), its entries in a fixed order; `body` its canonical bytes. An item
    that cannot be taken apart safely (an unknown modifier, a scan by police) is left out and named in the record as
    UNSEGMENTABLE; where nothing remains the answer is a Refusal.
    """
    verdicts = permit.permitted()
    candidates = [item for item in records.items if item.reference in verdicts]
    cut = _cut(candidates, verdicts, permit, registry)
    unsegmentable = [one.reference for one in candidates if one.reference not in cut]
    record = _with_unsegmentable(permit.record, unsegmentable, is_empty=not cut)
    if not cut:
        return Refusal(record, permit.verdicts)
    released = [item for item in candidates if item.reference in cut]
    visible = visible_to(released, records, registry, permit.recipients)
    resources, level = _rebuilt(released, cut, verdicts, visible)
    resources += _provenances(records, released, verdicts, visible)
    resources += _directory(resources, records, visible)
    owed = frozenset[str]().union(*[verdicts[item.reference].obligations for item in released])
    if "ASK_NO_FURTHER_USE" in owed:
        resources.append(asking_entry())
    if "NOTICE" in owed:
        resources += _information(released, verdicts, permit, consents, registry)
    content = _bundle(resources, level, record.at)
    number, text = statement_for(permit.transport) if "NOTICE" in owed else (0, "")
    return Disclosure(
        content=content,
        body=orjson.dumps(content, option=orjson.OPT_SORT_KEYS),
        notice=text,
        notice_number=number,
        confidentiality=level,
        record=record,
        recipient=permit.recipients[0],
        copies=permit.recipients[1:],
        purposes=permit.purposes,
        transport=permit.transport,
    )


def _cut(items: Sequence[Item], verdicts: Mapping[str, Verdict], permit: Permit, registry: Registry) -> dict[str, Json]:
    """Return each item as far as its basis lets it out, by its reference; left out is what cannot be taken apart."""
    modified = modified_among({item.reference: item.resource for item in items})
    cut = {}
    for item in items:
        if item.reference not in modified:
            resource = _own_part(item.resource, permit, registry) if item.type == "Consent" else item.resource
            left = limited(resource, verdicts[item.reference])
            if left is not None:
                cut[item.reference] = left
    return cut


def _rebuilt(
    released: Iterable[Item], cut: Mapping[str, Json], verdicts: Mapping[str, Verdict], visible: Visible
) -> tuple[list[dict[str, Any]], str]:
    """Rebuild the items, each with its labels; return them and the confidentiality level of the whole."""
    metas = Metas()
    resources = []
    for item in released:
        built = rebuild(cut[item.reference], visible)
        built["meta"] = metas.of(item, verdicts[item.reference])
        resources.append(built)
    return resources, envelope_level(metas.labels)


def _own_part(consent: Json, permit: Permit, registry: Registry) -> Json:
    """Return a Consent cut to what concerns the recipient."""
    recipient = registry.get(permit.recipients[0])
    return cut_consent(consent, recipient.keys if recipient else frozenset())


def _with_unsegmentable(record: DecisionRecord, references: list[str], is_empty: bool) -> DecisionRecord:
    if not references:
        return record
    withheld = tuple(sorted({*record.withheld, *references}))
    if is_empty:
        return replace(
            record, decision="DENY", reason="UNSEGMENTABLE", section="42 CFR 2.13(a)", obligations=("AUDIT",),
            basis=None, withheld=withheld,
        )  # fmt: skip
    if record.decision == "PERMIT_REDACTED":
        return replace(record, withheld=withheld)
    return replace(
        record, decision="PERMIT_REDACTED", reason="UNSEGMENTABLE", section="42 CFR 2.13(a)", withheld=withheld
    )


def _provenances(
    records: LabeledRecords, released: Iterable[Item], verdicts: Mapping[str, Verdict], visible: Visible
) -> list[dict[str, Any]]:
    """Rebuild each Provenance for the items that leave; one without any does not leave either.

    Directory resources are no reason for it: the instant on it would tell when its author last wrote about the person.
    What it was made from stays here: the hash of a message changes with every part of it that is withheld.
    """
    named = {one.reference for one in released if verdicts[one.reference].release != "deidentified"}
    built = []
    for provenance in records.provenances:
        targets = [one["reference"] for one in provenance.get("target", ()) if one.get("reference") in named]
        if targets:
            kept = {key: provenance[key] for key in _PROVENANCE if key in provenance}
            without = rebuild({"resourceType": "Provenance", **kept}, visible)
            built.append({**without, "target": [{"reference": one} for one in targets]})
    return [one for one in built if "agent" in one]


def _directory(resources: list[dict[str, Any]], records: LabeledRecords, visible: Visible) -> list[dict[str, Any]]:
    """Return the directory resources that what leaves points to, and those they point to."""
    built: dict[str, dict[str, Any]] = {}
    left = {reference: one for reference, one in records.directory.items() if reference in visible.references}
    if not left:
        return []
    written = orjson.dumps(resources)
    while found := [reference for reference in left if points_to(written, reference)]:
        for reference in found:
            built[reference] = rebuild(_allowed(left.pop(reference), records, visible), visible)
        written = orjson.dumps([built[reference] for reference in found])
    return list(built.values())


def _allowed(resource: Json, records: LabeledRecords, visible: Visible) -> Json:
    """Return what of a directory resource may be told of anybody, or, of the police, of a post."""
    allowed = POLICE.get(resource["resourceType"])
    if allowed is None or not _is_police(resource, records, visible):
        return resource
    return {key: one for key, one in resource.items() if key in allowed | {"resourceType", "id"}}


def _is_police(resource: Json, records: LabeledRecords, visible: Visible) -> bool:
    organization = resource.get("organization", {})
    home = records.directory.get(organization.get("reference"), resource)
    for identifier in (organization.get("identifier"), *home.get("identifier", ())):
        found = visible.organization(identifier)
        if found is not None:
            return found.is_law_enforcement
    return False


def _information(
    released: Iterable[Item],
    verdicts: Mapping[str, Verdict],
    permit: Permit,
    consents: Consents,
    registry: Registry,
) -> list[dict[str, Any]]:
    """Return the entries that inform: the statement, and the scope of each consent that was used."""
    entries = [notice_entry()]
    used: dict[Basis, str | None] = {}
    for item in released:
        basis = verdicts[item.reference].basis
        if basis is not None and basis.type == "Consent" and basis not in used:
            used[basis] = min((key for key in item.subjects if key.startswith("Patient/")), default=None)
    for basis, subject in sorted(used.items(), key=lambda one: str(one[0][1:])):
        directive = consents.version(f"Consent/{basis.id}", basis.version)
        if directive is not None:
            entries.append(scope_entry(directive, permit, registry, subject))
    return entries


def _bundle(resources: Iterable[dict[str, Any]], level: str, at: str) -> dict[str, Any]:
    entries = sorted(resources, key=lambda one: (_FIRST.get(one["resourceType"], 2), one["resourceType"], one["id"]))
    return {
        "resourceType": "Bundle",
        "meta": {"security": [{"system": CONFIDENTIALITY, "code": level}]},
        "type": "collection",
        "timestamp": at,
        "entry": [{"fullUrl": f"{OWN_BASE}{one['resourceType']}/{one['id']}", "resource": one} for one in entries],
    }
