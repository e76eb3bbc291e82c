"""Damage to sound resources, drawn at random from a seed: what two validators should agree on."""

import copy
import random
from collections.abc import Iterator
from typing import Any

from tests.unit.validation import examples

Way = tuple[str | int, ...]

STRANGE: tuple[Any, ...] = (
    *("", "x", "final", "2026", "2026-02-30", "2026-10-01T10:00:00Z", "not a uri", "Patient/1"),
    *(1, True, -1, 1.5, None, [], {}, [[]], [{}], {"extension": [1]}, {"coding": {"code": []}}, {"resourceType": []}),
    *({"reference": "Group/1"}, [{"text": "a"}], {"coding": [{"system": "http://loinc.org", "code": "1-1"}]}),
)
"""Values to put where another belongs."""


def damaged(count: int, seed: int) -> list[dict[str, Any]]:
    """Return resources, each a good example that claims its profile and has one thing changed in it."""
    chance = random.Random(seed)
    return [_one(chance) for _ in range(count)]


def _one(chance: random.Random) -> dict[str, Any]:
    name = chance.choice(sorted(examples.PROFILED))
    resource = examples.PROFILED[name]()
    ways = [way for way in _ways(resource) if way != ("resourceType",)]
    way = chance.choice(ways)
    parent = _at(resource, way[:-1])
    change = chance.choice(("drop", "replace", "rename", "repeat", "take from elsewhere"))
    if change == "drop":
        del parent[way[-1]]
    elif change == "replace":
        parent[way[-1]] = copy.deepcopy(chance.choice(STRANGE))
    elif change == "rename" and isinstance(parent, dict):
        parent[f"{way[-1]}X"] = parent.pop(way[-1])
    elif change == "repeat" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[way[-1]]))
    else:
        parent[way[-1]] = copy.deepcopy(_at(examples.PROFILED[name](), chance.choice(ways)))
    return resource | {"meta": {"profile": [examples.PROFILE + name]}}


def _ways(value: Any, before: Way = ()) -> Iterator[Way]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in steps:
        yield (*before, step)
        yield from _ways(part, (*before, step))


def _at(value: Any, way: Way) -> Any:
    for step in way:
        value = value[step]
    return value
