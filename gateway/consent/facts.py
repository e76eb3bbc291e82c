"""What is known around a request: the patient index, relationships, restrictions, revocations, failed sources.

Read once into plain sets (docs/consent-engine.md). A resource version that does not exist yet at `at` is left out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gateway.model.fhir_time import BEGINNING, covered_interval, instant
from gateway.model.labeled import Item
from gateway.model.partner import Organization, Registry

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Merge:
    """Two index records said to be one person."""

    retired: str
    kept: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation that reached us outside the consent: of every consent (None) or of the named ones.

    `received` None: nobody wrote down when, so it counts against every consent there is.
    """

    of: frozenset[str] | None
    is_oral: bool
    received: datetime | None


@dataclass(frozen=True, slots=True)
class Restriction:
    """A restriction under 42 CFR 2.26: `kind` agreed or self_pay; `items` None = everything.

    `of` are the organizations that are bound by it, None = everybody: what one program has promised binds no other,
    and must not tell another that there is such a program.
    """

    kind: str
    against: frozenset[str]
    items: frozenset[str] | None
    of: frozenset[str] | None

    def covers(self, item: Item) -> bool:
        """Say whether an item is among what was promised: one of those that are named, in the hands of who is bound."""
        if self.items is not None and item.reference not in self.items:
            return False
        origin = item.origin
        holders = [origin.program] if origin.program is not None else [*origin.authors]
        holders += [hop.custodian for hop in origin.after]
        return self.of is None or any(one is None or one.id in self.of for one in holders)


@dataclass(frozen=True, slots=True)
class Episode:
    """A finished treatment at an organization; `ended` None: nobody wrote down when."""

    organization: str | None
    subjects: frozenset[str]
    ended: datetime | None


@dataclass
class Facts:
    """The facts of one decision. Relationship maps go from a registry id to the subjects (keys) it serves."""

    patients: dict[str, Json] = field(default_factory=dict)
    patients_by_key: dict[str, set[str]] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    """Persons already found, by the key they were asked for: the same facts give the same person."""
    merges: list[Merge] = field(default_factory=list)
    treating: dict[str, set[str]] = field(default_factory=dict)
    covering: dict[str, set[str]] = field(default_factory=dict)
    care_teams: dict[str, Json] = field(default_factory=dict)
    persons: dict[str, Json] = field(default_factory=dict)
    finished_episodes: list[Episode] = field(default_factory=list)
    studies_closed: bool = False
    revocations: list[Revocation] = field(default_factory=list)
    false_consents: set[str] = field(default_factory=set)
    restrictions: list[Restriction] = field(default_factory=list)
    unavailable: set[str] = field(default_factory=set)
    digest: bytes = b""


_RELATIONSHIPS = frozenset({"Encounter", "CareTeam", "Coverage"})
_OPEN_ENCOUNTER = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_CLOSED_STUDY = frozenset(
    {"completed", "administratively-completed", "closed-to-accrual-and-intervention", "withdrawn"}
)


def read_facts(stated: Iterable[Json], registry: Registry, at: datetime) -> Facts:
    """Read the list of facts of one request: FHIR resources and typed facts (docs/consent-engine.md).

    `at` decides which resource versions exist and which dated facts count. Typed facts of an unknown kind are
    history and change nothing. Raises ValueError for a fact that is no object or lacks what its kind needs.
    """
    facts = Facts()
    digests = []
    resources: dict[str, tuple[datetime, Json]] = {}
    for one in stated:
        if not isinstance(one, Mapping):
            raise ValueError("facts: expected objects")
        digests.append(hashlib.sha256(orjson.dumps(one, option=orjson.OPT_SORT_KEYS)).digest())
        if "resourceType" in one:
            _keep_latest(resources, one, at)
        else:
            _take_typed(facts, one, at)
    for reference, (_, resource) in resources.items():
        _take_resource(facts, reference, resource, registry, at)
    facts.digest = hashlib.sha256(b"".join(sorted(digests))).digest()
    return facts


def subject_keys(reference: Json | None) -> frozenset[str]:
    """Return the keys by which a Reference to a person is matched: `Type/id` and `system|value`."""
    if not isinstance(reference, Mapping):
        return frozenset()
    address = reference.get("reference")
    named = {relative(address)} if isinstance(address, str) else set()
    return identifier_keys(reference) | named


def identifier_keys(holder: Json) -> frozenset[str]:
    """Return the identifiers of a resource or a Reference as `system|value`; of some types there is one at most."""
    stated = holder.get("identifier")
    identifiers = [one for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, Mapping)]
    return frozenset(f"{one.get('system', '')}|{one['value']}" for one in identifiers if "value" in one)


def relative(reference: str) -> str:
    """Cut a FHIR address of this installation down to `Type/id`; leave others whole, they are other systems'."""
    prefix = "https://warmhandoff.example/fhir/"
    return reference[len(prefix) :] if reference.startswith(prefix) else reference


