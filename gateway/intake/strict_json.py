"""Read a JSON object of a stranger: beyond `validation.read_json`, no text or number that only some readers can hold.

Python takes half a surrogate pair and fails when it has to write it; a number of a thousand digits is read by one
program as infinite and by the next as wrong.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import isinf
from typing import Any

from gateway.validation import read_json


class JsonRefused(ValueError):
    """The bytes are not JSON as we accept it; the text says which rule, never what stood there."""


def read_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8.

    Raises:
        JsonRefused: what `read_json` refuses (deeper than 60 levels, a member named twice, NaN), no object, a number
            beyond a double, or a character that no FHIR string may hold (FHIR R4 datatypes, string).
    """
    value, found = read_json(body)
    if len(found):
        raise JsonRefused("; ".join(finding.message for finding in found))
    if not isinstance(value, dict):
        raise JsonRefused("expected a JSON object, found another kind of value")
    for leaf in _leaves(value):
        _check(leaf)
    return value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        yield value


def _check(leaf: Any) -> None:
    if isinstance(leaf, Decimal) and isinf(float(leaf)):
        raise JsonRefused("A number is too large.")
    if isinstance(leaf, str) and any((c < " " and c not in "\t\r\n") or "\ud800" <= c <= "\udfff" for c in leaf):
        raise JsonRefused("A string holds a control character or half a surrogate pair.")
