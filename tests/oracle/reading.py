"""Plain reading of what a case is made of: instants, references, partners, persons, items and where they come from."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

OWN = "https://warmhandoff.example/fhir/"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SECURITY_LABEL = OWN + "CodeSystem/security-label"
PART2_LABEL = (ACT_CODE, "42CFRPart2")
NOTES = (SECURITY_LABEL, "SUDNOTES")
CRIMINAL_HISTORY = (SECURITY_LABEL, "CJI")


class NotJudged(Exception):
    """The world asks something that this oracle says nothing about."""


class Unreadable(Exception):
    """A paper whose meaning cannot be told safely."""


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


def span(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant a FHIR date or dateTime covers, and the first one it does not cover any more."""
    if day := _DAY.fullmatch(text):
        year, month, number = (int(part) if part else None for part in day.groups())
        assert year is not None
        try:
            first = date(year, month or 1, number or 1)
        except ValueError as error:
            raise Unreadable from error
        if number:
            after = first + timedelta(days=1)
        elif month:
            after = (first + timedelta(days=31)).replace(day=1)
        else:
            after = date(year + 1, 1, 1)
        midnights = [datetime(one.year, one.month, one.day, tzinfo=zone).astimezone(UTC) for one in (first, after)]
        return midnights[0], midnights[1]
    if moment := _MOMENT.fullmatch(text):
        start = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
        digits = len(moment[2]) - 1 if moment[2] else 0
        return start, start + timedelta(seconds=10**-digits)
    raise Unreadable


def covers(period: Json | None, at: datetime, zone: tzinfo) -> bool:
    """Say whether an instant lies in a Period, whose ends cover their whole stated precision."""
    period = period or {}
    if "start" in period and at < span(period["start"], zone)[0]:
        return False
    return "end" not in period or at < span(period["end"], zone)[1]