def _keep_latest(resources: dict[str, tuple[datetime, Json]], resource: Json, at: datetime) -> None:
    # Without an id it is no version of another: nothing of two is lost.
    identifier = resource.get("id", f"#{len(resources)}")
    reference = f"{resource['resourceType']}/{identifier}"
    updated = resource.get("meta", {}).get("lastUpdated")
    stamp = instant(updated) if updated else BEGINNING
    known = resources.get(reference)
    if stamp <= at and (known is None or stamp >= known[0]):
        resources[reference] = (stamp, resource)


def _take_resource(facts: Facts, reference: str, resource: Json, registry: Registry, at: datetime) -> None:
    kind, status = resource["resourceType"], resource.get("status")
    if kind in _RELATIONSHIPS and _has_ended(resource, ZoneInfo(registry.zone), at):
        return
    if kind == "Patient":
        facts.patients[reference] = resource
        for key in (reference, *identifier_keys(resource)):
            facts.patients_by_key.setdefault(key, set()).add(reference)
    elif kind == "Encounter" and status in _OPEN_ENCOUNTER:
        _relate(facts.treating, registry.find_by_reference(resource.get("serviceProvider")), resource.get("subject"))
    elif kind == "CareTeam":
        _take_care_team(facts, reference, resource, registry)
    elif kind == "EpisodeOfCare":
        _take_episode(facts, resource, registry)
    elif kind == "Coverage" and status == "active":
        for payor in resource.get("payor", ()):
            _relate(facts.covering, registry.find_by_reference(payor), resource.get("beneficiary"))
    elif kind == "ResearchStudy":
        facts.studies_closed = facts.studies_closed or status in _CLOSED_STUDY
    elif kind in ("PractitionerRole", "RelatedPerson", "Practitioner"):
        facts.persons[reference] = resource


def _take_care_team(facts: Facts, reference: str, team: Json, registry: Registry) -> None:
    facts.care_teams[reference] = team
    if team.get("status", "active") == "active":
        for participant in team.get("participant", ()):
            for named in (participant.get("member"), participant.get("onBehalfOf")):
                _relate(facts.treating, registry.find_by_reference(named), team.get("subject"))


def _has_ended(resource: Json, zone: tzinfo, at: datetime) -> bool:
    end = resource.get("period", {}).get("end")
    try:
        return end is not None and covered_interval(end, zone)[1] <= at
    except ValueError:
        return True


def _take_episode(facts: Facts, episode: Json, registry: Registry) -> None:
    organization = registry.find_by_reference(episode.get("managingOrganization"))
    if episode.get("status") == "active":
        _relate(facts.treating, organization, episode.get("patient"))
    if episode.get("status") == "finished":
        identifier = organization.id if organization else None
        ended = _end(episode, (organization and organization.zone) or ZoneInfo(registry.zone))
        facts.finished_episodes.append(Episode(identifier, subject_keys(episode.get("patient")), ended))


def _end(resource: Json, zone: tzinfo) -> datetime | None:
    try:
        return covered_interval(resource.get("period", {}).get("end"), zone)[1]
    except ValueError:
        return None


def _relate(relations: dict[str, set[str]], organization: Organization | None, subject: Json | None) -> None:
    if organization is not None:
        relations.setdefault(organization.id, set()).update(subject_keys(subject))


def _take_typed(facts: Facts, one: Json, at: datetime) -> None:
    kind = one.get("type")
    try:
        if kind == "unavailable":
            facts.unavailable.add(one["what"])
        elif kind == "merge":
            facts.merges.append(Merge(relative(one["from"]), relative(one["into"]), one.get("verified") is True))
        elif kind == "revocation":
            _take_revocation(facts, one, at)
        elif kind == "consent_false":
            _take_false(facts, one, at)
        elif kind == "restriction":
            items, of = one.get("items"), one.get("of")
            restriction = Restriction(
                one["kind"],
                frozenset(one["against"]),
                None if items is None else frozenset(items),
                None if of is None else frozenset(of),
            )
            facts.restrictions.append(restriction)
    except (KeyError, TypeError) as error:
        raise ValueError(f"facts: a {kind} fact lacks what its kind needs") from error


def _take_revocation(facts: Facts, one: Json, at: datetime) -> None:
    received = _when(one.get("received"))
    if received is not None and received > at:
        return
    of = None if one["of"] == "all" else frozenset(relative(each) for each in one["of"])
    facts.revocations.append(Revocation(of, one.get("method") == "oral", received))


def _take_false(facts: Facts, one: Json, at: datetime) -> None:
    reported = _when(one.get("reported"))
    if reported is None or reported <= at:
        facts.false_consents.add(relative(one["consent"]))


def _when(text: object) -> datetime | None:
    """Read an instant; a fact that is not dated, or only to the day, counts at once: it is known."""
    try:
        return instant(text)
    except ValueError:
        return None
