"""A day's curve as an SVG path: drawn on the server, so that it needs neither script nor inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 480
HEIGHT = 72
_PAD = 4


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A curve and the area below it, as values of an SVG path's `d`, with the words that say the same."""

    line: str
    area: str
    summary: str


def sparkline(values: Sequence[int], noun: str) -> Sparkline:
    """Draw hourly counts from left to right; `noun` names what is counted, in the plural."""
    peak = max(values, default=0)
    step = (WIDTH - 2 * _PAD) / max(len(values) - 1, 1)
    rise = (HEIGHT - 2 * _PAD) / max(peak, 1)
    points = [f"{_PAD + n * step:.1f},{HEIGHT - _PAD - value * rise:.1f}" for n, value in enumerate(values)]
    line = "M" + " L".join(points)
    area = f"{line} L{_PAD + (len(values) - 1) * step:.1f},{HEIGHT - _PAD} L{_PAD},{HEIGHT - _PAD} Z"
    busiest = f", most at {values.index(peak):02}:00 ({peak})" if peak else ""
    return Sparkline(line, area, f"{sum(values)} {noun} today{busiest}")