def everywhere(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key of a JSON value with what it holds, however deep."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield key, held
            yield from everywhere(held)
    elif isinstance(value, list):
        for held in value:
            yield from everywhere(held)


def codes(value: Any) -> set[tuple[str, str]]:
    """Collect (system, code) of Codings and CodeableConcepts, in lists or not."""
    if isinstance(value, list):
        return set().union(*map(codes, value))
    if not isinstance(value, dict):
        return set()
    own = {(value.get("system", ""), value["code"])} if isinstance(value.get("code"), str) else set()
    return own | codes(value.get("coding"))


def extensions(element: Json, name: str) -> list[Json]:
    """Return the extensions of ours with a short name."""
    return [one for one in element.get("extension", []) if one["url"] == f"{OWN}StructureDefinition/part2-{name}"]


def identifier(reference: Json | None) -> tuple[str, str] | None:
    """Return the (system, value) of a logical reference."""
    named = (reference or {}).get("identifier")
    return (named.get("system", ""), named.get("value", "")) if named else None


_SITE_ZONE = "America/Los_Angeles"


def on_site(at: datetime) -> date:
    """Return the day that an instant is of where the installation is."""
    return at.astimezone(ZoneInfo(_SITE_ZONE)).date()


_INHERITED = ("roles", "legal_class", "endpoints", "state", "timezone")


class Partners:
    """The registry: who is who on a day, found by identifier."""

    def __init__(self, entries: Iterable[Json], overlay: Iterable[Json], at: datetime) -> None:
        self.at = at
        stated: dict[str, Json] = {}
        for one in overlay:
            stated[one["id"]] = {**stated.get(one["id"], {}), **one}
        self.by_id = {one["id"]: one for one in stated.values()}
        for entry in entries:
            whole = {**entry, **stated.get(entry["id"], {})}
            self.by_id[entry["id"]] = whole
            inherited: Json = {key: whole[key] for key in _INHERITED if key in whole}
            for unit in entry.get("units", []):
                self.by_id[unit["id"]] = {**inherited, **unit, **stated.get(unit["id"], {}), "within": entry["id"]}
        self.by_identifier = {
            (one["system"], one["value"]): name
            for name, entry in self.by_id.items()
            for one in entry.get("identifiers", [])
        }

    def named(self, reference: Json | None) -> str | None:
        """Return the id of the partner a reference names."""
        found = identifier(reference)
        return self.by_identifier.get(found) if found else None

    def roles(self, name: str) -> set[str]:
        """Return the roles of a partner."""
        return set(self.by_id.get(name, {}).get("roles", []))

    def with_wholes(self, names: Iterable[str]) -> set[str]:
        """Return partners with what each is a unit of."""
        found = set(names)
        return found | {whole for one in found if (whole := self.by_id.get(one, {}).get("within"))}

    def wholes_of(self, name: str) -> set[str]:
        """Return what a partner is a unit of."""
        return self.with_wholes({name}) - {name}

    def today(self, name: str) -> str:
        """Return the day it is where a partner is; that of UTC where nobody says."""
        zone = self.by_id.get(name, {}).get("timezone")
        return self.at.astimezone(ZoneInfo(zone) if zone else UTC).date().isoformat()

    def law(self, name: str) -> Json:
        """Return what a partner is in law on the day."""
        classes = self.by_id.get(name, {}).get("legal_class", [])
        begun = [one for one in classes if str(one["from"]) <= self.today(name)]
        return begun[-1] if begun else {"part2": "unknown"}

    def is_program(self, name: str) -> bool:
        """Say whether a partner is a Part 2 program; one that nobody has classified is."""
        return self.law(name).get("part2") not in (False, "no")

    def is_covered(self, name: str) -> bool:
        """Say whether a partner is a covered entity or somebody's business associate."""
        law = self.law(name)
        return bool(law.get("covered_entity") or law.get("business_associate_of"))

    def zone(self, name: str | None) -> tzinfo:
        """Return the zone whose midnights count for a program."""
        return ZoneInfo(self.by_id.get(name or "", {}).get("timezone", _SITE_ZONE))

    def agreement(self, holder: str, identity: str, kind: str, other: str) -> Json | None:
        """Return an agreement of a partner with another that is in force on the day."""
        today = self.today(holder)
        one: Json
        for one in self.by_id.get(holder, {}).get("agreements", []):
            if (one["id"], one["type"], one["with"]) != (identity or one["id"], kind, other):
                continue
            if str(one["from"]) <= today <= str(one.get("to", "9999")):
                return one
        return None


@dataclass(frozen=True)
class Hop:
    """A copy changed hands: who has it now, under what, for what."""

    custodian: str
    under: str
    reason: frozenset[tuple[str, str]]


@dataclass
class Item:
    """What is asked, with where it comes from."""

    reference: str
    resource: Json
    authors: list[str | None] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)

    def origin(self, partners: Partners) -> str | None:
        """Return the first Part 2 program among authors and custodians."""
        hands = [*(one for one in self.authors if one), *(hop.custodian for hop in self.hops)]
        return next((one for one in hands if partners.is_program(one)), None)

    def programs(self, partners: Partners) -> list[str]:
        """Return the Part 2 programs that wrote of it."""
        return sorted({one for one in self.authors if one and partners.is_program(one)})

    def onward(self, partners: Partners) -> list[Hop]:
        """Return the hops after its Part 2 origin last had it: what came home is its own."""
        here = [place for place, hop in enumerate(self.hops) if hop.custodian == self.origin(partners)]
        return self.hops[here[-1] + 1 :] if here else self.hops

    @property
    def stated_labels(self) -> set[tuple[str, str]]:
        """The labels the item came with."""
        return codes(self.resource.get("meta", {}).get("security", []))


def _agents(provenance: Json, kind: str) -> list[Json]:
    found = [one for one in provenance.get("agent", []) if kind in {code for _, code in codes(one.get("type"))}]
    return [one.get("onBehalfOf") or one.get("who", {}) for one in found]


def _made_of(item: Item, provenance: Json, items: dict[str, Item], partners: Partners) -> None:
    """Take from what an item was made of who wrote that and who has had it: 42 CFR 2.11, records."""
    for entity in provenance.get("entity", []):
        named = [partners.named(who) for who in _agents(entity, "author")]
        source = items.get(entity.get("what", {}).get("reference", ""))
        hops = source.hops if source else []
        got = [place for place, hop in enumerate(hops) if hop.custodian in item.authors]
        item.hops = [*hops[: max(got, default=-1) + 1], *item.hops]
        item.authors += named or [
            *((source.authors if source else []) or [None]),
            *(hop.custodian for hop in hops if partners.is_program(hop.custodian)),
        ]


