"""A consent case as a file or a line states it: JSON that can be read in one way only, and the kinds of its parts.

A reader that is generous here permits: a refusal that stands where no Bundle is, or under the first of two equal keys,
would not be seen.
"""

from typing import Any

import orjson

from gateway.validation import read_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Part -> the kind of value expected there, its name, and whether the part may be left out (or be null).
_PARTS: tuple[tuple[str, type, str, bool], ...] = (
    ("request", dict, "an object", False),
    ("records", dict, "a Bundle", False),
    ("consents", dict, "a Bundle", False),
    ("facts", list, "a list", True),
    ("organizations", list, "a list", True),
    ("switches", dict, "an object", True),
)


def read_strictly(text: bytes) -> Any:
    """Parse one JSON document; a byte-order mark is let pass.

    Raises:
        ValueError: no JSON (`orjson.JSONDecodeError`, with line and column), or one that two programs may read
            differently: a key that an object has twice, NaN, nesting beyond 60 levels.
    """
    value = orjson.loads(text.removeprefix(_BYTE_ORDER_MARK))
    # What `read_json` makes of it is not used: its Decimals are none of the numbers that a decision takes hashes of.
    _, found = read_json(text)
    if len(found):
        raise ValueError("; ".join(finding.message for finding in found))
    return value


def checked_parts(case: Any) -> dict[str, Any]:
    """Return the case if each part is of its kind (docs/consent-engine.md); raises ValueError naming the part."""
    if not isinstance(case, dict):
        raise ValueError("expected an object with request, records and consents")
    for name, kind, named, optional in _PARTS:
        part = case.get(name)
        if part is None and optional:
            continue
        if not isinstance(part, kind):
            raise ValueError(f"{name}: expected {named}")
    for name in ("records", "consents"):
        if case[name].get("resourceType") != "Bundle":
            raise ValueError(f"{name}: expected a Bundle")
    return case
