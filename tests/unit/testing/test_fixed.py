"""The clock that stands still and the ids that count."""

import re
from datetime import UTC, datetime, timedelta

from gateway.testing import CountingIds, FixedClock


def test_the_clock_shows_the_same_instant_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 11, 2, 18, 0, tzinfo=UTC))

    first, second = clock(), clock()
    clock.advance(timedelta(minutes=5))

    assert first == second == datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
    assert clock() == datetime(2026, 11, 2, 18, 5, tzinfo=UTC)


def test_ids_count_and_are_legal() -> None:
    new_id = CountingIds()

    ids = [new_id() for _ in range(100)]

    assert ids[:2] == ["idaaaaaaaaaaaaaaaaaaaaaaa3", "idaaaaaaaaaaaaaaaaaaaaaaa4"]
    assert len(set(ids)) == 100
    assert all(re.fullmatch("[a-z2-7]{26}", each) for each in ids)
