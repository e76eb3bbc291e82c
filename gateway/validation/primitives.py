"""FHIR R4 primitive values as JSON writes them: which JSON kind, which form, which range.

The forms are those of the datatypes page, tightened where its regular expressions let through what its text
forbids (30 February) and rewritten where they take exponential time (base64Binary).
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

Test = Callable[[Any], bool]
"""Tells whether a JSON value is a value of the type."""

LONGEST_STRING = 1_048_576
"""Characters of a string (FHIR R4 datatypes, string: one megabyte)."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OID_FORM = r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"
_UUID_FORM = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OID = re.compile(_OID_FORM)
_UUID = re.compile(_UUID_FORM)
_URI = re.compile(rf"(?!urn:oid:|urn:uuid:)\S+|{_OID_FORM}|{_UUID_FORM}")
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
_CLOCK = re.compile(_TIME)
_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_DATE_TIME = re.compile(rf"[0-9]{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T{_TIME}{_ZONE})?)?)?")
_INSTANT = re.compile(rf"[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_TIME}{_ZONE}")
_BASE64 = re.compile(r"[0-9a-zA-Z+/]*={0,2}")
_SPACE = re.compile(r"\s+")


def _is_string(value: Any) -> bool:
    return type(value) is str and len(value) <= LONGEST_STRING and bool(value.strip()) and not _CONTROL.search(value)


def _formed(form: re.Pattern[str]) -> Test:
    match = form.fullmatch
    return lambda value: type(value) is str and match(value) is not None


def _dated(form: re.Pattern[str]) -> Test:
    """Test the form, then that the day exists: a regular expression cannot know February."""
    match = form.fullmatch

    def test(value: Any) -> bool:
        if type(value) is not str or match(value) is None or value.startswith("0000"):
            return False
        return len(value) < 10 or value[8:10] < "29" or _exists(value[:10])

    return test


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _within(least: int, most: int) -> Test:
    return lambda value: type(value) is int and least <= value <= most


def _is_base64(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    packed = _SPACE.sub("", value)
    return len(packed) % 4 == 0 and _BASE64.fullmatch(packed) is not None


TESTS: dict[str, Test] = {
    "base64Binary": _is_base64,
    "boolean": lambda value: value is True or value is False,
    "canonical": _formed(_URI),
    "code": _formed(_CODE),
    "date": _dated(_DATE),
    "dateTime": _dated(_DATE_TIME),
    "decimal": lambda value: type(value) in (int, float, Decimal),
    "id": _formed(_ID),
    "instant": _dated(_INSTANT),
    "integer": _within(-2_147_483_648, 2_147_483_647),
    "markdown": _is_string,
    "oid": _formed(_OID),
    "positiveInt": _within(1, 2_147_483_647),
    "string": _is_string,
    "time": _formed(_CLOCK),
    "unsignedInt": _within(0, 2_147_483_647),
    "uri": _formed(_URI),
    "url": _formed(_URI),
    "uuid": _formed(_UUID),
    "xhtml": lambda value: type(value) is str,
}
"""Test by type name; `xhtml` has its own checks (`gateway.validation.narrative`)."""

_USUAL_DAY = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"

USUAL: dict[str, Callable[[str], object]] = {
    "canonical": re.compile(r"https?://[!-~]+").fullmatch,
    "code": re.compile(r"[!-~]+").fullmatch,
    "date": re.compile(_USUAL_DAY).fullmatch,
    "dateTime": re.compile(rf"{_USUAL_DAY}(T{_TIME}{_ZONE})?").fullmatch,
    "id": _ID.fullmatch,
    "instant": re.compile(rf"{_USUAL_DAY}T{_TIME}{_ZONE}").fullmatch,
    "markdown": re.compile(r"[!-~][ -~]{0,999}").fullmatch,
    "string": re.compile(r"[!-~][ -~]{0,999}").fullmatch,
    "uri": re.compile(r"https?://[!-~]+").fullmatch,
    "url": re.compile(r"https?://[!-~]+").fullmatch,
}
"""What most texts of these types look like: a text that matches passes `TESTS` too, one that does not may as well."""

FORMS = {
    "boolean": "true or false without quotes",
    "integer": "a whole number of 32 bits without quotes",
    "positiveInt": "a whole number from 1 without quotes",
    "unsignedInt": "a whole number from 0 without quotes",
    "decimal": "a number without quotes",
    "date": "YYYY, YYYY-MM or YYYY-MM-DD, a day that exists",
    "dateTime": "a date, or date and time to the second with an offset",
    "instant": "date and time to the second with an offset",
    "time": "hh:mm:ss",
    "id": "1 to 64 letters, digits, '-' or '.'",
    "code": "text without leading, trailing or double spaces",
    "base64Binary": "base64 text",
    "uri": "text without spaces; after urn:oid: digits, after urn:uuid: the lower-case UUID",
    "oid": "urn:oid: and the digits",
    "uuid": "urn:uuid: and the lower-case UUID",
}
"""What a message says was expected, where the type's name alone does not tell."""


def expected(code: str) -> str:
    """Say what a value of a primitive type looks like, for a message."""
    return f"{code} ({FORMS[code]})" if code in FORMS else f"{code} (text that is not blank)"


def kind(value: object) -> str:
    """Name the JSON kind of a value; the value itself never gets into a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true/false"
    if isinstance(value, str):
        return "empty text" if not value else "text"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a number"
