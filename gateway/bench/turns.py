"""How two pieces of work are timed against each other on a machine that has other things to do.

In turns, so that both meet the same machine; by processor time, so that the work of others is not counted; each by
its best turn, so that what others did to the caches and clock of the processor counts least.
"""

import time
from collections.abc import Callable
from typing import Any

_TURNS = 30
_AT_ONCE = 20
"""How often a piece of work runs between two looks at the clock."""

Work = Callable[[], Any]


def rates(ours: Work, floor: Work, seconds: float) -> tuple[float, float]:
    """Return how often a second of processor time `ours` and `floor` ran; both together take about `seconds`."""
    ours()
    floor()
    each = seconds / _TURNS / 2
    turns = [(_rate(ours, each), _rate(floor, each)) for _ in range(_TURNS)]
    return max(our_rate for our_rate, _ in turns), max(floor_rate for _, floor_rate in turns)


def _rate(work: Work, seconds: float) -> float:
    done, begin = 0, time.thread_time()
    while (spent := time.thread_time() - begin) < seconds:
        for _ in range(_AT_ONCE):
            work()
        done += _AT_ONCE
    return done / spent
