"""What a sender says of the same thing again: later words replace, late ones only add, two quotes take away.

HL7v2 messages are statements about a state (HL7 v2.5.1 ch. 2.5.3): an absent or empty field says nothing, a valued one
replaces what was said before, and two quotes empty it. They come out of order, twice and years late, so each thing
keeps the instant of the last word on it. Labels are only ever added: no later message makes content less protected.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Element = tuple[str, str]
"""Reference of a resource (Type/id), and the path of an element in it, such as Patient.telecom[]."""

_CHOICE = re.compile(
    r"(deceased|multipleBirth|value|effective|onset|abatement|performed|occurrence|asNeeded|start)(?=[A-Z])"
)
"""Elements that have one of several types (FHIR R4 value[x]): of a resource only one of each may stand."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last word on one resource."""

    resource: Json
    at: datetime
    emptied: frozenset[str] = frozenset()
    """Elements that its sender took away and has not given again: a late message does not bring them back."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One message's statements."""

    resources: Sequence[Json]
    at: datetime
    emptied: Sequence[Element] = ()
    withdrawn: Sequence[Element] = ()
    """Elements that the event itself takes back: the end of a visit whose discharge is cancelled."""
    unsaid: frozenset[str] = frozenset()
    """Elements (Type.element) that hold only a default, because the event does not speak of them."""


@dataclass(frozen=True, slots=True)
class Retold:
    """What is known after a message."""

    changed: Mapping[str, Last] = field(default_factory=dict)
    """By reference, of everything the message changes or confirms."""
    late: frozenset[str] = frozenset()
    """References of which a later word was known already: the message only added what was missing."""


def retell(known: Mapping[str, Last], saying: Saying) -> Retold:
    """Return what a message changes of what is `known`; resources that are not named in it stay as they are."""
    changed: dict[str, Last] = {}
    late: set[str] = set()
    for resource in saying.resources:
        reference = f"{resource['resourceType']}/{resource['id']}"
        gone = [path for named, path in (*saying.emptied, *saying.withdrawn) if named == reference]
        before = known.get(reference)
        if before is None:
            changed[reference] = Last(resource, saying.at, frozenset(_top(path) for path in gone) - resource.keys())
        elif saying.at < before.at:
            late.add(reference)
            changed[reference] = _added(before, resource)
        else:
            changed[reference] = _replaced(before, resource, saying, gone)
    return Retold(changed, frozenset(late))


def _added(before: Last, resource: Json) -> Last:
    known = {_stem(name) for name in before.resource}
    new = {
        name: value
        for name, value in resource.items()
        if _stem(name) not in known and before.emptied.isdisjoint((name, _stem(name)))
    }
    return Last(_labeled({**before.resource, **new}, before.resource, resource), before.at, before.emptied)


def _replaced(before: Last, resource: Json, saying: Saying, gone: Sequence[str]) -> Last:
    kind = resource["resourceType"]
    said = {name: value for name, value in resource.items() if f"{kind}.{name}" not in saying.unsaid}
    kept = deepcopy(before.resource) if gone else before.resource
    for path in gone:
        _take_away(kept, path)
    stems = {_stem(name) for name in said}
    kept = {name: value for name, value in kept.items() if name in said or _stem(name) not in stems}
    left = {_stem(name) for name in kept}
    told = {**kept, **said, **{name: value for name, value in resource.items() if _stem(name) not in left}}
    emptied = (before.emptied | {_top(path) for path in gone}) - told.keys() - {_stem(name) for name in told}
    return Last(_labeled(told, before.resource, resource), saying.at, emptied)


def _stem(name: str) -> str:
    """Return the name of an element without its type: a result that was a number and is words now has one value."""
    choice = _CHOICE.match(name)
    return choice[0] if choice else name


def _take_away(resource: Json, path: str) -> None:
    """Remove an element and what it leaves empty.

    Of a list the whole of it goes, for nobody can say which entry the field once filled.
    """
    if path.endswith("[x]"):
        for name in [name for name in resource if _stem(name) == _top(path)]:
            del resource[name]
        return
    steps = [step.partition("[")[0] for step in path.split(".")[1:]]
    holders = [resource]
    while len(holders) < len(steps) and isinstance(inside := holders[-1].get(steps[len(holders) - 1]), dict):
        holders.append(inside)
    for holder, step in zip(reversed(holders), reversed(steps[: len(holders)]), strict=True):
        holder.pop(step, None)
        if holder:
            return


def _top(path: str) -> str:
    return path.split(".")[1].partition("[")[0] if "." in path else ""


def _labeled(resource: Json, *tellings: Json) -> Json:
    """Give a resource the labels of every telling."""
    labels: list[Json] = []
    for telling in tellings:
        labels += [one for one in telling.get("meta", {}).get("security", ()) if one not in labels]
    return {**resource, "meta": {**resource.get("meta", {}), "security": labels}} if labels else resource


def worded(last: Iterable[tuple[str, Last]]) -> Json:
    """Write down when the last word on each resource was said and what was taken away, as JSON."""
    return {
        reference: {"at": one.at.isoformat(), **({"emptied": sorted(one.emptied)} if one.emptied else {})}
        for reference, one in last
    }


def last_of(resource: Json, words: Mapping[str, Any]) -> Last:
    """Read what `worded` wrote of a resource, beside the resource itself."""
    return Last(resource, datetime.fromisoformat(words["at"]), frozenset(words.get("emptied", ())))
