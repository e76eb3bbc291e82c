"""What a recipient may see named: the released items, those who support them, and no program that would tell.

An organization whose name alone identifies a patient is hidden, unless it is the origin of something released (then
the consent names it anyway) or the recipient, who knows itself. Of any other program no person and no place is shown:
that a record names its clinician would tell that the program wrote something in it. Both depend on what is released and
on who gets it, never on what is withheld.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
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
    named = _told_by(released) | _who_knows_itself(frozenset(recipients))
    programs, telling = registry.programs_at(records.at)
    hidden = frozenset(one.id for one in telling if one.id not in named)
    silent = frozenset(one.id for one in programs if one.id not in named)
    needles = sorted({needle for one in telling if one.id in hidden for needle in _needles(one)})
    base = Visible(
        references=frozenset(item.reference for item in released),
        subjects=frozenset[str]().union(*[item.subjects for item in released]),
        registry=registry,
        hidden=hidden,
        needles=tuple(needles),
    )
    shown = {
        reference for reference, one in records.directory.items() if _may_show(one, records.directory, base, silent)
    }
    return replace(base, references=base.references | shown) if shown else base


def _told_by(released: Iterable[Item]) -> frozenset[str]:
    origins = {id(item.origin): item.origin for item in released}  # most items share one
    return frozenset(
        one.id
        for origin in origins.values()
        for one in (*origin.authors, origin.program, *(hop.custodian for hop in origin.hops))
        if one is not None
    )


def _who_knows_itself(recipients: frozenset[str]) -> frozenset[str]:
    return recipients if len(recipients) == 1 else frozenset()


def _needles(organization: Organization) -> Iterable[str]:
    yield organization.name.lower()
    for endpoint in organization.endpoints:
        host = endpoint.address.partition("://")[2].partition("/")[0].partition(":")[0]
        if host:
            yield host.lower()


def _may_show(resource: Json, directory: Mapping[str, Json], visible: Visible, silent: Set[str]) -> bool:
    """Say whether a directory resource belongs to somebody who may be named; whoever is unknown may not.

    `silent` are the programs of whose people and places nothing is shown, though their names may be.
    """
    if resource["resourceType"] == "Organization":
        return any(visible.organization(one) is not None for one in resource.get("identifier", ()))
    for key in ("organization", "managingOrganization", "providedBy"):
        named = resource.get(key)
        if isinstance(named, Mapping):
            inside = directory.get(named.get("reference", ""), {})
            numbers = (named.get("identifier"), *inside.get("identifier", ()))
            homes = [home for one in numbers if (home := visible.organization(one)) is not None]
            if not homes or any(home.id in silent for home in homes):
                return False
    return True
