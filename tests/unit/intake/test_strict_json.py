"""JSON of strangers."""

from decimal import Decimal

import pytest

from gateway.intake.strict_json import JsonRefused, read_object


def test_a_decimal_keeps_its_digits() -> None:
    assert read_object(b'{"value": 1.10}') == {"value": Decimal("1.10")}


def test_text_of_any_script_is_kept() -> None:
    assert read_object('{"name": "Żółw 🐢 \\ud83d\\udc22"}'.encode()) == {"name": "Żółw 🐢 🐢"}


def test_sixty_levels_are_allowed_and_no_more() -> None:
    def nested(levels: int) -> bytes:
        return b'{"x":' * levels + b"1" + b"}" * levels

    assert read_object(nested(60))
    with pytest.raises(JsonRefused, match="at most 60 levels"):
        read_object(nested(61))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": {"b": 1, "b": 2}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e400}', "too large"),
        (b'{"a": 1e9999999999999999999}', "too large"),
        (b'{"a": ' + b"1" * 5000 + b"}", "too large"),
        (b"[" * 50_000, "at most 60 levels"),
        (b'{"a": [' + b"{}," * 30_000 + b"{}]}", "more than 30000"),
        (b"{" + b",".join(b'"%d": 1' % n for n in range(20_000)) + b"}", "more than 30000"),
        (b"[1]", "expected a JSON object"),
        (b'"text"', "expected a JSON object"),
        (b"", "line 1, column 1"),
        (b'{\n"a" 1}', "line 2, column 5"),
        (b'{"a": "\xff"}', "expected UTF-8"),
        (b'{"a": "\\udc00"}', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"a": ["\\u0007"]}', "control character"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(JsonRefused, match=why):
        read_object(body)


def test_the_reason_never_repeats_what_stood_there() -> None:
    with pytest.raises(JsonRefused) as refused:
        read_object(b'{"Otter-Test": Otter-Test}')

    assert "Otter" not in str(refused.value)
