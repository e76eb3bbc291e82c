from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from gateway.mapping.dates import DateFormatError, Placed, When, compile_format, compile_time_format, place

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%m/%d/%Y", "3/9/2026", When(2026, 3, 9)),
        ("%m/%d/%Y %I:%M:%S %p", "03/09/2026 12:05:00 AM", When(2026, 3, 9, 0, 5, 0)),
        ("%m/%d/%Y %I:%M:%S %p", "03/09/2026  12:05:00 pm", When(2026, 3, 9, 12, 5, 0)),
        ("%d-%b-%Y", "09-MAR-2026", When(2026, 3, 9)),
        ("%m/%d/%y", "03/09/68", When(2068, 3, 9, has_short_year=True)),
        ("%m/%d/%y", "03/09/69", When(1969, 3, 9, has_short_year=True)),
        ("%Y", "1984", When(1984)),
        ("iso", "2026-03", When(2026, 3)),
        ("iso", "2026-03-09T14:05:07.123Z", When(2026, 3, 9, 14, 5, 7, UTC)),
        ("iso", "2026-03-09 14:05", When(2026, 3, 9, 14, 5, 0)),
        ("iso", "2026-03-09T14:05:07-0700", When(2026, 3, 9, 14, 5, 7, timezone(timedelta(hours=-7)))),
    ],
)
def test_a_date_is_read_by_its_format(pattern: str, text: str, expected: When) -> None:
    assert compile_format(pattern)(text) == expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%m/%d/%Y", "2026-03-09"),
        ("%m/%d/%Y", "02/30/2026"),
        ("%m/%d/%Y", "13/01/2026"),
        ("%m/%d/%Y", "03/09/2026 x"),
        ("%m/%d/%Y %I:%M %p", "03/09/2026 13:00 PM"),
        ("%d-%b-%Y", "09-XXX-2026"),
        ("iso", "012-05-08"),
        ("iso", "2026-03-09T24:00"),
        ("iso", "2026-03-09T10:00+99:00"),
        ("%Y-%m-%d %H:%M%z", "2026-03-09 10:00-2400"),
    ],
)
def test_a_text_that_does_not_fit_is_no_date(pattern: str, text: str) -> None:
    assert compile_format(pattern)(text) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("134", (1, 34, 0)), ("5", (0, 5, 0)), ("0", (0, 0, 0)), ("2359", (23, 59, 0))]
)
def test_a_number_without_leading_zeros_is_a_time(text: str, expected: tuple[int, int, int]) -> None:
    assert compile_time_format("HMM")(text) == expected


@pytest.mark.parametrize("text", ["2400", "60", "160", "12345", "-5", "1.5", "noon", ""])
def test_a_number_that_is_no_time_is_none(text: str) -> None:
    assert compile_time_format("HMM")(text) is None


def test_an_unknown_directive_is_a_mistake_of_the_mapping() -> None:
    with pytest.raises(DateFormatError, match="found %Q"):
        compile_format("%Y-%Q")


def test_a_format_without_a_year_is_a_mistake_of_the_mapping() -> None:
    with pytest.raises(DateFormatError, match="with %Y"):
        compile_format("%m/%d")


def test_the_days_that_mean_missing() -> None:
    assert When(1900, 1, 1).is_sentinel
    assert When(1899, 12, 30).is_sentinel
    assert not When(1900, 1, 2).is_sentinel


def written(placed: Placed) -> str | None:
    return None if placed.instant is None else placed.instant.isoformat()


def test_a_local_time_gets_the_offset_of_its_day() -> None:
    winter, summer = place(When(2026, 1, 5, 13, 45), PACIFIC), place(When(2026, 7, 5, 13, 45), PACIFIC)

    assert written(winter) == "2026-01-05T13:45:00-08:00"
    assert written(summer) == "2026-07-05T13:45:00-07:00"


def test_a_time_in_the_gap_of_spring_has_no_instant() -> None:
    assert place(When(2026, 3, 8, 2, 30), PACIFIC).problem == "local-time-gap"


def test_a_time_in_the_repeated_hour_of_autumn_has_no_instant() -> None:
    assert place(When(2026, 11, 1, 1, 30), PACIFIC).problem == "local-time-ambiguous"


def test_a_time_with_an_offset_of_its_own_needs_no_zone() -> None:
    placed = place(When(2026, 11, 1, 1, 30, 0, timezone(timedelta(hours=-7))), None)

    assert written(placed) == "2026-11-01T01:30:00-07:00"


def test_a_local_time_without_a_zone_is_not_placed() -> None:
    assert place(When(2026, 1, 5, 13, 45), None).problem == "zone-unknown"
