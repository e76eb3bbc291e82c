"""How two pieces of work are timed against each other on a machine that has other things to do.

In turns, so that both meet the same machine; by processor time, so that the work of others is not counted; each by
its best turn, so that what others did to the caches and clock of the processor counts least.
"""

import time
from collections.abc import Callable
from typing import Any

_TURNS = 30
_MOST_AT_ONCE = 20
"""How often a piece of work runs between two looks at the clock, once it has shown that it is quick."""

Work = Callable[[], Any]
Row = dict[str, str | float]


def row(name: str, ours: Work, floor: tuple[str, Work], seconds: float, goal: str = "") -> Row:
    """Return the row of `ours` beside a named floor, as `gateway bench` prints it."""
    floor_name, floor_work = floor
    our_rate, floor_rate = rates(ours, floor_work, seconds)
    return {
        "row": name,
        "per_second": round(our_rate),
        "floor": floor_name,
        "floor_per_second": round(floor_rate),
        "ratio": round(our_rate / floor_rate, 3),
        "goal": goal,
    }


def rates(ours: Work, floor: Work, seconds: float) -> tuple[float, float]:
    """Return how often a second of processor time `ours` and `floor` ran; both together take about `seconds`."""
    ours()
    floor()
    each = seconds / _TURNS / 2
    turns = [(_rate(ours, each), _rate(floor, each)) for _ in range(_TURNS)]
    return max(our_rate for our_rate, _ in turns), max(floor_rate for _, floor_rate in turns)


def _rate(work: Work, seconds: float) -> float:
    done, begin = 0, time.thread_time()
    while (spent := time.thread_time() - begin) < seconds or not done:
        at_once = min(done or 1, _MOST_AT_ONCE)
        for _ in range(at_once):
            work()
        done += at_once
    return done / spent
