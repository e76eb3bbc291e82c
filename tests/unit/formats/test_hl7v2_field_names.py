"""Names of fields for people, by their number and not by their place in a table with holes."""

import pytest

from gateway.formats.hl7v2.field_names import field_name


@pytest.mark.parametrize(
    ("segment", "field", "version", "name"),
    [
        ("PID", 5, "2.5.1", "Patient name"),
        ("EVN", 2, "2.8", "Recorded date time"),
        ("EVN", 1, "2.8", ""),
        ("EVN", 1, "2.3", "Event type code"),
        ("PID", 5, "2.9", "Patient name"),
        ("PID", 5, "", "Patient name"),
        ("PID", 500, "2.5.1", ""),
        ("PID", 0, "2.5.1", ""),
        ("ZPD", 1, "2.5.1", ""),
        ("RF1", 6, "2.5.1", "Originating referral identifier"),
    ],
)
def test_a_field_has_the_name_its_version_gives_it(segment: str, field: int, version: str, name: str) -> None:
    assert field_name(segment, field, version) == name
