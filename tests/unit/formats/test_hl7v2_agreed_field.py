"""A field agreed on for the notice: filled where it is empty, added where its segment is missing, never overwritten."""

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.agreed_field import with_agreed_field


def a_message(*segments: str) -> Message:
    message = read_message("\r".join(("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5.1", *segments, "")).encode())
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(
    ("segment", "place", "expected"),
    [
        ("ZNT|1", "ZNT-2", "ZNT|1|a \\T\\ b"),
        ("ZNT|1||x", "ZNT-2", "ZNT|1|a \\T\\ b|x"),
        ("PV2|", "PV2-3", "PV2|||a \\T\\ b"),
    ],
)
def test_an_empty_field_is_filled_and_nothing_moves(segment: str, place: str, expected: str) -> None:
    written = with_agreed_field(a_message("PID|1", segment, "PV1|1"), place, "a & b")

    assert written == f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5.1\rPID|1\r{expected}\rPV1|1\r".encode()


def test_a_segment_that_is_missing_is_added_at_the_end() -> None:
    assert with_agreed_field(a_message("PID|1"), "ZNT-3", "a & b").endswith(b"\rPID|1\rZNT|||a \\T\\ b\r")


@pytest.mark.parametrize("place", ["MSH-8", "ZNT", "ZNT-0", "ZNT-2.1", "znt-1", "", "ZNT-100"])
def test_what_is_no_field_or_one_of_the_header_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="expected a field"):
        with_agreed_field(a_message("PID|1"), place, "text")


def test_a_field_that_holds_something_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="expected an empty field"):
        with_agreed_field(a_message("ZNT|theirs"), "ZNT-1", "text")
