"""One request in its situation: who receives, whose records, which consents count, at which instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.consent.facts import Facts, identifier_keys, subject_keys
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive
from gateway.model.labeled import Item
from gateway.model.partner import Organization, Registry
from gateway.model.request import Request

_LAW_ENFORCEMENT_PERSONS = frozenset({"officer", "detective", "prosecutor"})

_ROLES_IN_TEAM = ("member", "onBehalfOf")
_TEAM_IN_BEING = frozenset({"active", None})

_REACHED = "reached"
"""What a situation remembers: all keys of those the records reach."""

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Person:
    """The one person the request is about. `keys` are all references and identifiers of the same person."""

    keys: frozenset[str]
    born: date | None

    def age_on(self, day: date) -> int | None:
        """Return the age in full years on a day, None where no birth date is known."""
        if self.born is None:
            return None
        has_had_birthday = (day.month, day.day) >= (self.born.month, self.born.day)
        return day.year - self.born.year - (0 if has_had_birthday else 1)


class Recipient(NamedTuple):
    """Who would get the records: a registered organization, or a person; `keys` are all it can be named by."""

    reference: str
    organization: Organization | None
    keys: frozenset[str]
    is_law_enforcement: bool


@dataclass(slots=True)
class Situation:
    """Everything the steps look at for one recipient.

    `directives` are the person's consents in being, by id; `refusing` those of them that refuse something;
    `is_unreadable`: one of them cannot be read safely. `tells_items_apart`: items of one origin and type with the
    same labels may come out differently. `items` is everything that was asked for. `must_hold`: who asks does not
    receive, so it must hold each item it asks to send. `memory` keeps what is the same for every item (consents read
    for one discloser).
    """

    request: Request
    recipient: Recipient
    relays: tuple[Recipient, ...]
    person: Person | None
    consents: Consents
    directives: tuple[Directive, ...]
    facts: Facts
    registry: Registry
    switches: Switches
    at: datetime
    refusing: tuple[Directive, ...]
    is_unreadable: bool
    tells_items_apart: bool
    items: tuple[Item, ...] = ()
    must_hold: bool = False
    memory: dict[Any, Any] = field(default_factory=dict)

    @property
    def patient_keys(self) -> frozenset[str]:
        """All keys of the person the request is about; empty without one."""
        return self.person.keys if self.person else frozenset()

    def age_at(self, at: datetime) -> int | None:
        """Return the age of the person the request is about in full years, None where nobody knows it.

        A birthday begins at midnight where the installation is: law counts the days of a place.
        """
        return self.person.age_on(at.astimezone(ZoneInfo(self.registry.zone)).date()) if self.person else None

    def names_another(self, keys: frozenset[str]) -> bool:
        """Say whether one of the keys is known to be somebody else's than the person's the request is about."""
        known = [self.facts.patients_by_key.get(key, set()) for key in keys - self.patient_keys]
        return any(patients - self.patient_keys for patients in known)

    @property
    def reached(self) -> frozenset[str]:
        """All keys of those the records reach: the recipient, whoever is on the way, and what each is a unit of.

        Who says no to an organization says no to its units too, though a yes to it is none to them.
        """
        if _REACHED not in self.memory:
            keys = self.recipient.keys.union(*(relay.keys for relay in self.relays), self.request.via)
            for organization in (self.recipient.organization, *map(self.registry.get, self.request.via)):
                while organization is not None:
                    keys |= organization.keys
                    organization = self.registry.get(organization.parent)
            self.memory[_REACHED] = keys
        reached: frozenset[str] = self.memory[_REACHED]
        return reached


def recipient_of(
    reference: str, request: Request, facts: Facts, registry: Registry, person: Person | None
) -> Recipient:
    """Resolve a recipient to the keys it may be named by in a consent."""
    organization = registry.get(reference)
    keys = {reference}
    if organization is not None:
        keys |= organization.keys
    elif person is not None and reference in person.keys:
        keys |= person.keys
    keys.update(_person_keys(reference, facts.persons))
    is_own_request = request.organization in (reference, None)
    if is_own_request and request.person_id:
        keys.add(request.person_id)
        keys.update(_person_keys(request.person_id, facts.persons))
    for team_reference, team in facts.care_teams.items():
        if _is_member(team, keys):
            keys.add(team_reference)
    is_officer = is_own_request and request.person_role in _LAW_ENFORCEMENT_PERSONS
    is_law_enforcement = is_officer or (organization is not None and organization.is_law_enforcement)
    return Recipient(reference, organization, frozenset(keys), is_law_enforcement)


def _person_keys(reference: str, persons: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return by what a person of the facts can be named: own identifiers, and those of the practitioner in a role."""
    resource = persons.get(reference)
    if resource is None:
        return frozenset()
    return identifier_keys(resource) | subject_keys(resource.get("practitioner"))


def _is_member(team: Mapping[str, Any], keys: set[str]) -> bool:
    named = [
        subject_keys(participant.get(role)) for participant in team.get("participant", ()) for role in _ROLES_IN_TEAM
    ]
    return team.get("status") in _TEAM_IN_BEING and any(not keys.isdisjoint(one) for one in named)
