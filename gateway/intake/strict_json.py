"""Read a JSON object of a stranger: beyond `validation.read_json`, no text or number that only some readers can hold.

Python takes half a surrogate pair and fails when it has to write it; a number of a thousand digits is read by one
program as infinite and by the next as wrong. Nor so many values that checking them keeps everybody else waiting.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import isinf
from typing import Any

from gateway.validation import read_json

MOST_PARTS = 30_000
"""Objects, lists, names and values of one body; a consent with a hundred provisions has a few thousand."""

_MOST_COMMAS = 10 * MOST_PARTS
"""Beyond these a body is not even parsed. Texts have commas too; a scan, in base64, has none."""

_TOO_MANY = f"There are more than {MOST_PARTS} objects, lists, names and values."


class JsonRefused(ValueError):
    """The bytes are not JSON as we accept it; the text says which rule, never what stood there."""


def read_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8.

    Raises:
        JsonRefused: what `read_json` refuses (deeper than 60 levels, a member named twice, NaN), no object, more than
            `MOST_PARTS` parts, a number beyond a double, or a character that no FHIR string may hold (FHIR R4
            datatypes, string).
    """
    if body.count(b",") > _MOST_COMMAS:
        raise JsonRefused(_TOO_MANY)
    value, found = read_json(body)
    if len(found):
        raise JsonRefused("; ".join(finding.message for finding in found))
    if not isinstance(value, dict):
        raise JsonRefused("expected a JSON object, found another kind of value")
    for count, part in enumerate(_parts(value), 1):
        if count > MOST_PARTS:
            raise JsonRefused(_TOO_MANY)
        _check(part)
    return value


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _parts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _parts(member)


def _check(part: Any) -> None:
    if isinstance(part, Decimal) and isinf(float(part)):
        raise JsonRefused("A number is too large.")
    if isinstance(part, str) and any((c < " " and c not in "\t\r\n") or "\ud800" <= c <= "\udfff" for c in part):
        raise JsonRefused("A string holds a control character or half a surrogate pair.")
