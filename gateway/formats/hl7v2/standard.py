"""What the standard says of fields, data types and the order of segments in each version: hl7apy's tables, put right.

Nothing here reads a message: it is for people who look at one, for whoever wants one held against the standard, and for
whoever has to know whether a code is one of a table. The tables have holes (segments without fields, a list where its
head is missing, no OSU), which are closed or passed over here and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import hl7apy

VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
"""The versions that have tables."""

UNBOUNDED = -1
"""As most often: any number of times."""

_CONDITIONAL = {"OBX": frozenset({2, 4})}
"""Fields that the tables of 2.7 to 2.8.1 require of everybody, and the standard where something else says so."""

_Node = tuple[str, Any, tuple[int, int], str]
"""A line of hl7apy's tables: name, what it is made of, how often (least, most), kind (SEG, GRP, FIE, CMP)."""


@dataclass(frozen=True, slots=True)
class PartRule:
    """What the standard says of a field or of a part of one."""

    name: str
    """Such as PATIENT_NAME; may be ""."""
    least: int
    most: int
    data_type: str
    """Such as CX; "varies" where another field says which, "" where the tables have none."""
    table: str
    """Of coded values, such as HL70001; "" where it has none."""
    parts: tuple["PartRule", ...] = ()
    """Its components or subcomponents in order; empty where it has none."""


@dataclass(frozen=True, slots=True)
class SegmentPlaces:
    """The order of segments as an automaton: a place is one mention of a segment in the grammar (Glushkov 1961)."""

    names: tuple[str, ...]
    first: frozenset[int]
    following: tuple[frozenset[int], ...]
    last: frozenset[int]


def nearest(version: str) -> str:
    """Return the version whose tables count: this one, else the nearest below it."""
    return max((known for known in VERSIONS if known <= version), default=VERSIONS[0])


def load_tables() -> None:
    """Read the tables of every version now (0.4 s): else the first message that needs one waits, and all behind it."""
    for version in VERSIONS:
        hl7apy.load_library(version)


@lru_cache(maxsize=512)
def fields_of(segment_id: str, version: str) -> dict[int, PartRule]:
    """Return the fields of a segment by number, {} where the version has no such segment.

    Fields that the version has withdrawn are missing.
    """
    table = hl7apy.load_library(nearest(version)).SEGMENTS.get(segment_id, ())
    # As a rule ("sequence", fields). 2.1 has the bare fields of ORO, 2.7 has nothing of QRD.
    lines = table[1:2] if table and isinstance(table[0], str) else (table,)
    numbered = ((line[0].rpartition("_")[2], line) for line in next(iter(lines), ()) if line[1])
    rules = {int(number): _rule(line) for number, line in numbered if number.isdigit()}
    conditional = _CONDITIONAL.get(segment_id, frozenset()) & rules.keys()
    return rules | {number: replace(rules[number], least=0) for number in conditional}


@lru_cache(maxsize=512)
def parts_of_type(data_type: str, version: str) -> tuple[PartRule, ...]:
    """Return the components of a data type; an empty tuple where it has none or is not known."""
    lines = hl7apy.load_library(nearest(version)).DATATYPES_STRUCTS.get(data_type, ())
    return tuple(_rule(line) for line in lines)


@lru_cache(maxsize=512)
def codes_of(table: str, version: str) -> frozenset[str]:
    """Return the codes of a table such as HL70001; an empty set where the version lists none."""
    tables = getattr(hl7apy.load_library(nearest(version)), "TABLES", {})
    return frozenset(tables[table][1]) if table in tables else frozenset()


@lru_cache(maxsize=128)
def order_of(message_code: str, trigger_event: str, structure: str, version: str) -> SegmentPlaces | None:
    """Return in which order a message's segments stand (MSH-9.1, .2 and .3); None where the version has no such kind.

    The event counts first: MSH-9.3 is missing as often as it is wrong.
    """
    known = hl7apy.load_library(nearest(version)).MESSAGES
    named = (
        _STRUCTURES.get((message_code, trigger_event), ""),
        f"{message_code}_{trigger_event}",
        structure,
        message_code,
    )
    found = next((name for name in named if name in known), None)
    if found is None:
        return _compiled(_OSU) if message_code == "OSU" else None
    return _compiled(known[found])


def _rule(line: _Node) -> PartRule:
    name, content, (least, most), _ = line
    # Of "varies" 2.7 says as parts "varies" too, and of some fields without parts that they are a sequence.
    _, parts, data_type, title, table = content[:5]
    return PartRule(
        name=str(title or name), least=least, most=most, data_type=str(data_type or ""), table=str(table or ""),
        parts=tuple(map(_rule, parts)) if isinstance(parts, tuple) else (),
    )  # fmt: skip


