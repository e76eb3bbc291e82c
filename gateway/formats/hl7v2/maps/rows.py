"""Compile one row of a pack: what it does with its field when reading, and what it gives when writing."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.formats.hl7v2.build import Field
from gateway.formats.hl7v2.delimiters import NULL_TEXT
from gateway.formats.hl7v2.maps.concepts import Read, Write
from gateway.formats.hl7v2.maps.datatypes import DATA_TYPES, WHOLE_FIELD
from gateway.formats.hl7v2.maps.outgoing import Writing, collected
from gateway.formats.hl7v2.maps.pack import Conditions, Fill, Take, emptied_by, meets
from gateway.formats.hl7v2.maps.places import (
    Put,
    compile_constant,
    compile_join,
    compile_put,
    compile_take,
    parse_target,
)
from gateway.formats.hl7v2.maps.reading import Reading
from gateway.formats.hl7v2.maps.terms import TermTable
from gateway.model.handoff import Resource

_PATH = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]{0,2})(?:\.([1-9][0-9]?))?")
VARIABLE_CONTENT = ("$notice", "$scope", "$labels", "$in_reply_to")
"""What a caller adds to a message; a segment that holds one of these is worth writing."""
VARIABLES = ("$event", "$time", "$number", "$control_id", *VARIABLE_CONTENT)
"""What a row may write that is no part of a resource."""

WORDS = frozenset(
    (
        "to",
        "as",
        "table",
        "system",
        "with",
        "where",
        "join",
        "lead",
        "only",
        "why",
        "if",
        "unless",
        "value",
        "write",
        "map",
    )
)
"""What a row may say."""


class RowError(ValueError):
    """A row that cannot be compiled; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field, or one component of it, of the segment that is read or of another one."""

    path: str
    segment: str
    field: int
    component: int

    @classmethod
    def of(cls, path: str) -> "Place":
        """Read PID-5 or PRD-4.4. Raises RowError."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise RowError(f"expected a path like PID-5 or PRD-4.4, found {path[:30]!r}")
        return cls(path, match[1], int(match[2]), int(match[3] or 0))


def conditions_of(told: Mapping[str, Any]) -> Conditions:
    """Compile conditions about one segment: `{PATH: VALUE or [VALUE, ...]}`; `!VALUE` excludes one, `!` an empty field.

    Raises RowError where some values are excluded and others not.
    """
    places = [(Place.of(str(path)), *_values(values)) for path, values in told.items()]
    return tuple((place.field, place.component, values, one_of) for place, values, one_of in places)


def _values(told: Any) -> tuple[frozenset[str], bool]:
    values = [str(value) for value in (told if isinstance(told, list) else [told])]
    excluded = [value.startswith("!") for value in values]
    if any(excluded) and not all(excluded):
        raise RowError("expected either values that are meant or values that are not (!VALUE)")
    return frozenset(value.removeprefix("!") for value in values), not any(excluded)


def compile_row(
    place: Place,
    segment: str,
    told: Mapping[str, Any],
    table: TermTable | None,
    rivals: list[Any],
    *,
    alone: bool,
) -> tuple[Fill | None, Take | None]:
    """Compile both directions of a row; None for one that it does not go.

    `rivals` are the constants by which other rows claim items of the same list. A row that is `alone` with its field
    tells where nothing came of it; of several, each may have nothing to fill. Raises RowError.
    """
    _require_sound(told)
    if "write" in told:
        return None, _constant_take(told["write"])
    target = str(told["to"])
    _, steps = _target(target)
    if "join" in told and any(is_list for _, is_list in steps):
        raise RowError(f"expected one text to join lines to, found the list {target!r}")
    read, write = _converters(told, table)
    begin, meant = told.get("with"), told.get("where")
    whole = "value" in told or told.get("as") in WHOLE_FIELD
    number = place.field if place.segment == segment else 0
    manner = _Manner(whole, told.get("unless"), number, alone)
    put = compile_join(steps) if told.get("join") else compile_put(steps, begin, meant)
    fill = _fill(read, put, place, target, manner)
    lead = told.get("lead")
    if lead is not None:
        fill = _after_lead(fill, str(lead[0]))
    if not number:
        fill = _from_elsewhere(fill, place)
    if "if" in told:
        fill = _conditional(fill, told["if"], place, segment)
    pattern = begin if begin is not None else meant
    take = _take(write, compile_take(steps, pattern, [] if pattern is not None else rivals), target)
    if lead is not None:
        take = _led(tuple(str(part) for part in lead), take)
    only_read = told.get("only") == "read" or "value" in told or place.segment != segment
    return (None if told.get("only") == "write" else fill), (None if only_read else take)


