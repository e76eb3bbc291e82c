"""NIEM messages as plain trees: which part is one record, and what the references in it mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.formats.niem_namespaces import Namespaces
from gateway.model.source_record import Skipped, SourceItem, SourceRecord


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a message that holds one record, or several that share it."""

    name: str
    tree: dict[str, Any]
    shared: dict[str, Any]
    """What stands beside the unit in the message: reachable through references only, so that a person of one incident
    is never taken for a person of the next."""
    is_named: bool = False
    """The mapping named this element as a record; then it is one even without an incident."""


def records_of(unit: Unit, number: int, incident: str) -> Iterator[SourceItem]:
    """Yield the records of a unit, numbered from `number` + 1: one for each incident in it."""
    references = _references([unit.tree, unit.shared])
    owners = list(_owners(unit.tree, incident))
    several = [(owner, one) for owner in owners for one in _listed(owner[incident])]
    if len(several) == 1 or (not several and unit.is_named and _has_content(unit.tree)):
        number += 1
        if several:
            yield SourceRecord(number, f"record {number}", (unit.tree,), None, references)
        else:
            yield Skipped(number, f"record {number}", f"a {unit.name} without {incident} carries no encounter")
        return
    for owner, one in several:
        number += 1
        yield SourceRecord(number, f"record {number}", ({**owner, incident: one},), None, references)


def _has_content(tree: dict[str, Any]) -> bool:
    return bool(tree)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _owners(tree: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Yield every object that has a member of this name, in the order of the document."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            if name in node:
                yield node
            waiting.extend(value for key, value in reversed(node.items()) if key != name)


def _references(trees: list[Any]) -> dict[Any, Any]:
    """Index objects by `$id`, and all that say to be the same object under ("same", name)."""
    found: dict[Any, Any] = {}
    waiting: list[Any] = list(trees)
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if (name := node.get("$id")) is not None:
                found[name] = node
            if (name := node.get("$same")) is not None:
                found.setdefault(name, node)
                found.setdefault(("same", name), []).append(node)
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
    return found


def json_unit(document: dict[str, Any], names: Namespaces) -> Unit:
    """Turn a NIEM JSON document into a unit: its prefixes are read through `@context`, never taken as they are."""
    context = document.get("@context")
    prefixes: dict[str, str] = {}
    for prefix, uri in (context if isinstance(context, dict) else {}).items():
        if isinstance(uri, str) and (known := names.prefix(uri)) is not None:
            prefixes[prefix] = known
    body = {name: value for name, value in document.items() if name != "@context"}
    return Unit("document", _renamed(body, prefixes), {})


def _renamed(value: Any, prefixes: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, prefixes) for one in value]
    if not isinstance(value, dict):
        return value
    node: dict[str, Any] = {}
    for name, inner in value.items():
        prefix, mark, local = name.partition(":")
        if name in ("@id", "@uri"):
            node["$id" if len(value) > 1 else "$ref"] = str(inner).removeprefix("#")
        else:
            node[f"{prefixes.get(prefix, prefix)}:{local}" if mark else name] = _renamed(inner, prefixes)
    return node
