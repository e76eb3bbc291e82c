"""The reader `date:`: one or two source fields become a FHIR date or dateTime, with what is certain and no more."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

from gateway.mapping.compiler import Compiler, Expression, Location
from gateway.mapping.dates import DateFormatError, Parser, When, compile_format, compile_time_format, place
from gateway.mapping.scope import Scope
from gateway.model.zones import zone_named

_PROBLEMS = {
    "local-time-gap": "this local time does not exist (daylight saving begins); the time is left out",
    "local-time-ambiguous": "this local time exists twice (daylight saving ends); the time is left out",
    "zone-unknown": "no time zone is known for the agency; the time is left out",
}


def compile_date(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    """Compile `{date: PATH, in: FORMAT, time: PATH, time_in: FORMAT, zone: agency|NAME, future: allowed|last-century}`.

    `last-century`: a day ahead whose year has two digits is of the century before, as birthdays are.
    """
    date_text = compiler.path(node["date"], (*at, "date"))
    parsers = _parsers(compiler, node.get("in", "iso"), (*at, "in"))
    read_clock = _clock_reader(compiler, node, at)
    zone_of = _zone(compiler, node.get("zone"), (*at, "zone"))
    may_be_future = node.get("future") == "allowed"
    turns_back = node.get("future") == "last-century"

    def run(scope: Scope) -> str | None:
        text = date_text.text(scope)
        if text is None:
            return None
        when = next((found for parse in parsers if (found := parse(text)) is not None), None)
        if when is None:
            scope.note(
                "date-unreadable", date_text.source, "expected a date in the mapping's format, found another text"
            )
            return None
        if when.is_sentinel:
            return None
        if turns_back and when.has_short_year and _lies_ahead(scope, when.as_date()):
            when = when.a_century_before()
        if read_clock is not None:
            when = read_clock(scope, when)
        if zone_of is None or when.hour is None:
            return _day(scope, when, date_text.source, may_be_future)
        return _instant(scope, when, zone_of(scope), date_text.source, may_be_future)

    return run


def _parsers(compiler: Compiler, formats: Any, at: Location) -> list[Parser]:
    parsers: list[Parser] = []
    for pattern in formats if isinstance(formats, list) else [formats]:
        try:
            parsers.append(compile_format(str(pattern)))
        except DateFormatError as error:
            compiler.problem(at, str(error))
    return parsers


def _clock_reader(compiler: Compiler, node: dict[str, Any], at: Location) -> Callable[[Scope, When], When] | None:
    if "time" not in node:
        return None
    path = compiler.path(node["time"], (*at, "time"))
    formats = node.get("time_in", "%H:%M")
    parsers = []
    for pattern in formats if isinstance(formats, list) else [formats]:
        try:
            parsers.append(compile_time_format(str(pattern)))
        except DateFormatError as error:
            compiler.problem((*at, "time_in"), str(error))

    def run(scope: Scope, when: When) -> When:
        """Put the clock of the second field on the day; without one that can be read only the day is certain."""
        text = path.text(scope)
        clock = None if text is None else next((found for parse in parsers if (found := parse(text))), None)
        if text is not None and clock is None:
            scope.note("time-unreadable", path.source, "expected a time in the mapping's format, found another text")
        hour, minute, second = clock or (None, 0, 0)
        return When(when.year, when.month, when.day, hour, minute, second, when.offset)

    return run


def _zone(compiler: Compiler, name: Any, at: Location) -> Callable[[Scope], tzinfo | None] | None:
    if name is None:
        return None
    if name == "agency":
        return lambda scope: scope.zone
    zone = zone_named(str(name))
    if zone is None:
        compiler.problem(at, f"expected `agency`, `UTC` or a zone like America/Los_Angeles, found {name!r}")
    return lambda scope: zone


def _day(scope: Scope, when: When, source: str, may_be_future: bool) -> str:
    text = when.as_date()
    if not may_be_future and _lies_ahead(scope, text):
        scope.reject("time-in-future", f"expected a date that has come, found a later one in {source}")
    return text


def _lies_ahead(scope: Scope, day: str) -> bool:
    """Say whether a FHIR date, however partial, is of the future where the agency is."""
    latest = scope.context.at.astimezone(scope.zone or UTC).date().isoformat()
    return day > latest[: len(day)]


def _instant(scope: Scope, when: When, zone: tzinfo | None, source: str, may_be_future: bool) -> str:
    placed = place(when, zone)
    if placed.instant is None:
        scope.note(placed.problem or "", source, _PROBLEMS[placed.problem or ""])
        return _day(scope, when, source, may_be_future)
    if not may_be_future and placed.instant > scope.context.at:
        scope.reject("time-in-future", f"expected a time that has come, found a later one in {source}")
    return placed.instant.isoformat()
