"""Dates and times as sources write them: explicit formats only, sentinels, and local clocks that jump.

Nothing is guessed: a text that does not fit its format, a time that does not exist and a time that exists twice
are findings, and the part that is certain is kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import zip_longest

SENTINELS = frozenset({(1900, 1, 1), (1899, 12, 30)})
"""Days that spreadsheets and databases write where nothing was entered."""

_OFFSET = r"(?P<z>[Zz]|[+-](?:0\d|1[0-4]):?[0-5]\d)"
"""As far as zones go (FHIR R4 dateTime)."""

_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "y": r"(?P<y>\d{2})",
    "H": r"(?P<H>\d{1,2})", "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})", "p": r"(?P<p>[AaPp])\.?[Mm]\.?", "z": _OFFSET,
    "b": r"(?P<b>[A-Za-z]{3})", "B": r"(?P<b>[A-Za-z]{3,9})", "A": r"[A-Za-z]{6,9}", "a": r"[A-Za-z]{3}", "%": "%",
}  # fmt: skip

_ISO = (
    r"(?P<Y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})(?:[T ](?P<H>\d{2}):(?P<M>\d{2})"
    r"(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*" + _OFFSET + r"?)?)?)?"
)

_MONTHS = {
    name: n
    for n, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}


class DateFormatError(ValueError):
    """A format that is not supported; the text says which are."""


@dataclass(frozen=True, slots=True)
class When:
    """A point on the calendar as written: only the year is certain to be there."""

    year: int
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int = 0
    second: int = 0
    offset: tzinfo | None = None
    has_short_year: bool = False
    """Its source wrote two digits of the year; the century is the one of `_century`."""

    def a_century_before(self) -> "When":
        """Return the same day a hundred years before."""
        return replace(self, year=self.year - 100)

    @property
    def is_sentinel(self) -> bool:
        """Tell whether this day stands for "nothing was entered"."""
        return (self.year, self.month, self.day) in SENTINELS

    def as_date(self) -> str:
        """Write the day, or the month or year where no more is known (FHIR R4 date)."""
        text = f"{self.year:04d}"
        if self.month is not None:
            text += f"-{self.month:02d}"
            if self.day is not None:
                text += f"-{self.day:02d}"
        return text


Parser = Callable[[str], When | None]
"""Read a text; None when it does not fit, or no such day or hour exists."""


def compile_format(pattern: str) -> Parser:
    """Compile a strptime-like format, or `iso`, to a parser.

    Raises:
        DateFormatError: a directive is unknown, or the format has no year.
    """
    expression = re.compile(_ISO if pattern == "iso" else _expression(pattern))
    if "Y" not in expression.groupindex and "y" not in expression.groupindex:
        raise DateFormatError(f"expected a format with %Y, found {pattern!r}")
    return lambda text: _when(expression.fullmatch(text))


def compile_time_format(pattern: str) -> Callable[[str], tuple[int, int, int] | None]:
    """Compile the format of a time of day: a strptime-like one, or HMM (no leading zeros: 5 is 00:05).

    Raises:
        DateFormatError: a directive is unknown.
    """
    if pattern == "HMM":
        return _hmm
    expression = re.compile(_expression(pattern))
    return lambda text: _clock(expression.fullmatch(text))


def _expression(pattern: str) -> str:
    parts = re.split(r"%(.)", pattern)
    for directive in parts[1::2]:
        if directive not in _DIRECTIVES:
            raise DateFormatError(f"expected one of %{' %'.join(_DIRECTIVES)}, found %{directive}")
    literals = [re.sub(r"(\\ )+", r"\\s+", re.escape(part)) for part in parts[::2]]
    directives = [_DIRECTIVES[directive] for directive in parts[1::2]]
    return "".join(literal + directive for literal, directive in zip_longest(literals, directives, fillvalue=""))


def _when(match: re.Match[str] | None) -> When | None:
    if match is None:
        return None
    found = match.groupdict()
    is_short = not found.get("Y")
    year = _century(int(found["y"])) if is_short else int(found["Y"])
    month = _month(found)
    day = int(found["d"]) if found.get("d") else None
    try:
        date(year, month or 1, day or 1)
    except (ValueError, TypeError):
        return None
    if not (found.get("H") or found.get("I")):
        return None if month == 0 else When(year, month, day, has_short_year=is_short)
    clock = _clock(match)
    return None if clock is None else When(year, month, day, *clock, _offset(found.get("z")), is_short)


def _century(year: int) -> int:
    """Return the year of two digits as POSIX reads it: 69 to 99 are of the last century."""
    return year + (2000 if year < 69 else 1900)


def _month(found: dict[str, str | None]) -> int | None:
    if name := found.get("b"):
        return _MONTHS.get(name[:3].casefold(), 0)
    return int(found["m"] or 0) if found.get("m") else None


def _clock(match: re.Match[str] | None) -> tuple[int, int, int] | None:
    if match is None:
        return None
    found = match.groupdict()
    hour = int(found.get("H") or found.get("I") or 0)
    half = (found.get("p") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    minute, second = int(found.get("M") or 0), int(found.get("S") or 0)
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _hmm(text: str) -> tuple[int, int, int] | None:
    digits = text.replace(":", "")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 4:
        return None
    hour, minute = divmod(int(digits), 100)
    return (hour, minute, 0) if hour < 24 and minute < 60 else None


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


@dataclass(frozen=True, slots=True)
class Placed:
    """A time put on the world's clock, or why it could not be."""

    instant: datetime | None
    problem: str | None = None
    """ "local-time-gap" or "local-time-ambiguous"."""


def place(when: When, zone: tzinfo | None) -> Placed:
    """Give a local time its offset. A time in the gap or in the repeated hour of daylight saving has none for sure."""
    zone = when.offset or zone
    if zone is None:
        return Placed(None, "zone-unknown")
    first = datetime(when.year, when.month or 1, when.day or 1, when.hour or 0, when.minute, when.second, tzinfo=zone)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    if before == after or before is None or after is None:
        return Placed(first)
    return Placed(None, "local-time-ambiguous" if before > after else "local-time-gap")
