"""JSON as the store writes and reads it.

A `Decimal` is written digit for digit (1.10 stays 1.10 on disk), but reading back goes through orjson and gives a
float: what needs a partner's digits exactly (a signature, a hash) takes the bytes kept in `input.payload`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson


def _exactly(value: Any) -> Any:
    """Write what orjson does not know by itself: decimals, tuples in mappings that are no dicts."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"expected JSON content, found {type(value).__name__}")


def dump(value: Any) -> bytes:
    """Return JSON text; keys stay in their order. Anything that is not JSON raises `TypeError`."""
    return orjson.dumps(value, default=_exactly)


def load(text: bytes) -> Any:
    """Return the value of JSON text that `dump` wrote."""
    return orjson.loads(text)
