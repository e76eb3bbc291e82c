"""Value sets expanded from what is at hand, which knows the difference between "not a member" and "cannot be told".

Licensed and open-ended systems (SNOMED CT, LOINC, RxNorm, ...) are not listed here. A code of theirs is neither in
nor out of a value set that takes part of them: the caller reports that as not checked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.validation.definitions import Definitions, Json, bare

Membership = Literal["in", "out", "unknown"]

GRAMMARS = {
    "urn:ietf:bcp:13": re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;\s*[^;\s=]+=[^;]+)*"),
    "urn:ietf:bcp:47": re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"),
    "urn:iso:std:iso:4217": re.compile(r"[A-Z]{3}"),
    "urn:iso:std:iso:3166": re.compile(r"[A-Z]{2,3}|[0-9]{3}"),
    "http://unitsofmeasure.org": re.compile(r"[!-~]+"),
}
"""Systems whose codes are formed, not listed: media types, languages, currencies, countries, UCUM units."""

MOST_SYSTEMS = 2048
"""Systems that are remembered: records name some that are not at hand, and nobody bounds how many."""


@dataclass(frozen=True, slots=True)
class Members:
    """Hold an expansion: listed pairs, the same codes without system, and the systems of which part is not listed.

    `is_complete` is False when another value set that this one takes in is not at hand: then nothing is out.
    """

    pairs: frozenset[tuple[str, str]]
    codes: frozenset[str]
    formed: frozenset[str]
    unlisted: frozenset[str]
    is_complete: bool

    def has(self, system: str | None, code: str) -> Membership:
        """Tell whether a coding is a member; `system` None asks for a bare code (datatype `code`)."""
        if (code in self.codes) if system is None else ((system, code) in self.pairs):
            return "in"
        for name in self.formed:
            if (system is None or system == name) and GRAMMARS[name].fullmatch(code):
                return "in"
        if system in self.unlisted or not self.is_complete or (system is None and self.unlisted):
            return "unknown"
        return "out"


class Terminology:
    """Expand value sets and list code systems, each once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._members: dict[str, Members | None] = {}
        self._systems: dict[str, frozenset[str] | None] = {}

    def members(self, value_set: str) -> Members | None:
        """Expand the value set of that URL; None when it is not at hand."""
        if value_set not in self._members:
            self._members[value_set] = None  # a value set that takes itself in must not run for ever
            self._members[value_set] = self._expand(value_set)
        return self._members[value_set]

    def codes(self, system: str) -> frozenset[str] | None:
        """Return every code of a system, or None when the system is not at hand or not listed whole."""
        if system not in self._systems:
            if len(self._systems) >= MOST_SYSTEMS:
                self._systems.clear()
            facts = self._definitions.code_system(system)
            self._systems[system] = frozenset(_parents(facts)) if facts is not None and _is_whole(facts) else None
        return self._systems[system]

    def _expand(self, url: str) -> Members | None:
        facts = self._definitions.value_set(url)
        if facts is None:
            return None
        compose = facts.get("compose", facts)
        if not compose.get("include"):
            return self._stated_expansion(facts)
        taken = [self._part(part) for part in compose["include"]]
        left_out = frozenset(pair for part in compose.get("exclude", ()) for pair in self._part(part).pairs)
        return _union(taken, left_out)

    def _stated_expansion(self, facts: Json) -> Members | None:
        """Use the expansion a package carries where it does not say how the set is composed."""
        rows = list(_rows(facts.get("expansion", {}).get("contains", ())))
        if not rows:
            return None
        pairs = frozenset((row["system"], row["code"]) for row in rows if "system" in row and "code" in row)
        return _members(pairs)

    def _part(self, part: Json) -> Members:
        sets = [self.members(bare(url)) for url in part.get("valueSet", ())]
        known = [members for members in sets if members is not None]
        system = part.get("system")
        if system is None:
            return _intersection(known, len(known) == len(sets))
        own = self._of_system(system, part)
        if not sets:
            return own
        return _intersection([own, *known], len(known) == len(sets))

    def _of_system(self, system: str, part: Json) -> Members:
        listed = part.get("codes") or [concept["code"] for concept in part.get("concept", ())]
        if listed:
            return _members(frozenset((system, code) for code in listed))
        if system in GRAMMARS and not part.get("filter"):
            return Members(frozenset(), frozenset(), frozenset({system}), frozenset(), True)
        facts = self._definitions.code_system(system)
        if facts is None or not _is_whole(facts):
            return Members(frozenset(), frozenset(), frozenset(), frozenset({system}), True)
        chosen = _filtered(_parents(facts), part.get("filter", ()))
        if chosen is None:
            return Members(frozenset(), frozenset(), frozenset(), frozenset({system}), True)
        return _members(frozenset((system, code) for code in chosen))