def _compiled(content: Any) -> SegmentPlaces:
    builder = _Builder()
    first, last, _ = builder.content(content)
    return SegmentPlaces(tuple(builder.names), first, tuple(map(frozenset, builder.following)), last)


_Ends = tuple[frozenset[int], frozenset[int], bool]
"""Where a part of the grammar can begin, where it can end, and whether it may be left out."""

_NOWHERE: _Ends = (frozenset(), frozenset(), True)


class _Builder:
    """Numbers the places of a grammar and notes which may follow which."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.following: list[set[int]] = []

    def content(self, content: Any) -> _Ends:
        parts = [self._node(line) for line in content[1]]
        return self._one_of(parts) if content[0] == "choice" else self._one_after_the_other(parts)

    def _node(self, line: _Node) -> _Ends:
        name, content, (least, most), kind = line
        if kind == "GRP":
            first, last, is_optional = self.content(content)
        else:
            first = last = frozenset({len(self.names)})
            is_optional = False
            self.names.append(name)
            self.following.append(set())
        if most != 1:
            self._follow(last, first)
        return first, last, is_optional or least == 0

    def _one_of(self, parts: list[_Ends]) -> _Ends:
        first = frozenset[int]().union(*(part[0] for part in parts))
        last = frozenset[int]().union(*(part[1] for part in parts))
        return first, last, any(part[2] for part in parts)

    def _one_after_the_other(self, parts: list[_Ends]) -> _Ends:
        first, last, is_optional = _NOWHERE
        for begins, ends, may_miss in parts:
            self._follow(last, begins)
            first = first | begins if is_optional else first
            last = last | ends if may_miss else ends
            is_optional = is_optional and may_miss
        return first, last, is_optional

    def _follow(self, before: frozenset[int], after: frozenset[int]) -> None:
        for place in before:
            self.following[place] |= after


def _same(message_code: str, structure: str, *events: str) -> Iterator[tuple[tuple[str, str], str]]:
    yield from (((message_code, event), f"{message_code}_{structure}") for event in events)


_STRUCTURES: dict[tuple[str, str], str] = dict([
    *_same("ADT", "A01", "A01", "A04", "A08", "A13"),
    *_same("ADT", "A05", "A05", "A14", "A28", "A31"),
    *_same("ADT", "A06", "A06", "A07"),
    *_same("ADT", "A09", "A09", "A10", "A11"),
    *_same("ADT", "A21", "A21", "A22", "A23", "A25", "A26", "A27", "A29", "A32", "A33"),
    *_same("ADT", "A30", "A30", "A34", "A35", "A36", "A46", "A47", "A48", "A49"),
    *_same("ADT", "A39", "A39", "A40", "A41", "A42"),
    *_same("ADT", "A43", "A43", "A44"),
    *_same("ADT", "A50", "A50", "A51"),
    *_same("ADT", "A52", "A52", "A53"),
    *_same("ADT", "A54", "A54", "A55"),
    *_same("ADT", "A61", "A61", "A62"),
    *_same("MDM", "T01", "T01", "T03", "T05", "T07", "T09", "T11"),
    *_same("MDM", "T02", "T02", "T04", "T06", "T08", "T10"),
    *_same("REF", "I12", "I12", "I13", "I14", "I15"),
    *_same("RRI", "I12", "I12", "I13", "I14", "I15"),
    *_same("RQA", "I08", "I08", "I09", "I10", "I11"),
    *_same("RPA", "I08", "I08", "I09", "I10", "I11"),
    *_same("SIU", "S12", *(f"S{number}" for number in range(12, 27))),
    *_same("PPR", "PC1", "PC1", "PC2", "PC3"),
    *_same("PGL", "PC6", "PC6", "PC7", "PC8"),
])  # fmt: skip
"""Events that share a structure (HL7 table 0354), where that is known to the version; older ones name each event."""


def _segment(name: str, least: int, most: int) -> _Node:
    return name, None, (least, most), "SEG"


_OSU = (
    "sequence",
    (
        _segment("MSH", 1, 1),
        _segment("SFT", 0, UNBOUNDED),
        _segment("UAC", 0, 1),
        _segment("NTE", 0, UNBOUNDED),
        ("PATIENT", ("sequence", (_segment("PID", 1, 1),)), (0, 1), "GRP"),
        ("ORDER", ("sequence", (_segment("ORC", 1, 1),)), (1, UNBOUNDED), "GRP"),
    ),
)
"""OSU_O51 (HL7 v2.8 ch. 4.4), which no table has and 360X uses in 2.5.1."""