def _require_sound(told: Mapping[str, Any]) -> None:
    """Refuse (RowError) words of a row that are unknown or go without the others they need."""
    unknown = told.keys() - WORDS
    if unknown:
        raise RowError(f"expected some of {', '.join(sorted(WORDS))}, found {min(unknown)!r}")
    if "only" in told and (told["only"] not in ("read", "write") or "why" not in told):
        raise RowError("expected `only: read` or `only: write` with the reason as `why`")
    if "write" not in told and "to" not in told:
        raise RowError("expected a target as `to`, or what to write as `write`")


def claims(rows: Mapping[str, Any], path: str, target: str) -> list[Any]:
    """Return the constants by which rows other than `path` claim items of the list that `target` is."""
    others = [
        one for other, told in rows.items() if other != path for one in (told if isinstance(told, list) else [told])
    ]
    wanted = [one for one in others if isinstance(one, dict) and one.get("to") == target and one.get("only") != "read"]
    return [claim for one in wanted if (claim := one.get("with") or one.get("where"))]


def _target(target: str) -> tuple[str, tuple[tuple[str, bool], ...]]:
    try:
        return parse_target(target)
    except ValueError as error:
        raise RowError(str(error)) from error


def _converters(told: Mapping[str, Any], table: TermTable | None) -> tuple[Read, Write]:
    kind = str(told.get("as", "code" if "table" in told else "ST"))
    factory = DATA_TYPES.get(kind)
    if factory is None:
        raise RowError(f"expected a data type ({', '.join(DATA_TYPES)}), found {kind!r}")
    read, write = factory(table, str(told.get("system", "")))
    if "value" in told:
        make = compile_constant(told["value"])
        return (lambda raw, r, number: make(r)), write
    return read, write


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a row takes its field."""

    whole: bool
    """All repetitions together."""
    unless: str | None
    """Not where the resource has this element already."""
    number: int
    """The field to report where a table lacks its code; 0 for a row that looks at another segment."""
    alone: bool
    """No other row takes this field, and this one always does."""


def _fill(read: Read, put: Put, place: Place, element: str, manner: _Manner) -> Fill:
    name, number, whole, unless = element.partition(".")[0], manner.number, manner.whole, manner.unless
    emptied, of_each = emptied_by(element), _of_each(read, put, manner)

    def fill(raw: str, r: Reading) -> None:
        target = r.open.get(name)
        if target is None:
            if manner.alone:
                r.keep(number)
        elif unless is not None and unless in target:
            r.taken += 1
        elif raw == NULL_TEXT:
            r.taken += 1
            r.deletions.append((place.path, emptied, target))
        elif whole or not r.repetition or r.repetition not in raw:
            # Most fields are of this kind: written out, for each call counts.
            value = read(raw, r, number)
            if value is not None:
                r.taken += 1
                put(target, value, r)
            else:
                _came_to_nothing(r, manner)
        else:
            of_each(raw, target, r)

    return _part_of(fill, place.component) if place.component else fill


def _of_each(read: Read, put: Put, manner: _Manner) -> Callable[[str, Resource, Reading], None]:
    """Take a field repetition by repetition; two quotes for one of several ask for nothing."""

    def run(raw: str, target: Resource, r: Reading) -> None:
        for nth, repetition in enumerate(raw.split(r.repetition), 1):
            if repetition and repetition != NULL_TEXT:
                r.nth = nth
                value = read(repetition, r, manner.number)
                if value is not None:
                    r.taken += 1
                    put(target, value, r)
                else:
                    _came_to_nothing(r, manner)
        r.nth = 0

    return run


def _came_to_nothing(r: Reading, manner: _Manner) -> None:
    if r.has_gathered:
        r.has_gathered = False
        r.taken += 1
    elif manner.alone:
        r.keep(manner.number, "no value")


def any_of(number: int, rows: Sequence[tuple[Fill, str]]) -> Fill:
    """Run the rows of one field, each with its target, and remember where none of them made anything of it."""
    fills = tuple(fill for fill, _ in rows)
    names = frozenset(target.partition(".")[0] for _, target in rows)

    def run(raw: str, r: Reading) -> None:
        before = r.taken
        for fill in fills:
            fill(raw, r)
        if r.taken == before:
            r.keep(number, "no place" if names.isdisjoint(r.open) else "no value")

    return run


def _part_of(fill: Fill, component: int) -> Fill:
    """Let a row take one component of its field."""

    def fill_part(raw: str, r: Reading) -> None:
        for repetition in raw.split(r.repetition) if r.repetition else [raw]:
            parts = repetition.split(r.component, component)
            if component <= len(parts) and parts[component - 1]:
                fill(parts[component - 1], r)

    return fill_part


def _from_elsewhere(fill: Fill, place: Place) -> Fill:
    """Let a row look at a segment other than the one it stands in; the fill itself looks for the component."""
    field = place.path.partition(".")[0]

    def run(raw: str, r: Reading) -> None:
        sent = r.message.raw_value(field)
        if sent:
            fill(sent, r)

    return run


def _conditional(fill: Fill, told: Mapping[str, Any], place: Place, segment: str) -> Fill:
    """Let a row count only where its conditions are met; what they ask of its own code is looked at first."""
    own = conditions_of({path: values for path, values in told.items() if str(path).startswith(f"{segment}-")})
    codes = [(values, one_of) for field, part, values, one_of in own if (field, part) == (place.field, 1)]
    own = tuple(one for one in own if one[:2] != (place.field, 1))
    others = [(str(path), *_values(values)) for path, values in told.items() if not str(path).startswith(f"{segment}-")]

    def run(raw: str, r: Reading) -> None:
        if codes:
            first = raw.partition(r.repetition)[0] if r.repetition else raw
            code = r.first_subcomponent(first.partition(r.component)[0])
            if not all((code in values) is one_of for values, one_of in codes):
                return
        if all((r.message.text(path) in values) is one_of for path, values, one_of in others) and (
            not own or meets(r.segment(), own)
        ):
            fill(raw, r)

    return run


def _take(write: Write, take: Any, target: str) -> Take:
    name, is_single = target.partition(".")[0], "[]" not in target

    def run(w: Writing) -> Field:
        resource = w.open.get(name)
        return "" if resource is None else collected(write, take(resource, w.open), w, single=is_single)

    return run


def _after_lead(fill: Fill, code: str) -> Fill:
    """Read a field without the repetition that only says what the segment is about."""

    def run(raw: str, r: Reading) -> None:
        repetitions = raw.split(r.repetition) if r.repetition else [raw]
        others = [one for one in repetitions if one.partition(r.component)[0] != code]
        if len(others) < len(repetitions):
            r.taken += 1
        if others:
            fill(r.repetition.join(others), r)

    return run


def _led(lead: tuple[str, ...], take: Take) -> Take:
    def run(w: Writing) -> Field:
        rest = take(w)
        if rest == "":
            return lead
        return [lead, *rest] if isinstance(rest, list) else [lead, rest]

    return run


def _constant_take(value: Any) -> Take:
    if isinstance(value, str) and value.startswith("$"):
        if value not in VARIABLES:
            raise RowError(f"expected one of {', '.join(VARIABLES)}, found {value!r}")
        variable = value[1:]
        return lambda w: w.variable(variable)
    constant: Field = tuple(str(part) for part in value) if isinstance(value, list) else str(value)
    return lambda w: constant
