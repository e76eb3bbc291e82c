"""Times keep their precision and zone, both ways."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.formats.hl7v2.times import dtm, fhir_date_time, hl7_time, with_offset_of, zone_of


@pytest.mark.parametrize(
    ("sent", "fhir"),
    [
        ("2026", "2026"),
        ("202611", "2026-11"),
        ("20261102", "2026-11-02"),
        ("202611021015-0800", "2026-11-02T10:15:00-08:00"),
        ("20261102101559-0800", "2026-11-02T10:15:59-08:00"),
        ("20261102101559.1234+0530", "2026-11-02T10:15:59.1234+05:30"),
        ("20261102101559.123456-0800", "2026-11-02T10:15:59.123456-08:00"),
        ("20261102101559", "2026-11-02T10:15:59+01:00"),
        ("2026110210-0800", "2026-11-02"),
        (" 20261102 ", "2026-11-02"),
    ],
)
def test_a_time_has_the_precision_it_came_with(sent: str, fhir: str) -> None:
    assert fhir_date_time(sent, "+0100") == fhir


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "26",
        "20261301",
        "20260230",
        "2026110225",
        "yesterday",
        "2026-11-02",
        "202611021",
        "20261102101559-2500",
        "20261102101559+0860",
    ],
)
def test_what_is_no_time_is_none(sent: str) -> None:
    assert fhir_date_time(sent) is None


def test_a_time_without_any_zone_keeps_only_its_date() -> None:
    assert fhir_date_time("20261102101559") == "2026-11-02"


@pytest.mark.parametrize(
    ("fhir", "sent"),
    [
        ("2026", "2026"),
        ("2026-11", "202611"),
        ("2026-11-02", "20261102"),
        ("2026-11-02T10:15:59-08:00", "20261102101559-0800"),
        ("2026-11-02T10:15:59.123456Z", "20261102101559.1234+0000"),
        ("tomorrow", ""),
    ],
)
def test_a_fhir_date_is_written_with_its_own_offset(fhir: str, sent: str) -> None:
    assert dtm(fhir) == sent


def test_an_instant_is_written_with_its_offset_and_a_naive_one_refused() -> None:
    assert hl7_time(datetime(2026, 11, 2, 10, tzinfo=timezone(timedelta(hours=-8)))) == "20261102100000-0800"
    assert hl7_time(datetime(2026, 11, 2, 10, tzinfo=UTC)) == "20261102100000+0000"
    with pytest.raises(ValueError, match="aware"):
        hl7_time(datetime(2026, 11, 2, 10))


def test_a_zone_is_read_where_it_is_stated() -> None:
    assert zone_of("20261102101500-0800") == "-0800"
    assert zone_of("20261102") == ""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("20260702101500", "2026-07-02T10:15:00-07:00"),
        ("202611021015", "2026-11-02T10:15:00-08:00"),
        ("20261101013000", "2026-11-01T01:30:00-07:00"),  # shown twice that night: the first
        ("20261102101500-0500", "2026-11-02T10:15:00-05:00"),
        ("20261102", "2026-11-02"),
        ("18800102101500", "1880-01-02T10:15:00-07:52"),
    ],
)
def test_a_time_without_an_offset_has_that_of_the_clocks_of_its_zone(sent: str, read: str) -> None:
    assert fhir_date_time(sent, "America/Los_Angeles") == read


@pytest.mark.parametrize(
    ("other", "written"),
    [
        ("20261102095900-0800", "20261101230000-0800"),
        ("202611020959+0530", "20261102123000+0530"),
        ("20261102095900", "20261102070000"),
        ("", "20261102070000"),
        ("yesterday", "20261102070000"),
        ("20261102095900-2500", "20261102070000"),
    ],
)
def test_an_instant_takes_the_offset_that_another_time_states(other: str, written: str) -> None:
    assert with_offset_of("20261102070000+0000", other) == written
