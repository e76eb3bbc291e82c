"""Where each item came from, as its Provenance resources tell it: authors, changes of hands, the Part 2 origin.

Organizations are taken by identifier only. Origin is decided for each author, not for each container (42 CFR 2.11
records, 2.12(a)): an author nobody registered stays in the answer as None, so that the decision can hold the item.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.model.fhir_time import BEGINNING, instant
from gateway.model.labeled import Hop, Origin
from gateway.model.partner import Organization, Registry
from gateway.model.provenance import RECEIVE, activity_of

RECEIVED_UNDER = "https://warmhandoff.example/fhir/StructureDefinition/part2-received-under"

NO_ORIGIN = Origin(authors=(), hops=(), program=None, after=())

Json = Mapping[str, Any]


class Origins:
    """The origins that the Provenance resources of one bundle tell, by the reference of the item.

    `directory` holds the bundle's own Organization and PractitionerRole resources, which an agent may point to.
    """

    def __init__(
        self, provenances: Sequence[Json], directory: Mapping[str, Json], registry: Registry, at: datetime
    ) -> None:
        self._registry = registry
        self._directory = directory
        self._at = at
        self._authors: dict[str, list[Organization | None]] = {}
        self._inputs: dict[str, list[str]] = {}
        self._made_of: dict[str, list[str]] = {}
        self._hops: dict[str, list[tuple[datetime, str, Hop]]] = {}
        self._sources: dict[str, tuple[int, ...]] = {}
        self._made: dict[tuple[int, ...], Origin] = {}
        for number, provenance in enumerate(provenances):
            for target in self._take(provenance):
                self._sources[target] = (*self._sources.get(target, ()), number)

    def of(self, reference: str) -> Origin:
        """Return the origin of an item; NO_ORIGIN where no Provenance names its author.

        Items of the same Provenances share one Origin.
        """
        sources = self._sources.get(reference, ())
        made = self._made.get(sources)
        if made is None:
            made = self._made[sources] = self._make(reference)
        return made

    def _make(self, reference: str) -> Origin:
        authors = self._all_authors(reference, frozenset())
        if not authors:
            return NO_ORIGIN
        in_order = sorted(self._all_hops(reference, frozenset()), key=lambda one: one[:2])
        hops = tuple(hop for _, _, hop in in_order)
        for author in authors:
            if author is not None and self._is_program(author):
                return Origin(authors, hops, author, _after(author, hops))
        for index, hop in enumerate(hops):
            if hop.custodian is not None and self._is_program(hop.custodian):
                return Origin(authors, hops, hop.custodian, _after(hop.custodian, hops[index + 1 :]))
        return Origin(authors, hops, None, ())

    def _all_authors(self, reference: str, seen: frozenset[str]) -> tuple[Organization | None, ...]:
        if reference in seen:
            return (None,)
        authors = list(self._authors.get(reference, ()))
        for source in self._inputs.get(reference, ()):
            # An input whose own origin nobody stated leaves the derived item without a known author. A program that
            # only received the input made it a Part 2 record, so it counts like an author of what came of it.
            authors += self._all_authors(source, seen | {reference}) or (None,)
            authors += [hop.custodian for _, _, hop in self._hops.get(source, ()) if self._is_program(hop.custodian)]
        unique = {each.id if each else "": each for each in authors}
        return tuple(unique[key] for key in sorted(unique))

    def _all_hops(self, reference: str, seen: frozenset[str]) -> Iterator[tuple[datetime, str, Hop]]:
        """Yield the changes of hands of an item, and those by which its maker got what it was made of.

        What is made of a copy is bound like it; a copy that went elsewhere binds nothing its origin makes.
        """
        yield from self._hops.get(reference, ())
        makers = {each.id for each in self._authors.get(reference, ()) if each is not None}
        for source in self._made_of.get(reference, ()):
            if source not in seen:
                hops = sorted(self._all_hops(source, seen | {reference}), key=lambda one: one[:2])
                got = [n for n, (_, _, hop) in enumerate(hops) if hop.custodian and hop.custodian.id in makers]
                yield from hops[: max(got, default=-1) + 1]

    def _is_program(self, organization: Organization | None) -> bool:
        return organization is not None and organization.is_program(self._at)

    def _take(self, provenance: Json) -> list[str]:
        """Take in one Provenance and return its targets."""
        activity = activity_of(provenance)
        targets = [target["reference"] for target in provenance.get("target", ()) if "reference" in target]
        agents = provenance.get("agent", ())
        if activity == RECEIVE:
            hop = (_recorded(provenance), str(provenance.get("id", "")), self._hop(provenance, agents))
            for target in targets:
                self._hops.setdefault(target, []).append(hop)
            return targets
        authors = [self._organization(agent) for agent in agents if _is(agent, "author")]
        inputs: list[str] = []
        made_of: list[str] = []
        for entity in provenance.get("entity", ()) if activity == "transform" else ():
            if entity.get("role") == "derivation":
                named = [self._organization(agent) for agent in entity.get("agent", ()) if _is(agent, "author")]
                authors += named
                made_of.append(entity.get("what", {}).get("reference", ""))
                if not named:
                    inputs.append(made_of[-1])
        for target in targets:
            self._authors.setdefault(target, []).extend(authors)
            self._inputs.setdefault(target, []).extend(inputs)
            self._made_of.setdefault(target, []).extend(made_of)
        return targets

    def _hop(self, provenance: Json, agents: Iterable[Json]) -> Hop:
        custodian = next((self._organization(agent) for agent in agents if _is(agent, "custodian")), None)
        purposes = tuple(
            (coding.get("system", ""), coding["code"])
            for reason in provenance.get("reason", ())
            for coding in reason.get("coding", ())
            if "code" in coding
        )
        under: Json = next((one for one in provenance.get("extension", ()) if one.get("url") == RECEIVED_UNDER), {})
        return Hop(custodian, purposes, under.get("valueReference", {}).get("reference"), under.get("valueCode"))

    def _organization(self, agent: Json) -> Organization | None:
        named = agent.get("onBehalfOf") or agent.get("who") or {}
        found = self._registry.find_by_reference(named)
        return found or self._from_directory(named.get("reference"))

    def _from_directory(self, reference: str | None) -> Organization | None:
        resource = self._directory.get(reference or "", {})
        if resource.get("resourceType") == "PractitionerRole":
            organization = resource.get("organization", {})
            return self._registry.find_by_reference(organization) or self._by_identifiers(
                self._directory.get(organization.get("reference", ""), {})
            )
        return self._by_identifiers(resource) if resource.get("resourceType") == "Organization" else None

    def _by_identifiers(self, resource: Json) -> Organization | None:
        for identifier in resource.get("identifier", ()):
            found = self._registry.find(identifier.get("system", ""), identifier.get("value", ""))
            if found:
                return found
        return None


def _after(program: Organization, hops: tuple[Hop, ...]) -> tuple[Hop, ...]:
    """Return the hops that left the program; a copy that came home again is no copy elsewhere."""
    last_home = max((n for n, hop in enumerate(hops) if hop.custodian and hop.custodian.id == program.id), default=-1)
    return hops[last_home + 1 :]


def _recorded(provenance: Json) -> datetime:
    try:
        return instant(provenance.get("recorded"))
    except ValueError:
        return BEGINNING


def _is(agent: Json, code: str) -> bool:
    return any(coding.get("code") == code for coding in agent.get("type", {}).get("coding", ()))
