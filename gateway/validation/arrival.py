"""The first look at JSON that arrives: size, depth, duplicate keys and impossible numbers, before any model sees it.

Python's parser lets all four pass: it keeps the last of two equal keys, reads NaN, and overflows the stack.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.model.findings import Finding, Findings

LARGEST_BYTES = 64 * 1024 * 1024
"""Bytes of one document: as many as the HL7v2 side takes, since both may carry a printed page."""

DEEPEST = 60
"""Levels of nesting. R4's own recursion (Questionnaire items, Bundles in Bundles) stays below 30 in practice."""

# Possessive, and satisfied without the closing quote: backtracking over a text would cost memory for each of its bytes,
# and over one that never ends the square of its length.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


class _Refused(ValueError):
    """The document breaks a rule that JSON itself does not have."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def read_json(raw: bytes) -> tuple[Any, Findings]:
    """Parse one JSON document; return (value, no findings) or (None, what is wrong).

    Numbers with a fraction become `Decimal`, so that 1.10 stays 1.10. A byte-order mark is let pass.
    """
    try:
        return _read(raw), Findings()
    except _Refused as refusal:
        return None, _one(refusal.rule, str(refusal))
    except UnicodeDecodeError as problem:
        return None, _one("encoding", f"expected UTF-8, found other bytes at byte {problem.start}")
    except json.JSONDecodeError as problem:
        message = f"expected JSON, found a mistake at line {problem.lineno}, column {problem.colno}"
        return None, _one("json", message)
    except (ValueError, InvalidOperation):  # more digits, or a larger exponent, than Python makes a number of
        return None, _one("too-long", "expected a number that a program can hold, found one that is too large")


def _read(raw: bytes) -> Any:
    if len(raw) > LARGEST_BYTES:
        raise _Refused("bytes-limit", f"expected at most {LARGEST_BYTES} bytes, found {len(raw)}; send it in parts")
    if depth(raw) > DEEPEST:
        raise _Refused("depth-limit", f"expected at most {DEEPEST} levels of nesting, found more; flatten it")
    return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant, parse_float=Decimal)


def depth(raw: bytes) -> int:
    """Return the deepest nesting of a JSON text without parsing it."""
    deepest = level = 0
    for token in _STRUCTURE.finditer(raw):
        level += _DEPTH.get(token[0], 0)
        deepest = max(deepest, level)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("duplicate-key", "expected each key of an object once, found one twice; remove one")
    return found


def _constant(name: str) -> Any:
    raise _Refused("not-a-number", f"expected a number, found {name}, which JSON does not have")


def _one(rule: str, message: str) -> Findings:
    return Findings((Finding("error", rule, "$", message),))