def read_items(records: Json, asked: list[str] | None, partners: Partners) -> list[Item]:
    """Return what is asked of the records, with authors and the hands that it, or what it was made of, went through."""
    resources = [entry["resource"] for entry in records.get("entry", [])]
    items = {
        f"{one['resourceType']}/{one['id']}": Item(f"{one['resourceType']}/{one['id']}", one)
        for one in resources
        if one["resourceType"] != "Provenance"
    }
    provenances = [one for one in resources if one["resourceType"] == "Provenance"]
    for one in sorted(provenances, key=lambda one: str(one.get("recorded", ""))):
        activity = {code for _, code in codes(one.get("activity"))}
        for target in one.get("target", []):
            item = items.get(target["reference"])
            if item is None:
                continue
            if "receive" in activity:
                custodian = partners.named(_agents(one, "custodian")[0])
                if custodian is None:
                    raise NotJudged("a custodian nobody knows")
                under = (extensions(one, "received-under") or [{}])[0]
                stated = under.get("valueCode") or under.get("valueReference", {}).get("reference", "")
                item.hops.append(Hop(custodian, stated, frozenset(codes(one.get("reason", [])))))
            else:
                item.authors += [partners.named(who) for who in _agents(one, "author")]
                if "transform" in activity:
                    _made_of(item, one, items, partners)
    return [item for name, item in items.items() if asked is None or name in asked]


@dataclass(frozen=True)
class Person:
    """The patient a request is about: every reference and identifier that means this one person."""

    keys: frozenset[Any]
    resource: Json

    def is_meant(self, reference: Json | None) -> bool:
        """Say whether a reference means this person."""
        return bool(reference) and (
            (reference or {}).get("reference") in self.keys or identifier(reference) in self.keys
        )

    def is_of(self, resource: Json) -> bool:
        """Say whether a resource is about this person."""
        if resource["resourceType"] == "Patient":
            return f"Patient/{resource['id']}" in self.keys
        stated = [resource[key] for key in ("subject", "patient", "for", "beneficiary") if key in resource]
        stated += [one["actor"] for one in resource.get("participant", []) if "actor" in one]
        return any(self.is_meant(one) for one in stated)

    def age(self, day: date) -> int | None:
        """Return the age in years on a day."""
        if "birthDate" not in self.resource:
            return None
        born = date.fromisoformat(self.resource["birthDate"])
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _keys(patient: Json) -> set[Any]:
    return {f"Patient/{patient['id']}", *((one["system"], one["value"]) for one in patient.get("identifier", []))}


def find_person(asked: str | None, facts: list[Json]) -> Person | str:
    """Return the one person the index knows by that reference or identifier, or the reason why there is no such one."""
    index = [one for one in facts if one.get("resourceType") == "Patient"]
    key: Any = asked if asked and "|" not in asked else tuple((asked or "").split("|"))
    found = [one for one in index if key in _keys(one)]
    if not found:
        return "PATIENT_UNKNOWN"
    if len(found) > 1:
        return "PATIENT_AMBIGUOUS"
    merges = [one for one in facts if one.get("type") == "merge"]
    verified = {one["from"] for one in merges if one["verified"]} - {
        one["from"] for one in merges if not one["verified"]
    }

    def kept(patient: Json) -> str | None:
        links = [one for one in patient.get("link", []) if one["type"] == "replaced-by"]
        return links[0]["other"]["reference"] if links else None

    patient = found[0]
    replaced_by = kept(patient)
    if replaced_by:
        if f"Patient/{patient['id']}" not in verified:
            return "PATIENT_AMBIGUOUS"
        kept_records = [one for one in index if f"Patient/{one['id']}" == replaced_by]
        if not kept_records:
            raise NotJudged("a record that was replaced by none that is known")
        patient = kept_records[0]
    retired = [one for one in index if kept(one) == f"Patient/{patient['id']}"]
    if any(f"Patient/{one['id']}" not in verified for one in retired):
        return "PATIENT_AMBIGUOUS"
    return Person(frozenset().union(*(_keys(one) for one in [patient, *retired])), patient)
