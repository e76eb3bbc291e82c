"""Primitive values: what passes and what does not."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.validation.primitives import TESTS, USUAL, expected, kind

GOOD: dict[str, list[Any]] = {
    "base64Binary": ["QQ==", "QU\nJD", "Zm9v"],
    "boolean": [True, False],
    "canonical": ["http://x.example/a|1"],
    "code": ["final", "in progress"],
    "date": ["2026", "2026-02", "2024-02-29"],
    "dateTime": ["2026", "2026-10-01T13:05:00Z", "2026-10-01T13:05:00.123456789+14:00"],
    "decimal": [1, 1.5, Decimal("1.10"), -3],
    "id": ["a-1.b", "x" * 64],
    "instant": ["2026-10-01T13:05:00.1-07:00", "2016-12-31T23:59:60Z"],
    "integer": [0, -2147483648],
    "markdown": ["a\n*b*"],
    "oid": ["urn:oid:2.999.1"],
    "positiveInt": [1],
    "string": ["a", " padded "],
    "time": ["23:59:59", "00:00:00.5"],
    "unsignedInt": [0],
    "uri": ["urn:a", "relative", "urn:oid:2.999.1", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "url": ["https://x.example"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
}

BAD: dict[str, list[Any]] = {
    "base64Binary": ["QQ=", "Q-==", "", 1, "=QQQ"],
    "boolean": ["true", 1, 0, None],
    "canonical": ["a b", ""],
    "code": [" a", "a ", "a  b", "", 1],
    "date": ["2026-13", "2026-02-30", "26", "2026-1-1", "0000", "2026-10-01T00:00:00Z", 2026],
    "dateTime": ["2026-10-01T13:05Z", "2026-10-01T13:05:00", "2026-10-01T24:00:00Z", "2026-10-01T13:05:00+15:00", 0],
    "decimal": ["1", True, None],
    "id": ["a_b", "x" * 65, ""],
    "instant": ["2026-10-01", "2023-02-29T13:05:00Z"],
    "integer": ["3", 1.0, True, 2147483648],
    "markdown": [""],
    "oid": ["urn:oid:3.1", "2.999"],
    "positiveInt": [0],
    "string": ["", " \n", "a\x00b", 5],
    "time": ["24:00:00", "12:00", "12:00:00Z"],
    "unsignedInt": [-1],
    "uri": ["a b", "", "urn:oid:2,999", "urn:uuid:1"],
    "url": ["http://a b"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
}


@pytest.mark.parametrize("code", GOOD)
def test_good_values_pass(code: str) -> None:
    assert [value for value in GOOD[code] if not TESTS[code](value)] == []


@pytest.mark.parametrize("code", BAD)
def test_bad_values_do_not_pass(code: str) -> None:
    assert [value for value in BAD[code] if TESTS[code](value)] == []


@pytest.mark.parametrize("code", USUAL)
def test_what_is_usual_is_right_and_no_more(code: str) -> None:
    """Two shapes of text for one type must never disagree: what the short one takes, the whole test takes."""
    edges = [
        "",
        " ",
        " a",
        "a ",
        "a b",
        "a  b",
        "a\tb",
        "a\nb",
        "a\n",
        "\x07",
        "é",
        "http://",
        "http:// a",
        "https://a",
    ]
    samples = [text for texts in (*GOOD.values(), *BAD.values(), edges) for text in texts if isinstance(text, str)]

    usual = [text for text in samples if USUAL[code](text)]

    assert usual
    assert [text for text in usual if not TESTS[code](text)] == []


def test_every_type_has_good_and_bad_samples() -> None:
    assert set(GOOD) == set(BAD) == set(TESTS) - {"xhtml"}


def test_base64_with_many_gaps_is_refused_at_once() -> None:
    assert not TESTS["base64Binary"]("AAAA " * 20_000 + "!")


def test_kinds_are_named_without_the_value() -> None:
    assert [kind(value) for value in (None, True, "", "x", {}, [], 3, Decimal(1))] == [
        "null",
        "true/false",
        "empty text",
        "text",
        "an object",
        "a list",
        "a number",
        "a number",
    ]


def test_a_message_says_what_form_was_expected() -> None:
    assert expected("positiveInt") == "positiveInt (a whole number from 1 without quotes)"
    assert expected("string") == "string (text that is not blank)"
