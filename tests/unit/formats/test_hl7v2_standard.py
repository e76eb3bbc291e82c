"""hl7apy's tables as we read them: holes closed, every segment of every version without surprise."""

import hl7apy
import pytest

from gateway.formats.hl7v2.field_names import field_name, is_field
from gateway.formats.hl7v2.standard import VERSIONS, fields_of, order_of


@pytest.mark.parametrize("version", VERSIONS)
def test_every_segment_of_every_version_has_fields_or_none_and_never_an_error(version: str) -> None:
    segments = hl7apy.load_library(version).SEGMENTS

    numbers = {name: sorted(fields_of(name, version)) for name in segments}

    assert numbers["MSH"][:3] == [1, 2, 3]
    assert all(all(number > 0 for number in found) for found in numbers.values())


@pytest.mark.parametrize(("segment", "version"), [("QRD", "2.7"), ("URS", "2.7"), ("ANYHL7SEGMENT", "2.5.1")])
def test_a_segment_that_the_tables_have_no_fields_of_has_no_names(segment: str, version: str) -> None:
    assert field_name(segment, 3, version) == ""


def test_a_segment_whose_table_lacks_its_head_has_its_names_all_the_same() -> None:
    assert field_name("ORO", 2, "2.1") == "Substitute allowed"


def test_what_is_required_under_a_condition_is_not_required_of_everybody() -> None:
    assert [fields_of("OBX", version)[4].least for version in ("2.5.1", "2.7", "2.8", "2.8.1")] == [0, 0, 0, 0]


def test_a_field_that_only_older_versions_have_is_one() -> None:
    assert is_field("QRD", 8)


@pytest.mark.parametrize(
    ("kind", "version", "names"),
    [
        (("ADT", "A08", ""), "2.5.1", ["MSH", "SFT", "EVN", "PID", "PD1", "ROL", "NK1", "PV1"]),
        (("ADT", "A08", "ADT_A39"), "2.5.1", ["MSH", "SFT", "EVN", "PID", "PD1", "ROL", "NK1", "PV1"]),
        (("REF", "I14", "REF_I14"), "2.5.1", ["MSH", "SFT", "RF1", "AUT", "CTD", "PRD", "CTD", "PID"]),
        (("ACK", "A01", "ACK"), "2.5.1", ["MSH", "SFT", "MSA", "ERR"]),
        (("OSU", "O51", ""), "2.5.1", ["MSH", "SFT", "UAC", "NTE", "PID", "ORC"]),
    ],
)
def test_the_event_says_the_order_of_segments_whatever_msh_9_3_says(
    kind: tuple[str, str, str], version: str, names: list[str]
) -> None:
    places = order_of(*kind, version)

    assert places is not None
    assert list(places.names[: len(names)]) == names


def test_a_kind_that_the_version_does_not_have_has_no_order() -> None:
    assert order_of("REF", "I12", "REF_I12", "2.2") is None
