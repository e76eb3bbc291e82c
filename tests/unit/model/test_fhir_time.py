"""FHIR dates and instants: covered intervals, zones that are never guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from gateway.model.fhir_time import covered_interval, instant, last_day, written

LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "start", "after"),
    [
        ("2026", utc(2026, 1, 1, 8), utc(2027, 1, 1, 8)),
        ("2026-12", utc(2026, 12, 1, 8), utc(2027, 1, 1, 8)),
        ("2026-11-01", utc(2026, 11, 1, 7), utc(2026, 11, 2, 8)),
        ("2026-03-08", utc(2026, 3, 8, 8), utc(2026, 3, 9, 7)),
        ("2026-11-02T10:00:00-08:00", utc(2026, 11, 2, 18), utc(2026, 11, 2, 18, 0, 1)),
        ("2026-11-02T18:00Z", utc(2026, 11, 2, 18), utc(2026, 11, 2, 18, 1)),
        ("2026-11-02T18:00:00.25Z", utc(2026, 11, 2, 18, 0, 0, 250_000), utc(2026, 11, 2, 18, 0, 0, 260_000)),
    ],
)
def test_a_date_covers_its_whole_precision(text: str, start: datetime, after: datetime) -> None:
    assert covered_interval(text, LOS_ANGELES) == (start, after)


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-08:00"])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Guam"])
def test_the_year_that_stands_for_no_end_can_be_counted_with_in_every_zone(text: str, zone: str) -> None:
    _, after = covered_interval(text, ZoneInfo(zone))

    assert utc(9999, 1, 1) <= after <= utc(9999, 1, 1, 0, 0, 1)
    assert after.astimezone(ZoneInfo(zone)) + timedelta(days=1) > utc(9998, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01",
        "0001-01-01T00:00:00+08:00",
        "9999-13-01",
        "2026-11-02T18:00:00",
        "2026-13",
        "2026-02-30",
        "tomorrow",
        "",
        None,
        2026,
        "02.11.2026",
    ],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError):
        covered_interval(text, LOS_ANGELES)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2008-02-29", date(2008, 2, 29)),
        ("2008-12", date(2008, 12, 31)),
        ("2008", date(2008, 12, 31)),
        ("9998-12-31", date(9998, 12, 31)),
        ("9999-06-01", date(9998, 12, 31)),
    ],
)
def test_the_last_day_is_that_before_what_is_covered_ends(text: str, day: date) -> None:
    assert last_day(text) == day == (covered_interval(text, UTC)[1] - timedelta(days=1)).date()


@pytest.mark.parametrize("text", ["0001-01-01", "2026-02-30", "tomorrow", "", None, 2026])
def test_what_is_no_date_has_no_last_day(text: object) -> None:
    with pytest.raises(ValueError):
        last_day(text)


def test_an_instant_needs_its_offset() -> None:
    assert instant("2026-11-02T18:00:00Z") == utc(2026, 11, 2, 18)
    assert instant("2026-11-02T18:00:00.123456789Z") == utc(2026, 11, 2, 18, 0, 0, 123_456)
    for text in ("2026-11-02T18:00:00", "2026-11-02", None):
        with pytest.raises(ValueError):
            instant(text)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (utc(2026, 11, 2, 18), "2026-11-02T18:00:00Z"),
        (utc(2026, 11, 2, 18, 0, 0, 500_000), "2026-11-02T18:00:00.500Z"),
        (utc(2026, 11, 2, 18, 0, 0, 1), "2026-11-02T18:00:00.000001Z"),
        (datetime(2026, 11, 2, 10, tzinfo=timezone(timedelta(hours=-8))), "2026-11-02T18:00:00Z"),
    ],
)
def test_instants_are_written_in_utc_with_the_fraction_they_have(at: datetime, text: str) -> None:
    assert written(at) == text
