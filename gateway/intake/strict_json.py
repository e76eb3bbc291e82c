"""Read JSON of strangers without believing more of it than RFC 8259 and FHIR allow.

Python's reader takes NaN, lets a second member of one name win and stops at depths only by luck; each of these has
been used to show one reader something else than the next one sees.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from math import isinf
from typing import Any

MAX_DEPTH = 60


class JsonRefused(ValueError):
    """The bytes are not JSON as we accept it; the text says which rule, never what stood there."""


def read_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8.

    Raises:
        JsonRefused: not UTF-8, not JSON, not an object, a member named twice, a number that is not finite, nested
            deeper than `MAX_DEPTH`, or a character that no FHIR string may hold (FHIR R4 datatypes, string).
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant, parse_float=_finite
        )
    except JsonRefused:
        raise
    except UnicodeDecodeError:
        raise JsonRefused("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise JsonRefused(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise JsonRefused("The body holds a number or a nesting that is too large.") from None
    if not isinstance(value, dict):
        raise JsonRefused("The body is not a JSON object.")
    _check(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonRefused("An object names one member twice.")
    return members


def _no_constant(_: str) -> Any:
    raise JsonRefused("NaN and Infinity are not JSON.")


def _finite(text: str) -> Decimal:
    """Keep a decimal digit for digit (1.10 is not 1.1, FHIR R4 datatypes, decimal)."""
    if isinf(float(text)):
        raise JsonRefused("A number is too large.")
    return Decimal(text)


def _check(root: Any) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise JsonRefused(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _children(value: Any) -> Iterator[Any]:
    """Yield what can nest further; strings are looked at on the way."""
    if isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            yield from _nesting(member)
    else:
        for member in value:
            yield from _nesting(member)


def _nesting(member: Any) -> Iterator[Any]:
    if isinstance(member, str):
        _check_text(member)
    elif isinstance(member, dict | list):
        yield member


def _check_text(text: str) -> None:
    if any((c < " " and c not in "\t\r\n") or "\ud800" <= c <= "\udfff" for c in text):
        raise JsonRefused("A string holds a control character or half a surrogate pair.")
