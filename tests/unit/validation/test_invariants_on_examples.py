"""Rules in Python against the same rules in FHIRPath, on resources that others published, whole and with parts gone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.catalog import shipped
from gateway.validation.fhirpath import compile_expression
from gateway.validation.invariants import NATIVE
from tests.support.shared_data import shared_data
from tests.unit.validation.test_invariants import DIFFERS, PATHS

Json = dict[str, Any]

MOST_OF_ONE_TYPE = 6
"""Published resources of a type that are asked: they repeat each other, and the engine takes its time."""


def _published() -> dict[str, list[Json]]:
    """Return resources by type, those inside Bundles too."""
    found: dict[str, list[Json]] = {}
    for path in sorted(shared_data("exchange", "examples").rglob("*.json")):
        for resource in _resources(json.loads(path.read_bytes())):
            known = found.setdefault(resource["resourceType"], [])
            if len(known) < MOST_OF_ONE_TYPE:
                known.append(resource)
    return found


def _resources(value: Any) -> Iterator[Json]:
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value
        for entry in value.get("entry", ()):
            if isinstance(entry, dict):
                yield from _resources(entry.get("resource"))


def _with_parts_gone(resource: Json) -> Iterator[Json]:
    """Yield a resource whole, and without each element in turn that may be absent: of the others that is told."""
    yield resource
    for name in resource.keys() - {"resourceType"}:
        if f"{resource['resourceType']}.{name}" not in REQUIRED:
            yield {key: value for key, value in resource.items() if key != name}


def _required() -> set[str]:
    facts = json.loads(shipped("profiles", "r4", "structures.json").read_bytes())["structures"].values()
    return {element["path"] for structure in facts for element in structure["elements"] if element.get("min")}


REQUIRED = _required()


def test_python_and_fhirpath_agree_on_what_others_published() -> None:
    published = _published()
    asked = 0
    for expression in NATIVE.keys() - set(DIFFERS):
        for kind in PATHS[expression] & published.keys():
            by_engine = compile_expression(expression, kind)
            for resource in published[kind]:
                for value in _with_parts_gone(resource):
                    asked += 1
                    if NATIVE[expression](value, value, value) != by_engine(value, value, value):
                        pytest.fail(f"{kind}: {expression}")

    assert asked > 1_000
