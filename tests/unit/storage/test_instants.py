"""Instants as whole microseconds."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.storage.instants import from_micros, to_micros


def test_an_instant_is_counted_in_microseconds_since_the_epoch() -> None:
    assert to_micros(datetime(2026, 11, 2, 18, 0, 0, 1, tzinfo=UTC)) == 1_793_642_400_000_001


def test_an_instant_of_another_zone_is_kept_in_utc() -> None:
    local = datetime(2026, 11, 2, 10, 0, tzinfo=ZoneInfo("America/Los_Angeles"))

    assert from_micros(to_micros(local)) == datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
    assert from_micros(to_micros(local)).tzinfo is UTC


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an aware datetime"):
        to_micros(datetime(2026, 11, 2))


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))
def test_every_instant_survives_to_the_microsecond(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at
