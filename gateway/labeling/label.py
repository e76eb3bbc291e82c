"""Turn a bundle of records into items with origin and labels: origin first, content second."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.labeling.content import INLINE_LABEL, content_labels, inline_labels, stated_labels
from gateway.labeling.origin import Origins
from gateway.model.fhir_time import BEGINNING, instant
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.labels import PART2, RESTRICTED, SUD, Label
from gateway.model.partner import Registry

DIRECTORY_TYPES = frozenset(
    {"Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Endpoint"}
)
"""Resources about nobody's health: they support items and are never decided on by themselves."""

_OF_PART2 = frozenset({RESTRICTED, PART2})
_INLINE = INLINE_LABEL.encode()
_SUBJECT_KEYS = frozenset({"subject", "patient", "for", "beneficiary", "individual"})

Json = Mapping[str, Any]


def label(bundle: Json, registry: Registry, at: datetime) -> LabeledRecords:
    """Label every resource of a FHIR R4 Bundle as it stood at `at` (aware).

    A version whose meta.lastUpdated is later does not exist yet; of several versions the latest counts. Labels in
    meta.security are kept; Part 2 origin adds R and 42CFRPart2, content adds SUD, HIV and others. Raises ValueError
    for an entry that is no resource.
    """
    current, aliases = _current(bundle, at)
    provenances = [one for one in current.values() if one["resourceType"] == "Provenance"]
    directory = {ref: one for ref, one in current.items() if one["resourceType"] in DIRECTORY_TYPES}
    origins = Origins(_pointing_inside(provenances, aliases), directory, registry, at)
    names = registry.revealing_names(at)
    items = []
    digests = []
    for reference, resource in current.items():
        canonical = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(canonical).digest()
        digests.append(digest)
        if resource["resourceType"] != "Provenance" and reference not in directory:
            origin = origins.of(reference)
            labels, shown = _labels(resource, canonical, names, is_part2=origin.program is not None)
            subjects = _subjects(reference, resource, aliases)
            items.append(Item(reference, resource["resourceType"], resource, subjects, labels, shown, origin, digest))
    return LabeledRecords(
        tuple(items), directory, tuple(provenances), hashlib.sha256(b"".join(sorted(digests))).digest(), at
    )


def _labels(
    resource: Json, canonical: bytes, names: tuple[str, ...], *, is_part2: bool
) -> tuple[frozenset[Label], frozenset[Label]]:
    """Return the labels of the whole resource, and of what of it can leave."""
    labels, shown, names_program = content_labels(resource, names)
    if names_program:
        labels.add(SUD)  # the text that names it never leaves either
    if b'"security":' in canonical:
        shown.update(stated_labels({"meta": resource.get("meta", {})}))
        labels.update(stated_labels(resource))
    if _INLINE in canonical:
        labels.update(inline_labels(resource))
    if is_part2:
        labels |= _OF_PART2
    return frozenset(labels), frozenset(shown)


def _current(bundle: Json, at: datetime) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    current: dict[str, dict[str, Any]] = {}
    stamps: dict[str, datetime] = {}
    aliases: dict[str, str] = {}
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource")
        if not isinstance(resource, dict) or "resourceType" not in resource:
            raise ValueError("expected a resource in every entry of the records")
        address = entry.get("fullUrl")
        reference = f"{resource['resourceType']}/{resource['id']}" if "id" in resource else address
        if not reference:
            raise ValueError("expected an id or a fullUrl for every resource of the records")
        if address and address != reference:
            aliases[address] = reference
        updated = resource.get("meta", {}).get("lastUpdated")
        stamp = instant(updated) if updated else BEGINNING
        if stamp <= at and stamp >= stamps.get(reference, BEGINNING):
            current[reference] = resource
            stamps[reference] = stamp
    return current, aliases


def _pointing_inside(provenances: list[dict[str, Any]], aliases: Mapping[str, str]) -> list[Json]:
    """Write absolute targets as the relative references items go by."""
    if not any(t.get("reference") in aliases for one in provenances for t in one.get("target", ())):
        return list(provenances)
    return [
        {
            **one,
            "target": [
                {**t, "reference": aliases.get(t.get("reference"), t.get("reference"))} for t in one.get("target", ())
            ],
        }
        for one in provenances
    ]


def _subjects(reference: str, resource: Json, aliases: Mapping[str, str]) -> frozenset[str]:
    if resource["resourceType"] == "Patient":
        own = {f"{one.get('system', '')}|{one['value']}" for one in resource.get("identifier", ()) if "value" in one}
        return frozenset({reference} | own)
    keys: set[str] = set()
    for named in _named_subjects(resource):
        keys.update(_keys(named, aliases))
    return frozenset(keys)


def _named_subjects(resource: Json) -> list[Json]:
    named: list[Json] = []
    for key in resource.keys() & _SUBJECT_KEYS:
        value = resource[key]
        if isinstance(value, dict):
            named.append(value)
        elif isinstance(value, list):
            named += value
    if resource["resourceType"] in ("Appointment", "AppointmentResponse"):
        actors = [one.get("actor", {}) for one in (resource, *resource.get("participant", ()))]
        named += [actor for actor in actors if _is_patient(actor)]
    return named


def _is_patient(reference: Json) -> bool:
    return reference.get("type") == "Patient" or "Patient/" in reference.get("reference", "")


def _keys(named: Json, aliases: Mapping[str, str]) -> list[str]:
    keys = [aliases.get(named["reference"], named["reference"])] if "reference" in named else []
    identifier = named.get("identifier")
    if isinstance(identifier, dict) and "value" in identifier:
        keys.append(f"{identifier.get('system', '')}|{identifier['value']}")
    return keys
