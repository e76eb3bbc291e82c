"""FHIR dates and instants: how much time a partial date covers, and that a time without a zone is no time.

A date means a whole day between two local midnights, a month or year the whole of it, a second its last fraction
(FHIR R4 datatypes, dateTime and Period.end). Zones are handed in, never guessed.
"""

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, tzinfo

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_TIMED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})")

BEGINNING = datetime.min.replace(tzinfo=UTC)

NO_END = datetime(MAXYEAR, 1, 1, tzinfo=UTC)
"""Any time in the year 9999, which systems write for "no end": no next year could be counted to."""


def covered_interval(text: object, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant that `text` covers and the first one after it; dates are days of `zone`.

    Raises ValueError for anything but a FHIR date or a dateTime with an offset.
    """
    if not isinstance(text, str):
        raise ValueError("expected a FHIR dateTime")
    plain = _DATE.fullmatch(text)
    if plain:
        return _covered_days(plain, zone)
    timed = _TIMED.fullmatch(text)
    if not timed:
        raise ValueError("expected a FHIR date, or a dateTime with an offset")
    start = _instant(text)
    if timed[1]:
        return start, start + timedelta(microseconds=max(1, 10 ** (6 - min(len(timed[1]), 6))))
    has_seconds = text.count(":", 0, 19) == 2
    return start, start + (timedelta(seconds=1) if has_seconds else timedelta(minutes=1))


def instant(text: object) -> datetime:
    """Return the instant a timed dateTime with an offset names; raise ValueError for anything else."""
    if not isinstance(text, str) or not _TIMED.fullmatch(text):
        raise ValueError("expected a dateTime with an offset")
    return _instant(text)


def last_day(text: object) -> date:
    """Return the last day that a FHIR date can mean: of a whole one itself. Raises as `covered_interval`."""
    plain = _DATE.fullmatch(text) if isinstance(text, str) else None
    if plain and plain[3] and MINYEAR < (day := _day(plain)).year < MAXYEAR:
        return day
    return (covered_interval(text, UTC)[1] - timedelta(days=1)).date()


def is_dated(text: str) -> bool:
    """Say whether `text` begins like a date with a time: such a value needs an offset to mean anything."""
    return len(text) > 10 and text[10] == "T" and _DATE.fullmatch(text[:10]) is not None


def written(at: datetime) -> str:
    """Write an instant in UTC as FHIR does, with no more fraction than it has: 2026-11-02T18:00:00.500Z."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    precision = "seconds" if not utc.microsecond else "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=precision)[:-6] + "Z"


def _instant(text: str) -> datetime:
    # fromisoformat takes at most six digits of fraction; more are cut, not rounded, so nothing moves later.
    at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return at if MINYEAR < at.year < MAXYEAR else _edge(at.year)


def _edge(year: int) -> datetime:
    if year == MINYEAR:
        raise ValueError("expected a time that every zone has, found one in the year 0001")
    return NO_END


def _covered_days(match: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    first = _day(match)
    year, month = first.year, first.month
    if not MINYEAR < year < MAXYEAR:
        return _edge(year), _edge(year)
    if match[3]:
        after = first + timedelta(days=1)
    elif match[2]:
        after = date(year + month // 12, month % 12 + 1, 1)
    else:
        after = date(year + 1, 1, 1)
    return _midnight(first, zone), _midnight(after, zone)


def _day(match: re.Match[str]) -> date:
    """Return the day that a date names, of a partial one the first."""
    return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))


def _midnight(day: date, zone: tzinfo) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight if zone is UTC else midnight.astimezone(UTC)
