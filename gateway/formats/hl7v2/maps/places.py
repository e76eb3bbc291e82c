"""Where in a resource something stands: `name[]`, `period.start`, `location[].location`; how to put it and take it.

`with` gives the constants of an item that each value begins anew, `where` those of the one item that is meant; what
reading adds by them, writing looks for. Without either, `content[].format` means the first item.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from gateway.model.handoff import Resource

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.reading import Reading

Steps = tuple[tuple[str, bool], ...]
"""(element, whether it is a list)."""

Make = Callable[["Reading"], Any]
Put = Callable[[Resource, Any, "Reading"], None]
TakeAll = Callable[[Resource, Mapping[str, Resource]], list[Any]]
"""Give every value at a place of a resource; the second argument are the resources that a `$ref` may mean."""

_STEP = re.compile(r"([a-z_][A-Za-z0-9]*)(\[\])?")


def parse_target(target: str) -> tuple[str, Steps]:
    """Read `Patient.name[]` into the name of an open resource and steps. Raises ValueError on anything else."""
    name, *rest = target.split(".")
    steps = []
    for part in rest:
        match = _STEP.fullmatch(part)
        if match is None:
            raise ValueError(f"expected an element like name[] or period.start, found {part[:40]!r}")
        steps.append((match[1], bool(match[2])))
    if not name.isalnum():
        raise ValueError(f"expected a place like Patient.name[], found {target[:40]!r}")
    return name, tuple(steps)


def compile_constant(node: Any) -> Make:
    """Compile a constant, made anew each time; an object `{$ref: NAME}` in it becomes a Reference to that one."""
    if not isinstance(node, dict | list):
        return lambda r: node
    if not references_in(node):
        encoded = orjson.dumps(node)
        return lambda r: orjson.loads(encoded)
    if isinstance(node, list):
        items = tuple(compile_constant(value) for value in node)
        return lambda r: [make(r) for make in items]
    if "$ref" in node:
        name = str(node["$ref"])
        return lambda r: r.reference(name)
    members = tuple((key, compile_constant(value)) for key, value in node.items())
    return lambda r: {key: make(r) for key, make in members}


def references_in(node: Any, steps: Steps = ()) -> list[tuple[str, Steps]]:
    """Return (name, steps) of each `{$ref: NAME}` in a constant."""
    if isinstance(node, dict):
        if "$ref" in node:
            return [(str(node["$ref"]), steps)]
        return [
            found
            for key, value in node.items()
            for found in references_in(value, (*steps, (str(key), isinstance(value, list))))
        ]
    if isinstance(node, list):
        return [found for value in node for found in references_in(value, steps)]
    return []


def matches(value: Any, pattern: Any, opened: Mapping[str, Resource]) -> bool:
    """Tell whether a value holds what a pattern states (as FHIR's pattern[x] does); a `$ref` means an open resource."""
    if isinstance(pattern, dict):
        if "$ref" in pattern:
            meant = opened.get(str(pattern["$ref"]))
            return meant is None or (isinstance(value, dict) and _is_reference(value, meant))
        return isinstance(value, dict) and all(matches(value.get(key), one, opened) for key, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches(one, part, opened) for one in value) for part in pattern)
    return bool(value == pattern)


def _is_reference(value: Mapping[str, Any], meant: Resource) -> bool:
    return value.get("reference") == f"{meant['resourceType']}/{meant.get('id')}"


def compile_put(steps: Steps, begin: Any = None, meant: Any = None) -> Put:
    """Compile how a value is put at a place; of several values of one single element the first stays."""
    if not steps:
        return lambda resource, value, r: resource.update(value)
    (name, is_list), rest = steps[0], steps[1:]
    if not is_list:
        return _put_single(name, rest, begin, meant)
    if not rest:
        return _put_item(name, begin)
    inner = compile_put(rest)
    if begin is not None:
        make = compile_constant(begin)

        def anew(resource: Resource, value: Any, r: "Reading") -> None:
            item = make(r)
            inner(item, value, r)
            _append(resource, name, item)

        return anew
    find = _finder(meant)

    def into(resource: Resource, value: Any, r: "Reading") -> None:
        inner(find(resource.setdefault(name, []), r), value, r)

    return into


def compile_join(steps: Steps) -> Put:
    """Compile how a text is put at a place of single elements: of several values each is a further line of it."""
    *way, (name, _) = steps

    def put(resource: Resource, value: Any, r: "Reading") -> None:
        for step, _ in way:
            resource = resource.setdefault(step, {})
        resource[name] = f"{resource[name]}\n{value}" if name in resource else value

    return put


def _put_single(name: str, rest: Steps, begin: Any, meant: Any) -> Put:
    if not rest:

        def put(resource: Resource, value: Any, r: "Reading") -> None:
            if name not in resource:
                resource[name] = value

        return put
    inner = compile_put(rest, begin, meant)
    return lambda resource, value, r: inner(resource.setdefault(name, {}), value, r)


def _put_item(name: str, begin: Any) -> Put:
    if not begin:
        return lambda resource, value, r: _append(resource, name, value)
    make = compile_constant(begin)
    return lambda resource, value, r: _append(resource, name, {**make(r), **value})


def _append(resource: Resource, name: str, item: Any) -> None:
    """Add an item once: senders say the same thing in two fields."""
    items = resource.setdefault(name, [])
    if item not in items:
        items.append(item)


def _finder(meant: Any) -> Callable[[list[Any], "Reading"], Resource]:
    pattern = meant or {}
    make = compile_constant(pattern)
    is_made_first = bool(references_in(pattern))

    def find(items: list[Any], r: "Reading") -> Resource:
        wanted = make(r) if is_made_first else pattern
        for item in items:
            if matches(item, wanted, {}):
                return dict(item) if not isinstance(item, dict) else item
        begun: Resource = wanted if is_made_first else make(r)
        items.append(begun)
        return begun

    return find


def compile_take(steps: Steps, pattern: Any = None, rivals: Sequence[Any] = ()) -> TakeAll:
    """Compile how values are taken from a place: of a list the items of `pattern`, else those no rival claims."""
    if not steps:
        return lambda resource, opened: [resource]
    (name, is_list), rest = steps[0], steps[1:]
    if not is_list and not rest:
        return lambda resource, opened: [resource[name]] if name in resource else []
    deeper = is_list and rest and not any(each for _, each in rest)
    inner = compile_take(rest) if is_list else compile_take(rest, pattern, rivals)

    def take(resource: Resource, opened: Mapping[str, Resource]) -> list[Any]:
        found = resource.get(name)
        if found is None:
            return []
        if not is_list:
            return inner(found, opened)
        if pattern is not None:
            items = [item for item in found if matches(item, pattern, opened)]
        else:
            items = [item for item in found if not any(matches(item, rival, opened) for rival in rivals)]
            items = items[:1] if deeper and not rivals else items
        return [value for item in items for value in inner(item, opened)]

    return take