def _members(pairs: frozenset[tuple[str, str]]) -> Members:
    return Members(pairs, frozenset(code for _, code in pairs), frozenset(), frozenset(), True)


def _union(parts: list[Members], left_out: frozenset[tuple[str, str]]) -> Members:
    pairs = frozenset().union(*(part.pairs for part in parts)) - left_out
    return Members(
        pairs=pairs,
        codes=frozenset(code for _, code in pairs),
        formed=frozenset().union(*(part.formed for part in parts)),
        unlisted=frozenset().union(*(part.unlisted for part in parts)),
        is_complete=all(part.is_complete for part in parts),
    )


def _intersection(parts: list[Members], is_complete: bool) -> Members:
    """Take what all parts share (FHIR R4 ValueSet.compose.include: several value sets in one include intersect)."""
    if not parts:
        return Members(frozenset(), frozenset(), frozenset(), frozenset(), is_complete)
    pairs = frozenset.intersection(*(part.pairs for part in parts))
    return Members(
        pairs=pairs,
        codes=frozenset(code for _, code in pairs),
        formed=frozenset.intersection(*(part.formed for part in parts)),
        unlisted=frozenset().union(*(part.unlisted for part in parts)),
        is_complete=is_complete and all(part.is_complete for part in parts),
    )


def _is_whole(facts: Json) -> bool:
    """Say whether a code system lists all of its codes (FHIR R4 CodeSystem.content)."""
    return bool(facts.get("content", "complete") == "complete")


def _parents(facts: Json) -> dict[str, tuple[str, ...]]:
    """Map each code of a system to its parents, from the fact table's lists or a CodeSystem's nested concepts."""
    if "codes" in facts:
        above = facts.get("parents", {})
        return {code: tuple(above.get(code, ())) for code in facts["codes"]}
    found: dict[str, tuple[str, ...]] = {}
    _nested(facts.get("concept", ()), None, found)
    return found


def _nested(concepts: list[Json], parent: str | None, found: dict[str, tuple[str, ...]]) -> None:
    for concept in concepts:
        above = found.get(concept["code"], ())
        found[concept["code"]] = (*above, parent) if parent else above
        _nested(concept.get("concept", []), concept["code"], found)


def _filtered(parents: dict[str, tuple[str, ...]], filters: list[Json]) -> set[str] | None:
    """Apply hierarchy filters; None for a filter that needs more than a hierarchy."""
    chosen = set(parents)
    for item in filters:
        if item["property"] != "concept" or item["op"] not in ("is-a", "descendent-of", "is-not-a"):
            return None
        below = _below(parents, item["value"])
        if item["op"] == "is-not-a":
            chosen -= below | {item["value"]}
        else:
            chosen &= below | ({item["value"]} if item["op"] == "is-a" else set())
    return chosen


def _below(parents: dict[str, tuple[str, ...]], top: str) -> set[str]:
    found: set[str] = set()
    frontier = {top}
    while frontier:
        frontier = {code for code, above in parents.items() if frontier.intersection(above)} - found
        found |= frontier
    return found


def _rows(contains: list[Json]) -> Iterator[Json]:
    for row in contains:
        yield row
        yield from _rows(row.get("contains", []))
