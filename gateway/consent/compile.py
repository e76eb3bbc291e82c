"""Read Consent resources once into directives, and say of each whether it could be read safely.

What may not be skipped makes a consent unreadable, never ignored: an unknown modifierExtension, implicitRules, a
time without a zone, provisions nested too deep or too many, a shape that is no Consent (FHIR R4
Consent). One unreadable version never spoils the others.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gateway.consent.facts import relative, subject_keys
from gateway.consent.kinds import CRIMINAL_JUSTICE, PART2, lacking, mixes_notes, mixes_proceedings
from gateway.consent.provision_tree import (
    can_refuse,
    grants_of,
    read_party,
    read_period,
    read_provision,
    tells_items_apart,
)
from gateway.consent.shapes import Organizations, normalized, subject_of
from gateway.model.consent_directive import FILED, Consents, Directive, Performer, RevocationOf
from gateway.model.fhir_time import BEGINNING, covered_interval, instant, is_dated
from gateway.model.labels import ACT_CODE
from gateway.model.partner import Registry

EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/part2-"
CONSENT_CATEGORY = "https://warmhandoff.example/fhir/CodeSystem/consent-category"

MAX_BYTES = 20_000_000
"""The size of one consent with what it contains (a scan of the form, say) beyond which it is unreadable."""

_SIGNATURES = ("sourceAttachment", "sourceReference")
_LONGEST_DAY = timedelta(hours=25)
_NOWHERE = float("-inf")
"""The place of a version that states none."""

Json = Mapping[str, Any]


def compile_consents(bundle: Json, registry: Registry) -> Consents:
    """Compile every Consent version of a FHIR Bundle (R4 or R5), with what the consents point to.

    Compile once and keep: deciding does not read FHIR again. Dates become midnights of the zone of the first
    discloser the registry knows, else of the registry's own. Raises ValueError for an entry that is no resource.
    """
    versions: dict[str, list[Directive]] = {}
    resources: dict[str, Json] = {}
    entries = [(entry, _resource(entry)) for entry in bundle.get("entry", ())]
    organizations = _organizations(entries, registry)
    for entry, resource in entries:
        if resource["resourceType"] == "Consent":
            directive = compile_consent(resource, registry, _as_written_beside(entry, organizations))
            versions.setdefault(_identity(entry, directive), []).append(directive)
        elif "id" in resource:
            resources[f"{resource['resourceType']}/{resource['id']}"] = resource
    return collected(versions, resources)


def collected(versions: Mapping[str, Iterable[Directive]], resources: Mapping[str, Json]) -> Consents:
    """Put the compiled versions of each consent, by its address, where they are found by person and by reference."""
    histories = tuple(_in_order(each) for _, each in sorted(versions.items()))
    by_patient: dict[str, list[int]] = {}
    by_reference: dict[str, list[int]] = {}
    for index, history in enumerate(histories):
        by_reference.setdefault(history[0].reference, []).append(index)
        for key in {key for version in history for key in (version.patient or {""})}:
            by_patient.setdefault(key, []).append(index)
    first = min((history[0].updated for history in histories), default=None)
    return Consents(histories, resources, _frozen(by_patient), _frozen(by_reference), first)


def _frozen(index: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(places) for key, places in index.items()}


def _resource(entry: Json) -> Json:
    resource = entry.get("resource")
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise ValueError("expected a resource in every entry of the consents")
    return resource


def _organizations(entries: Iterable[tuple[Json, Json]], registry: Registry) -> dict[str, Json]:
    """Return the identifier of every Organization that came along and is registered, by its address."""
    found: dict[str, Json] = {}
    for entry, resource in entries:
        address = _address(entry) or (f"Organization/{resource['id']}" if "id" in resource else None)
        if resource["resourceType"] != "Organization" or address is None:
            continue
        for identifier in resource.get("identifier", ()):
            if registry.find_by_reference({"identifier": identifier}):
                found[address] = identifier
    return found


def _as_written_beside(entry: Json, organizations: Organizations) -> Organizations:
    """Return them by the references a consent in this entry would write: relative ones are of its own server only."""
    base, _, _ = _address(entry).rpartition("Consent/")
    if not base:
        return organizations
    elsewhere = {reference: one for reference, one in organizations.items() if "://" in reference}
    return elsewhere | {reference.removeprefix(base): one for reference, one in elsewhere.items()}


def compile_consent(
    resource: Json,
    registry: Registry,
    organizations: Organizations = MappingProxyType({}),
) -> Directive:
    """Compile one version of one consent; never raises for its content: it may come out unreadable.

    `organizations` came with it: the identifier of each by the reference the consent points to it with.
    """
    try:
        canonical = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
        if len(canonical) > MAX_BYTES:
            return _unreadable(resource)
        digest = hashlib.sha256(canonical).digest()
        _refuse_what_may_not_be_skipped(resource)
        shaped = normalized(resource, organizations)
        directive = replace(_directive(shaped, digest, registry), resource=resource)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return _unreadable(resource)
    grants = tuple(replace(grant, lacks=frozenset(lacking(directive, grant))) for grant in directive.grants)
    return replace(directive, grants=grants)


def disclosers_of(consent: Json, registry: Registry) -> frozenset[str | None]:
    """Return the registry ids of all whom a Consent lets disclose, wherever it names them; None for a stranger.

    Empty for one that names nobody or cannot be read: nothing is disclosed on either.
    """
    directive = compile_consent({"id": "unfiled", **consent}, registry)
    parties = [*directive.disclosers, *(party for grant in directive.grants for party in grant.disclosers)]
    return frozenset(party.organization for party in parties)


def _directive(resource: Json, digest: bytes, registry: Registry) -> Directive:
    extensions = _extensions(resource)
    disclosers = tuple(read_party(one, resource, registry) for one in resource.get("organization", ()))
    zone = _zone(disclosers, registry)
    root = resource.get("provision")
    provision = read_provision(root, resource, registry, zone) if root is not None else None
    grants = grants_of(provision)
    kinds = frozenset(_kinds(resource))
    dated = resource.get("dateTime")
    edition = _value(extensions.get("form-edition"))
    return Directive(
        reference=f"Consent/{resource['id']}",
        id=resource["id"],
        version=resource.get("meta", {}).get("versionId"),
        updated=_updated(resource),
        resource=resource,
        digest=digest,
        readable=True,
        patient=subject_keys(resource.get("patient")),
        status=resource["status"],
        kinds=kinds,
        disclosers=tuple(party for party in disclosers if not party.vague),
        dated=_signing(dated, zone),
        is_signed=any(resource.get(key) for key in _SIGNATURES) or bool(_value(extensions.get("signature"))),
        performers=tuple(_performer(one, zone) for one in resource.get("performer", ())),
        statements=frozenset(
            name for name, stated in extensions.items() if all(one.get("valueBoolean") is True for one in stated)
        ),
        expiry=_value(extensions.get("expiry")),
        form_edition=covered_interval(edition, zone)[0].astimezone(zone).date() if edition else None,
        revocations=tuple(_revocation(one, zone) for one in extensions.get("revocation", ())),
        supersedes=frozenset(relative(one["valueReference"]["reference"]) for one in extensions.get("supersedes", ())),
        condition_of=_value(extensions.get("condition-of")),
        # Only a consent under 2.35 may say from when it can be taken back; any other can be at once (2.31(a)(6)).
        revocable_from=_start(_value(extensions.get("revocable-from")), zone) if CRIMINAL_JUSTICE in kinds else None,
        source=resource.get("meta", {}).get("source"),
        verified=_verified(resource),
        verified_at=max(_verifications(resource, zone), default=None),
        confirmations=tuple(_confirmations(resource, zone)),
        root=provision,
        grants=grants,
        can_refuse=can_refuse(provision),
        tells_items_apart=tells_items_apart(provision),
        mixes_notes=mixes_notes(kinds, grants),
        mixes_proceedings=mixes_proceedings(kinds, grants),
    )


def _refuse_what_may_not_be_skipped(resource: Json) -> None:
    """Raise ValueError for a modifier nobody here knows or a time without a zone, at any depth."""
    open_values: list[Any] = [resource]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            if value.get("modifierExtension") or value.get("implicitRules"):
                raise ValueError("an unknown modifier")
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)
        elif isinstance(value, str) and is_dated(value):
            instant(value)


def _extensions(resource: Json) -> dict[str, list[Json]]:
    """Return our own extensions by short name."""
    found: dict[str, list[Json]] = {}
    for one in resource.get("extension", ()):
        if one["url"].startswith(EXTENSION):
            found.setdefault(one["url"][len(EXTENSION) :], []).append(one)
    return found


def _value(extensions: list[Json] | None) -> Any:
    if not extensions:
        return None
    return next((value for key, value in extensions[0].items() if key.startswith("value")), None)


def _parts(extension: Json) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in extension.get("extension", ()):
        found.setdefault(one["url"], []).append(_value([one]))
    return found


def _zone(disclosers: Iterable[Any], registry: Registry) -> tzinfo:
    for party in disclosers:
        organization = registry.get(party.organization)
        if organization is not None and organization.zone is not None:
            return organization.zone
    return ZoneInfo(registry.zone)


def _kinds(resource: Json) -> Iterable[str]:
    for category in resource.get("category", ()):
        for coding in category.get("coding", ()):
            if coding.get("system") == CONSENT_CATEGORY:
                yield coding["code"]
            elif (coding.get("system"), coding.get("code")) == (ACT_CODE, "42CFRPart2CD"):
                yield PART2


def _performer(reference: Json, zone: tzinfo) -> Performer:
    for extension in reference.get("extension", ()):
        if extension["url"] == EXTENSION + "authority":
            parts = _parts(extension)
            return Performer(
                keys=subject_keys(reference),
                authority=parts["basis"][0],
                has_document=bool(parts.get("document", [None])[0]),
                period=read_period(parts.get("period", [None])[0], zone),
            )
    return Performer(subject_keys(reference))


def _revocation(extension: Json, zone: tzinfo) -> RevocationOf:
    parts = _parts(extension)
    recipients = frozenset(key for reference in parts.get("recipient", ()) for key in subject_keys(reference))
    if parts.get("recipient") and not recipients:
        raise ValueError("a revocation for somebody nobody can identify")
    return RevocationOf(
        when=_start(parts.get("when", [None])[0], zone),
        is_oral=parts.get("method") == ["oral"],
        recipients=recipients,
    )


def _signing(text: object, zone: tzinfo) -> datetime | None:
    """Return when it was signed; a month or a year is no date of signing (42 CFR 2.31(a)(9))."""
    if not text:
        return None
    start, end = covered_interval(text, zone)
    return start if end - start <= _LONGEST_DAY else None


def _start(text: object, zone: tzinfo) -> datetime | None:
    return covered_interval(text, zone)[0] if text else None


def _verified(resource: Json) -> bool | None:
    stated = [one["verified"] for one in resource.get("verification", ())]
    return all(one is True for one in stated) if stated else None


def _confirmations(resource: Json, zone: tzinfo) -> Iterable[datetime]:
    """Yield when this version was written or filed, and when a person verified it; a day counts from its beginning."""
    meta = resource.get("meta", {})
    filed = (one.get("valueInstant") for one in meta.get("extension", ()) if one["url"] == FILED)
    for text in (meta.get("lastUpdated"), *filed):
        if text:
            yield covered_interval(text, zone)[0]
    yield from _verifications(resource, zone)


def _verifications(resource: Json, zone: tzinfo) -> Iterable[datetime]:
    for one in resource.get("verification", ()):
        dated = one.get("verificationDate") if one["verified"] is True else None
        for text in dated if isinstance(dated, list) else [dated]:
            if text:
                yield covered_interval(text, zone)[0]


def _updated(resource: Json) -> datetime:
    updated = resource.get("meta", {}).get("lastUpdated")
    return instant(updated) if updated else BEGINNING


def _identity(entry: Json, directive: Directive) -> str:
    return _address(entry) or directive.reference


def _address(entry: Json) -> str:
    """Return the address of an entry without its version, relative where it is ours; "" for one without a server."""
    address = str(entry.get("fullUrl")).partition("/_history/")[0]
    return relative(address) if address.startswith("http") else ""


def _in_order(versions: Iterable[Directive]) -> tuple[Directive, ...]:
    """Put the versions of one consent in order, the latest last.

    They follow one another by their numbers, or by the instants of their change. Where neither tells, all of them are
    unreadable: any of them may be the one that took the consent back (42 CFR 2.31(c)(3)).
    """
    distinct = list({one.digest: one for one in versions}.values())
    if len(distinct) == 1:
        return (distinct[0],)
    for first, second in ((_number, _change), (_change, _number)):
        ordered = sorted(distinct, key=lambda one: (first(one), second(one)))
        leading = [first(one) for one in ordered]
        following = [second(one) for one in ordered if second(one) != _NOWHERE]
        if _NOWHERE not in leading and len(set(leading)) == len(leading) and following == sorted(following):
            return tuple(ordered)
    return tuple(replace(one, readable=False) for one in sorted(distinct, key=lambda one: (_change(one), one.digest)))


def _number(directive: Directive) -> float:
    version = str(directive.version)
    return int(version) if version.isdecimal() else _NOWHERE


def _change(directive: Directive) -> float:
    return _NOWHERE if directive.updated == BEGINNING else directive.updated.timestamp()


def _version_of(resource: Json) -> str | None:
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return version if isinstance(version, str) else None


def _unreadable(resource: Json) -> Directive:
    """Keep what can be known of a consent nobody can read: that it is there, since when, and whose it is."""
    try:
        updated = _updated(resource)
    except (ValueError, AttributeError, TypeError):
        updated = BEGINNING
    try:
        raw = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError, RecursionError):
        raw = b"unreadable"
    identity = str(resource.get("id", ""))
    return Directive(
        reference=f"Consent/{identity}",
        id=identity,
        version=_version_of(resource),
        updated=updated,
        resource=resource,
        digest=hashlib.sha256(raw).digest(),
        readable=False,
        patient=subject_keys(subject_of(resource)),
    )
