"""FHIR JSON as bytes: strict on the way in, and numbers go out with the digits they came with."""

import json
from decimal import Decimal
from typing import Any

import orjson

from gateway.formats.json_documents import NotStrictJson, strict_loads

__all__ = ["NotStrictJson", "dumps", "loads"]


def loads(payload: bytes) -> dict[str, Any]:
    """Read one resource: no NaN, no member twice, decimals as `Decimal`, at most 60 levels.

    Raises:
        NotStrictJson: with the kind of mistake; never a value of the resource.
    """
    value = strict_loads(payload)
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise NotStrictJson("expected a FHIR resource, found another kind of value")
    return value


def dumps(resource: dict[str, Any]) -> bytes:
    """Write a resource in one line. A `Decimal` keeps its trailing zeros (FHIR R4 datatypes, decimal)."""
    return orjson.dumps(resource, default=_exact)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(json.dumps(value, default=str).strip('"'))
    raise TypeError(f"expected JSON values, found {type(value).__name__}")
