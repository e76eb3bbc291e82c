"""What a recipient may see named: the released items, those who support them, and no program that would tell.

An organization whose name alone identifies a patient is hidden, unless it is the origin of something released (then
the consent names it anyway) or the recipient, who knows itself. Hidden depends on what is released and on who gets it,
never on what is withheld.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.model.labeled import Item, LabeledRecords
from gateway.model.partner import Organization, Registry

Json = Mapping[str, Any]

OWN_BASE = "https://warmhandoff.example/fhir/"


@dataclass(frozen=True, slots=True)
class Visible:
    """References that resolve inside the disclosure, and how to tell who must not be named.

    `needles` are lower-case names and hosts of hidden organizations. `subjects` are the keys of the person.
    """

    references: frozenset[str]
    subjects: frozenset[str]
    registry: Registry
    hidden: frozenset[str]
    needles: tuple[str, ...]

    def organization(self, identifier: object) -> Organization | None:
        """Return the organization of a logical identifier if it is registered and may be named."""
        if not isinstance(identifier, Mapping):
            return None
        found = self.registry.find(identifier.get("system", ""), identifier.get("value", ""))
        return found if found is not None and found.id not in self.hidden else None

    def tells(self, text: str) -> bool:
        """Say whether a text names a hidden organization."""
        if not self.needles:
            return False
        lowered = text.lower()
        return any(needle in lowered for needle in self.needles)


def visible_to(
    released: Iterable[Item], records: LabeledRecords, registry: Registry, recipients: Iterable[str]
) -> Visible:
    """Work out what the released items let these recipients see; with several, each knows only itself."""
    released = tuple(released)
    known = frozenset(recipients)
    hidden = _hidden(released, registry, records.at) - (known if len(known) == 1 else frozenset())
    needles = sorted({needle for one in registry if one.id in hidden for needle in _needles(one)})
    base = Visible(
        references=frozenset(item.reference for item in released),
        subjects=frozenset(key for item in released for key in item.subjects),
        registry=registry,
        hidden=hidden,
        needles=tuple(needles),
    )
    shown = {reference for reference, one in records.directory.items() if _may_show(one, records.directory, base)}
    return Visible(base.references | shown, base.subjects, registry, hidden, base.needles)


def _hidden(released: Iterable[Item], registry: Registry, at: datetime) -> frozenset[str]:
    told = {
        one.id
        for item in released
        for one in (*item.origin.authors, item.origin.program, *(hop.custodian for hop in item.origin.hops))
        if one is not None
    }
    return frozenset(one.id for one in registry if one.class_at(at).sud_only and one.id not in told)


def _needles(organization: Organization) -> Iterable[str]:
    yield organization.name.lower()
    for endpoint in organization.endpoints:
        host = endpoint.address.partition("://")[2].partition("/")[0].partition(":")[0]
        if host:
            yield host.lower()


def _may_show(resource: Json, directory: Mapping[str, Json], visible: Visible) -> bool:
    """Say whether a directory resource belongs to somebody who may be named; whoever is unknown may not."""
    if resource["resourceType"] == "Organization":
        return any(visible.organization(one) is not None for one in resource.get("identifier", ()))
    for key in ("organization", "managingOrganization", "providedBy"):
        named = resource.get(key)
        if isinstance(named, Mapping):
            inside = directory.get(named.get("reference", ""))
            is_shown = inside is not None and _may_show(inside, {}, visible)
            if not is_shown and visible.organization(named.get("identifier")) is None:
                return False
    return True
