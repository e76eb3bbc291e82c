"""One paper: its versions, its kind, its tree of provisions, who may disclose by it. FHIR R4 Consent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from tests.oracle import purposes
from tests.oracle.purposes import Purpose
from tests.oracle.reading import ACT_CODE, OWN, Json, NotJudged, Partners, Person, Unreadable, codes, everywhere, span

_INSTANTS = ("start", "end", "dateTime", "when", "valueDateTime")
_CLASS = OWN + "CodeSystem/recipient-class"

Path = tuple[Json, ...]
"""A provision with those around it, from the root."""


@dataclass(frozen=True)
class Ask:
    """What every paper is held against."""

    at: datetime
    person: Person
    partners: Partners
    recipient: str
    is_for_officer: bool
    """An officer of the recipient asks: it is law enforcement then, whatever it is else."""
    practitioner: tuple[str, str] | None
    via: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    facts: tuple[Json, ...]
    switches: Json

    def treats(self, who: str) -> bool:
        """Say whether there is evidence of a treating provider relationship now. 42 CFR 2.11."""
        for fact in self.facts:
            kind, status = fact.get("resourceType"), fact.get("status")
            if not self.person.is_meant(fact.get("subject") or fact.get("patient")):
                continue
            if kind != "EpisodeOfCare" and self._is_over(fact):
                continue
            place = fact.get("managingOrganization")
            if kind == "EpisodeOfCare" and status == "active" and self.partners.named(place) == who:
                return True
            if kind == "Encounter" and status == "in-progress" and self.partners.named(fact["serviceProvider"]) == who:
                return True
            team = [one.get(role) for one in fact.get("participant", []) for role in ("member", "onBehalfOf")]
            if kind == "CareTeam" and status == "active" and who in map(self.partners.named, team):
                return True
        return False

    def insures(self, who: str) -> bool:
        """Say whether the person has a coverage with a payer now."""
        return any(
            fact.get("resourceType") == "Coverage"
            and fact.get("status") == "active"
            and self.person.is_meant(fact.get("beneficiary"))
            and not self._is_over(fact)
            and who in map(self.partners.named, fact.get("payor", []))
            for fact in self.facts
        )

    def _is_over(self, fact: Json) -> bool:
        end = fact.get("period", {}).get("end")
        return end is not None and span(end, self.partners.zone(None))[1] <= self.at


def is_readable(paper: Json) -> bool:
    """Say whether the meaning of a paper can be told: not with an unknown modifier, or an instant without a zone."""
    try:
        _check_readable(paper)
    except Unreadable:
        return False
    return True


def _check_readable(paper: Json) -> None:
    for key, held in everywhere(paper):
        if key in ("modifierExtension", "implicitRules") and held:
            raise Unreadable
        if key in _INSTANTS and isinstance(held, str):
            span(held, UTC)
    stamp = paper.get("meta", {}).get("lastUpdated")
    if stamp:
        span(stamp, UTC)


def latest(versions: list[Json], at: datetime) -> Json | None:
    """Return the latest version of a paper that exists, marked as unreadable where nobody can tell which that is."""
    different = [one for place, one in enumerate(versions) if one not in versions[:place]]
    existing = [one for one in different if (_changed(one) or at) <= at]
    if not existing:
        return None
    pairs = [(one, other) for one in different for other in different if other is not one]
    if not all(_comes_after(one, other) or _comes_after(other, one) for one, other in pairs):
        return {**existing[0], "modifierExtension": [{"url": "nobody can tell which version is the latest"}]}
    return next(one for one in existing if all(other is one or _comes_after(one, other) for other in existing))


def _changed(paper: Json) -> datetime | None:
    try:
        return span(paper["meta"]["lastUpdated"], UTC)[0]
    except (KeyError, Unreadable):
        return None


def _comes_after(one: Json, other: Json) -> bool:
    """Say whether a version surely follows another: by number and time, or by what both state of the two."""
    signs = set()
    numbers = [paper.get("meta", {}).get("versionId") for paper in (one, other)]
    if None not in numbers:
        signs.add((int(numbers[0]) > int(numbers[1])) - (int(numbers[0]) < int(numbers[1])))
    mine, theirs = _changed(one), _changed(other)
    if mine and theirs:
        signs.add((mine > theirs) - (mine < theirs))
    return signs - {0} == {1}


def kinds_of(paper: Json) -> set[str]:
    """Return every kind of consent that a paper says it is of."""
    stated = codes(paper.get("category", []))
    marked = {"ordinary"} if (ACT_CODE, "42CFRPart2CD") in stated else set()
    return marked | {code for system, code in stated if system == OWN + "CodeSystem/consent-category"}


def kind_of(paper: Json) -> str:
    """Return the kind of consent; "ordinary" where nothing else is stated."""
    return next(iter(kinds_of(paper) - {"ordinary"}), "ordinary")


def root(paper: Json) -> Json:
    root: Json = paper.get("provision", {})
    return root


def paths(paper: Json) -> Iterator[Path]:
    """Yield every provision with those above it, from the root."""

    def below(path: Path) -> Iterator[Path]:
        yield path
        for one in path[-1].get("provision", []):
            yield from below((*path, one))

    yield from below((root(paper),))


def permits(paper: Json) -> list[Path]:
    """Return the provisions that permit."""
    return [path for path in paths(paper) if path[-1].get("type") == "permit"]


def named_purposes(paper: Json) -> set[Purpose]:
    """Return every purpose that is named in a permit of a paper, or around one."""
    nodes = [node for path in permits(paper) for node in path if "purpose" in node]
    return set().union(*(codes(node["purpose"]) for node in nodes))


def purposes_of(path: Path) -> set[Purpose]:
    """Return for what a permit is: of the purposes named in it or around it, those that each of these includes."""
    stated = [codes(node["purpose"]) for node in path if "purpose" in node]
    named: set[Purpose] = set().union(*stated)
    return {one for one in named if all(any(purposes.is_under(one, each) for each in here) for here in stated)}


def stated_purposes(paper: Json) -> set[Purpose]:
    """Return for what the permits of a paper are, all of them together."""
    return set().union(*map(purposes_of, permits(paper)))


def recipients_of(node: Json) -> list[Json]:
    return [
        one["reference"] for one in node.get("actor", []) if "CST" not in {code for _, code in codes(one.get("role"))}
    ]


def class_of(reference: Json, paper: Json) -> str | None:
    """Return the recipient class a reference points to; "" for a Group that names none; None for no Group."""
    if not reference.get("reference", "").startswith("#"):
        return None
    group: Json = next((one for one in paper.get("contained", []) if "#" + one["id"] == reference["reference"]), {})
    return next((code for system, code in codes(group.get("code")) if system == _CLASS), "")


def disclosers(paper: Json) -> list[Json]:
    """Return who may disclose, as the paper states it."""
    stated = list(paper.get("organization", []))
    for path in paths(paper):
        stated += [
            one["reference"] for one in path[-1].get("actor", []) if "CST" in {code for _, code in codes(one["role"])}
        ]
    return stated


def zone_of(paper: Json, ask: Ask) -> tzinfo:
    """Return the zone of the program that discloses."""
    return ask.partners.zone(next(iter(map(ask.partners.named, disclosers(paper))), None))


def is_single_tpo(paper: Json) -> bool:
    """Say whether a paper is one consent for all future treatment, payment and operations. 42 CFR 2.31(a)(5)(ii)."""
    stated = stated_purposes(paper)
    full = any(set(purposes.TPO) <= purposes_of(path) for path in permits(paper))
    if full and not all(map(purposes.is_tpo, stated)):
        raise NotJudged("a single consent for treatment, payment and operations that is for something else too")
    return full
