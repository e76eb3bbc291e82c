"""Hold one message against the standard of its version: order of segments, fields, data types, coded values.

For whoever builds or buys an interface (`gateway validate`). Nothing that comes in is refused for any of it, and what
is told names a place and a rule, never a value.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.formats.hl7v2.delimiters import Separators
from gateway.formats.hl7v2.message import HEADER_SEGMENTS, Message, Segment, State
from gateway.formats.hl7v2.standard import (
    UNBOUNDED,
    VERSIONS,
    PartRule,
    SegmentPlaces,
    codes_of,
    fields_of,
    order_of,
    parts_of_type,
)
from gateway.model.findings import Finding

_PATTERNS = {
    "NM": re.compile(r"[+-]?(\d++\.?\d*|\.\d+)"),
    "SI": re.compile(r"\d{1,4}"),
    "DT": re.compile(r"\d{4}((0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?)?"),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,4})?)?)?([+-]\d{4})?"),
    "DTM": re.compile(
        r"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?"
    ),
}
"""How values of these types are written (HL7 v2.5.1 ch. 2.A)."""

_PRIMITIVES = _PATTERNS.keys() | {"FT", "ID", "IS", "ST", "TX"}
_MAY_LOOK_LIKE = {"varies", "", "CM"}
"""Types that say nothing by themselves."""

_SEGMENT_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_TIMES = re.compile(r"TS_1|TIME|TIME_OF_AN_EVENT")
_NOT_SAID = (State.ABSENT, State.EMPTY)


def conformance_of(message: Message) -> Iterator[Finding]:
    """Yield every departure of a message from the standard of its MSH-12, in the order of its segments.

    Locations are paths (`PID-3[2].1`) or segments (`OBX[2]`). A segment of local agreement (Z) is information only.
    """
    version = message.text("MSH-12.1").strip()
    if version not in VERSIONS:
        yield Finding("warning", "version", "MSH-12", "no tables of this version: the nearest one below it counts")
    if message.guessed_charset:
        told = "no set is stated and the bytes are no UTF-8: they are read as Windows-1252"
        yield Finding("warning", "charset-guessed", "MSH-18", told)
    placed = list(_placed(message))
    yield from _order(message, placed, version)
    for place, segment in placed:
        yield from _Reading(segment, message.separators, place, version).findings()


def _placed(message: Message) -> Iterator[tuple[str, Segment]]:
    """Yield each segment with its place; by its number where its name is none, for that may be somebody's words."""
    seen: Counter[str] = Counter()
    for number, segment in enumerate(message.segments, 1):
        seen[segment.id] += 1
        if _SEGMENT_NAME.fullmatch(segment.id):
            yield f"{segment.id}[{seen[segment.id]}]" if seen[segment.id] > 1 else segment.id, segment
        else:
            yield f"segment {number}", segment


def _order(message: Message, placed: Sequence[tuple[str, Segment]], version: str) -> Iterator[Finding]:
    places = order_of(message.text("MSH-9.1"), message.text("MSH-9.2"), message.text("MSH-9.3"), version)
    if places is None:
        yield Finding("error", "message-kind", "MSH-9", "the version has no such message: its order is not checked")
        return
    allowed, may_end = places.first, False
    for where, segment in placed:
        if segment.id.startswith("Z"):
            yield Finding("information", "segment-local", where, "a segment of local agreement")
            continue
        reached = {place for place in allowed if places.names[place] == segment.id}
        if not reached:
            yield _error("segment-order", where, f"not expected here; the standard has {_named(allowed, places)}")
            reached = _further_on(segment.id, allowed, places)
        if reached:
            may_end = bool(reached & places.last)
            allowed = frozenset[int]().union(*(places.following[place] for place in reached))
    if not may_end:
        yield Finding("error", "segment-missing", "MSH", f"the message ends where it needs {_named(allowed, places)}")


def _further_on(segment_id: str, allowed: frozenset[int], places: SegmentPlaces) -> set[int]:
    """Return where a segment would stand if what is missing before it were there; nowhere: it is passed over."""
    seen, frontier = set(allowed), set(allowed)
    while frontier:
        frontier = {after for place in frontier for after in places.following[place]} - seen
        seen |= frontier
        if found := {place for place in frontier if places.names[place] == segment_id}:
            return found
    return set()


def _named(allowed: frozenset[int], places: SegmentPlaces) -> str:
    return " or ".join(dict.fromkeys(places.names[place] for place in sorted(allowed))) or "nothing more"


