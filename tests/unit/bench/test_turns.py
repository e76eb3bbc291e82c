"""Two pieces of work are timed against each other."""

from itertools import pairwise

from gateway.bench.turns import rates


def test_the_work_that_does_more_has_the_lower_rate() -> None:
    ours, floor = rates(lambda: sum(range(4000)), lambda: sum(range(10)), 0.05)

    assert 0 < ours < floor


def test_both_take_turns() -> None:
    calls: list[str] = []

    rates(lambda: calls.append("ours"), lambda: calls.append("floor"), 0.01)

    assert calls[:2] == ["ours", "floor"]
    assert sum(one != next_ for one, next_ in pairwise(calls)) > 20
