"""The consent bench measures real decisions."""

from functools import cache
from typing import Any

import pytest

from gateway.bench.consent import decision_of, rows

Json = dict[str, Any]


def test_what_is_timed_is_a_permit_of_every_item() -> None:
    record = decision_of(12)

    assert (record.decision, record.reason, record.withheld) == ("PERMIT", "OK_CONSENT", ())


@cache
def made() -> dict[str, Json]:
    return {row["row"]: row for row in rows(0.05)}


def test_each_row_stands_beside_its_floor() -> None:
    assert list(made()) == [
        "consent decision, 2 items",
        "label + consent decision, 12 items",
        "consent decision among 100,000 consents",
        "slowest 1 % of decisions among 100,000 consents",
        "label + decision, items of a bundle: 10,000",
        "decision, consents of one person: 10,000",
    ]
    keys = {"row", "per_second", "floor", "floor_per_second", "ratio", "goal"}
    assert all(set(row) == keys and row["per_second"] > 0 and row["floor_per_second"] > 0 for row in made().values())


@pytest.mark.parametrize("counted", ["items of a bundle", "consents of one person"])
def test_ten_times_as_much_takes_no_more_than_ten_times_as_long(counted: str) -> None:
    """The goal of the bench is 12 times; a machine with other things to do gets room. A square would be 100 times."""
    (ratio,) = (row["ratio"] for name, row in made().items() if counted in name)

    assert ratio > 0.4


def test_a_decision_among_many_people_costs_no_more_than_among_few() -> None:
    assert made()["consent decision among 100,000 consents"]["ratio"] > 0.4