@dataclass(frozen=True, slots=True)
class _Reading:
    """One segment held against the fields that its version gives it."""

    segment: Segment
    separators: Separators
    place: str
    version: str

    def findings(self) -> Iterator[Finding]:
        rules = fields_of(self.segment.id, self.version)
        if not rules:
            return
        last = max(*rules, len(self.segment.fields) - 1)
        first = 3 if self.segment.id in HEADER_SEGMENTS else 1
        for field in range(first, last + 1):
            yield from self._field(field, rules.get(field))

    def _field(self, field: int, rule: PartRule | None) -> Iterator[Finding]:
        where = f"{self.place}-{field}"
        state = self.segment.state(field)
        if rule is None:
            if state not in _NOT_SAID:
                yield _error("field-unknown", where, "the version has no such field, or has withdrawn it")
            return
        if state in _NOT_SAID:
            if rule.least:
                yield _error("field-required", where, f"{_title(rule)} is required")
            return
        if state is State.NULL:
            return
        count = self.segment.repetitions(field)
        if rule.most != UNBOUNDED and count > rule.most:
            yield _error("field-repeats", where, f"at most {rule.most} of {_title(rule)}, found {count}")
        for repetition in range(1, count + 1):
            numbered = f"{where}[{repetition}]" if repetition > 1 else where
            yield from self._value(field, repetition, self._as_valued(field, rule), numbered)

    def _as_valued(self, field: int, rule: PartRule) -> PartRule:
        """Return the rule of a field whose type another field says: OBX-5 is of the type in OBX-2.

        What is no type there is no word to repeat.
        """
        if self.segment.id != "OBX" or field != 5:
            return rule
        said = self.segment.text(2)
        parts = parts_of_type(said, self.version)
        return replace(rule, data_type=said if parts or said in _PRIMITIVES else "", parts=parts)

    def _value(self, field: int, repetition: int, rule: PartRule, where: str) -> Iterator[Finding]:
        parts = self._parts(field, repetition)
        if not rule.parts:
            yield from self._whole(parts, rule, where)
            return
        yield from _surplus(parts, rule.parts, where)
        for number, (subparts, part_rule) in enumerate(zip(parts, rule.parts, strict=False), 1):
            yield from self._component(subparts, part_rule, f"{where}.{number}")
        for number in range(len(parts) + 1, len(rule.parts) + 1):
            yield from _required("", rule.parts[number - 1], f"{where}.{number}")

    def _parts(self, field: int, repetition: int) -> list[list[str]]:
        """Return the components of a field and the subcomponents of each, decoded."""
        raw = self.segment.raw_value(field, repetition=repetition) or ""
        inner = self.separators.subcomponent
        counts = [component.count(inner) + 1 if inner else 1 for component in raw.split(self.separators.component)]
        return [
            [self.segment.text(field, number, part, repetition) for part in range(1, count + 1)]
            for number, count in enumerate(counts, 1)
        ]

    def _whole(self, parts: Sequence[Sequence[str]], rule: PartRule, where: str) -> Iterator[Finding]:
        if len(parts) > 1 and rule.data_type not in _MAY_LOOK_LIKE:
            yield _error("component-unknown", where, f"{_title(rule)} is {rule.data_type} and has no components")
        elif rule.data_type not in _MAY_LOOK_LIKE:
            yield from self._primitive("".join(parts[0][:1]), rule, where)

    def _component(self, subparts: Sequence[str], rule: PartRule, where: str) -> Iterator[Finding]:
        yield from _required("".join(subparts), rule, where)
        if not rule.parts:
            if len(subparts) > 1 and rule.data_type not in _MAY_LOOK_LIKE:
                yield _error("component-unknown", where, f"{_title(rule)} is {rule.data_type} and has no parts")
            else:
                yield from self._primitive(subparts[0], rule, where)
            return
        for number, (text, part_rule) in enumerate(zip(subparts, rule.parts, strict=False), 1):
            yield from self._primitive(text, part_rule, f"{where}.{number}")

    def _primitive(self, text: str, rule: PartRule, where: str) -> Iterator[Finding]:
        if not text:
            return
        data_type = "DTM" if rule.data_type == "ST" and _TIMES.fullmatch(rule.name) else rule.data_type
        pattern = _PATTERNS.get(data_type)
        if pattern is not None and not pattern.fullmatch(text):
            yield _error("value", where, f"{_title(rule)} is {data_type}, and what stands there is none")
        codes = codes_of(rule.table, self.version) if data_type == "ID" else frozenset()
        if codes and not _is_code(text, codes):
            message = f"{_title(rule)} is of table {rule.table[3:]}, which has no such code"
            yield Finding("warning", "code", where, message)


def _is_code(text: str, codes: frozenset[str]) -> bool:
    """Tell whether a table has a code; table 0396 also has families (HL7nnnn) and local names (99zzz)."""
    is_of_family = text[-4:].isdigit() and f"{text[:-4]}nnnn" in codes
    return text in codes or is_of_family or ("HL7nnnn" in codes and text.startswith("99"))


def _surplus(parts: Sequence[Sequence[str]], rules: Sequence[PartRule], where: str) -> Iterator[Finding]:
    for number in range(len(rules) + 1, len(parts) + 1):
        if any(parts[number - 1]):
            yield _error("component-unknown", f"{where}.{number}", f"its type has {len(rules)} components")


def _required(text: str, rule: PartRule, where: str) -> Iterator[Finding]:
    if rule.least and not text:
        yield _error("component-required", where, f"{_title(rule)} is required")


def _title(rule: PartRule) -> str:
    return rule.name.replace("_", " ").capitalize()


def _error(rule: str, where: str, message: str) -> Finding:
    return Finding("error", rule, where, message)
