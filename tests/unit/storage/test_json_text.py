"""JSON as the store writes it."""

from collections import UserDict
from decimal import Decimal

import pytest

from gateway.storage.json_text import dump, load


def test_a_decimal_is_written_digit_for_digit() -> None:
    assert dump({"value": Decimal("1.10")}) == b'{"value":1.10}'


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_know_is_refused(value: str) -> None:
    with pytest.raises(TypeError):
        dump({"value": Decimal(value)})


def test_any_mapping_is_an_object_and_keys_keep_their_order() -> None:
    assert dump(UserDict({"b": 1, "a": (2, None)})) == b'{"b":1,"a":[2,null]}'


def test_what_is_not_json_is_refused_by_its_kind() -> None:
    with pytest.raises(TypeError):
        dump({"value": object()})


def test_text_is_read_back() -> None:
    assert load(dump({"name": "Zztést", "n": [1, 2.5, True]})) == {"name": "Zztést", "n": [1, 2.5, True]}
