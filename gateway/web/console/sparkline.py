"""A day's curve as an SVG path: drawn on the server, so that it needs neither script nor inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 480
HEIGHT = 72

_HOURS = 24
_PAD = 4


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A curve and the area below it, as values of an SVG path's `d`, with the words that say the same."""

    line: str
    area: str
    summary: str


def sparkline(by_hour: Sequence[int], until: int) -> Sparkline:
    """Draw hourly counts from midnight to the hour `until` (inclusive): what has not been yet is not drawn as zero.

    Each hour's point stands in the middle of its hour; the width is a whole day.
    """
    past = by_hour[: until + 1]
    peak = max(past, default=0)
    rise = (HEIGHT - 2 * _PAD) / max(peak, 1)
    points = [(0.0, past[0]), *((n + 0.5, count) for n, count in enumerate(past)), (until + 1.0, past[-1])]
    drawn = [f"{hour * WIDTH / _HOURS:.1f},{HEIGHT - _PAD - count * rise:.1f}" for hour, count in points]
    line = "M" + " L".join(drawn)
    area = f"{line} L{(until + 1) * WIDTH / _HOURS:.1f},{HEIGHT} L0,{HEIGHT} Z"
    busiest = f", most from {past.index(peak):02}:00 ({peak})" if peak else ""
    return Sparkline(line, area, f"{sum(past)} today{busiest}")
