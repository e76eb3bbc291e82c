"""The code systems that are known code by code: those the R4 fact table lists, and our own."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.catalog import shipped


def read_code_systems() -> dict[str, frozenset[str]]:
    """Return the codes of every system, by its canonical URL."""
    facts = json.loads(shipped("profiles", "r4", "terminology.json").read_bytes())["codeSystems"]
    listed = {url: frozenset(one["codes"]) for url, one in facts.items() if one.get("codes")}
    for path in sorted(shipped("profiles", "handoff").glob("CodeSystem-*.json")):
        own = json.loads(path.read_bytes())
        listed[own["url"]] = frozenset(_codes(own.get("concept", ())))
    return listed


def _codes(concepts: list[Mapping[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", []))
