"""Read the tree of provisions of one consent: bounded, typed, with parties resolved to keys."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from gateway.consent.facts import identifier_keys, subject_keys
from gateway.consent.purposes import covered_by
from gateway.model.consent_directive import DataReference, Grant, Interval, Party, Provision, grant_of
from gateway.model.fhir_time import covered_interval
from gateway.model.labels import CONFIDENTIALITY, CONFIDENTIALITY_RANK, expand
from gateway.model.partner import Registry

RECIPIENT_CLASS = "https://warmhandoff.example/fhir/CodeSystem/recipient-class"
RECIPIENT_CLASSES = frozenset({"tpo", "treating-participants", "all-participants"})

MAX_DEPTH = 16
MAX_PROVISIONS = 2000
"""Bounds of a provision tree: beyond them a consent is unreadable."""

_DISCLOSER_ROLE = "CST"
_RECIPIENT_ROLES = frozenset({"IRCP", "PRCP", "REFT", "TRC", "GRANTEE"})
"""v3-ParticipationType and v3-RoleClass codes of who receives."""
_RESOURCE_TYPES = frozenset({"http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/fhir-types", None})
"""The only systems of `class` that can be matched; content types and profiles cannot."""

Json = Mapping[str, Any]
_NOBODY = Party(frozenset(), vague=True)


def read_provision(root: Json, consent: Json, registry: Registry, zone: tzinfo) -> Provision:
    """Read the provision tree of `consent`. Raises ValueError where it is unbounded or a type is missing."""
    budget = [MAX_PROVISIONS]
    return _read(root, consent, registry, zone, 0, budget)


def grants_of(root: Provision | None) -> tuple[Grant, ...]:
    """Return every permit with the provisions around it, outermost first, without a bare closed default.

    A consent without any permit has one empty grant: it permits nothing, and its elements say why.
    """
    found: list[tuple[Provision, ...]] = []
    if root is not None:
        _walk(root, (), found)
    return tuple(grant_of(provisions) for provisions in found or [()])


def can_refuse(provision: Provision | None, is_root: bool = True) -> bool:
    """Say whether any provision is a refusal: a deny, but not the closed default of a root."""
    if provision is None:
        return False
    if provision.type == "deny" and not (is_root and is_closed_default(provision)):
        return True
    return any(can_refuse(nested, is_root=False) for nested in provision.nested)


def is_closed_default(root: Provision) -> bool:
    """Say whether a deny at the root only says that nothing goes but what the permits in it let go."""
    return root.is_bare and _has_permit(root)


def tells_items_apart(provision: Provision | None) -> bool:
    """Say whether any provision looks at more of an item than its labels and type: codes, dates, single resources."""
    if provision is None:
        return False
    looks = bool(provision.codes or provision.data or provision.data_period)
    return looks or any(tells_items_apart(nested) for nested in provision.nested)


def _has_permit(provision: Provision) -> bool:
    return provision.type == "permit" or any(_has_permit(nested) for nested in provision.nested)


def read_party(reference: Json, consent: Json, registry: Registry) -> Party:
    """Read whom a Reference names: by identifier, by address, through what the consent contains, or nobody."""
    target = reference.get("reference", "")
    if target.startswith("#"):
        contained = next((one for one in consent.get("contained", ()) if one.get("id") == target[1:]), None)
        return _contained_party(contained, registry)
    keys = subject_keys(reference)
    organization = registry.find_by_reference(reference)
    if not keys:
        return _NOBODY
    return Party(keys, organization.id if organization else None)


def read_period(period: Json | None, zone: tzinfo) -> Interval:
    """Read a Period; its end covers its whole stated precision (FHIR R4 Period.end)."""
    if not period:
        return None, None
    start, end = period.get("start"), period.get("end")
    return (
        covered_interval(start, zone)[0] if start else None,
        covered_interval(end, zone)[1] if end else None,
    )


def _walk(provision: Provision, around: tuple[Provision, ...], found: list[tuple[Provision, ...]]) -> None:
    here = around if provision.type == "deny" and provision.is_bare and not around else (*around, provision)
    if provision.type == "permit":
        found.append(here)
    for nested in provision.nested:
        _walk(nested, here, found)


def _read(written: Json, consent: Json, registry: Registry, zone: tzinfo, depth: int, budget: list[int]) -> Provision:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise ValueError("provisions nested too deep or too many")
    nested = tuple(_read(one, consent, registry, zone, depth + 1, budget) for one in written.get("provision", ()))
    actors = [(one, _read_actor(one, consent, registry)) for one in written.get("actor", ())]
    ranks = [
        CONFIDENTIALITY_RANK[one["code"]]
        for one in written.get("securityLabel", ())
        if one.get("system") == CONFIDENTIALITY
    ]
    labels = [
        expand((one.get("system", ""), one["code"]))
        for one in written.get("securityLabel", ())
        if one.get("system") != CONFIDENTIALITY
    ]
    purposes = tuple((one.get("system", ""), one["code"]) for one in written.get("purpose", ()))
    provision = Provision(
        type=_type(written, depth),
        period=read_period(written.get("period"), zone),
        recipients=tuple(party for one, party in actors if not _is_discloser(one)),
        disclosers=tuple(party for one, party in actors if _is_discloser(one)),
        purposes=purposes,
        covered=covered_by(purposes),
        labels=frozenset().union(*labels),
        confidentiality=max(ranks, default=None),
        classes=frozenset(one["code"] if _is_type(one) else "" for one in written.get("class", ())),
        codes=frozenset(_codings(written.get("code", ()))),
        data=tuple(DataReference(one["meaning"], subject_keys(one["reference"])) for one in written.get("data", ())),
        data_period=read_period(written["dataPeriod"], zone) if "dataPeriod" in written else None,
        actions=frozenset(code for _, code in _codings(written.get("action", ()))),
        nested=nested,
    )
    can_be_told = all("system" in one for one in _conditions(written)) and all(map(_is_type, written.get("class", ())))
    if provision.type == "deny" and not can_be_told:
        raise ValueError("a refusal of something nobody can tell")
    if "type" not in written and not provision.is_bare:
        raise ValueError("a root provision with conditions and no type")
    return provision


def _conditions(written: Json) -> Iterable[Json]:
    yield from written.get("purpose", ())
    yield from written.get("securityLabel", ())
    yield from (coding for concept in written.get("code", ()) for coding in concept["coding"])


def _type(written: Json, depth: int) -> Any:
    # A root without a type that only holds nested provisions is a closed default.
    stated = written.get("type", "deny" if depth == 0 else None)
    if stated not in ("permit", "deny"):
        raise ValueError("a provision that is neither permit nor deny")
    return stated


def _is_type(coding: Json) -> bool:
    return coding.get("system") in _RESOURCE_TYPES


def _read_actor(actor: Json, consent: Json, registry: Registry) -> Party:
    """Read an actor; in a role that neither receives nor discloses nobody can tell what the provision wants of it."""
    party = read_party(actor["reference"], consent, registry)
    roles = _roles(actor)
    return party if not roles or roles & (_RECIPIENT_ROLES | {_DISCLOSER_ROLE}) else _NOBODY


def _is_discloser(actor: Json) -> bool:
    return _DISCLOSER_ROLE in _roles(actor)


def _roles(actor: Json) -> set[str | None]:
    return {coding.get("code") for coding in actor.get("role", {}).get("coding", ())}


def _contained_party(contained: Json | None, registry: Registry) -> Party:
    """Read a contained actor. A Group is known by our code, never by its text: with text only it is no recipient."""
    if contained is None:
        raise ValueError("a reference to something the consent does not contain")
    for coding in contained.get("code", {}).get("coding", ()) if contained["resourceType"] == "Group" else ():
        if coding.get("system") == RECIPIENT_CLASS and coding.get("code") in RECIPIENT_CLASSES:
            return Party(frozenset(), recipient_class=coding["code"])
    keys = identifier_keys(contained)
    identifiers = contained.get("identifier", ())
    found = next((org for one in identifiers if (org := registry.find_by_reference({"identifier": one}))), None)
    return Party(keys, found.id if found else None) if keys else _NOBODY


def _codings(concepts: Iterable[Json]) -> Iterable[tuple[str, str]]:
    for concept in concepts:
        for coding in concept.get("coding", ()):
            yield coding.get("system", ""), coding["code"]
