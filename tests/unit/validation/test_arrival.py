"""What is refused before any model sees it."""

import json
from decimal import Decimal

import pytest

from gateway.validation.arrival import LARGEST_BYTES, depth, read_json


def _rules(raw: bytes) -> list[str]:
    return [finding.rule for finding in read_json(raw)[1]]


def test_sound_json_is_parsed_and_keeps_its_decimals() -> None:
    value, found = read_json(b'\xef\xbb\xbf{"value": 1.10, "code": "\xc3\xa9"}')

    assert (value, len(found)) == ({"value": Decimal("1.10"), "code": "é"}, 0)


def test_more_bytes_than_the_limit_are_refused_unread() -> None:
    assert _rules(b"{" * (LARGEST_BYTES + 1)) == ["bytes-limit"]


def test_sixty_levels_pass_and_sixty_one_do_not() -> None:
    assert _rules(b"[" * 60 + b"]" * 60) == []
    assert _rules(b"[" * 61 + b"]" * 61) == ["depth-limit"]


def test_a_hundred_thousand_levels_are_refused_without_a_stack() -> None:
    assert _rules(b"[" * 100_000) == ["depth-limit"]


def test_brackets_inside_text_are_no_levels() -> None:
    assert depth(json.dumps({"a": '[[[{"\\'}).encode()) == 1


def test_a_text_that_never_ends_is_read_once() -> None:
    # Read anew from each of its quotes it would take days.
    assert depth(b'["' + b'\\"' * 2_000_000) == 1


@pytest.mark.parametrize("number", [b"9" * 5_000, b"1e9999999999999999999"])
def test_a_number_larger_than_can_be_held_is_refused(number: bytes) -> None:
    assert _rules(b"[" + number + b"]") == ["too-long"]


def test_a_key_given_twice_is_refused() -> None:
    assert _rules(b'{"status": "active", "status": "draft"}') == ["duplicate-key"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_json_does_not_have_are_refused(number: bytes) -> None:
    assert _rules(b'{"value": ' + number + b"}") == ["not-a-number"]


def test_broken_json_and_other_encodings_are_refused_with_their_place() -> None:
    value, (finding,) = read_json(b'{"a": 1,\n "b" 2}')

    assert (value, finding.rule, finding.message) == (
        None,
        "json",
        "expected JSON, found a mistake at line 2, column 6",
    )
    assert _rules(b'{"a": "\xe9"}') == ["encoding"]


def test_no_refusal_quotes_the_document() -> None:
    for raw in (b'{"MARKED": 1, "MARKED": 2}', b'{"a": MARKED}', b'"MARKED'):
        assert "MARKED" not in repr(read_json(raw)[1])
