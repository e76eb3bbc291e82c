"""A second opinion at the edge: the R4B classes of fhir.resources, which nobody here wrote.

They know shape, types and cardinalities, and nothing of codes, profiles or invariants; "true" passes for true. So
they stand beside the checker, never in its place. Importing them costs half a second: doors import this module,
`gateway.validation` does not.
"""

from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from gateway.model.findings import Finding, Findings, findings

RULE = "r4b"


def second_opinion(resource: Any) -> Findings:
    """Ask the R4B model of a resource; nothing found says only that its shape is sound.

    Limit depth before (`read_json`): the models recurse. A resource type R4B does not know is one finding.
    """
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(name, str):
        return _one("Resource", "expected an object with a resourceType, found something else")
    try:
        return findings(_refusals(resource, name, name))
    except (KeyError, TypeError, ValueError):
        return _one(name if name.isalnum() else "Resource", "expected resource types that R4B knows, found another")
    except AttributeError:  # text that is JSON again, where an object belongs: the models read it and stumble
        return _one(name, "expected objects where R4B has objects, found another kind of value")
    except RecursionError:
        return _one(name, "expected a resource of reasonable depth, found one too deep to read")


def first_fault(resource: dict[str, Any]) -> Finding | None:
    """Return why a stranger's resource cannot be walked through by the types of R4B; None where it can.

    Beyond what the models refuse: null for an element (FHIR R4 json.html#null), which they take for none, and an
    object in quotes, which they read as one.
    """
    refused = next(iter(second_opinion(resource)), None)
    if refused is not None:
        return refused
    if _has_null(resource):
        return Finding("error", RULE, resource["resourceType"], "expected an element to have a value, found null")
    if not _has_objects_for_objects(resource):
        return Finding("error", RULE, resource["resourceType"], "expected an object, found one that is written as text")
    return None


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(inner is None or _has_null(inner) for inner in value.values())
    return isinstance(value, list) and any(map(_has_null, value))


def _has_objects_for_objects(resource: dict[str, Any]) -> bool:
    if not any(text.lstrip().startswith("{") for text in _texts(resource)):
        return True
    read = get_fhir_model_class(resource["resourceType"]).model_validate(resource).model_dump()
    return _is_alike(resource, read)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _is_alike(sent: Any, read: Any) -> bool:
    if isinstance(sent, dict) and isinstance(read, dict):
        return all(_is_alike(value, read[name]) for name, value in sent.items() if name in read)
    if isinstance(sent, list) and isinstance(read, list):
        return all(map(_is_alike, sent, read))
    return not (isinstance(sent, str) and isinstance(read, dict))


def _refusals(resource: Any, name: str, place: str) -> Iterator[Finding]:
    """Yield what the model of a type refuses; the resources of a Bundle are asked one by one, after the Bundle.

    So the many objects of one resource's models are given back before those of the next are made: a whole Bundle of
    them at once takes longer than its parts.
    """
    bundle, held = _taken_out(resource) if name == "Bundle" else (resource, {})
    try:
        get_fhir_model_class(name).model_validate(bundle)
    except ValidationError as problem:
        # The error's own text holds the input, which may be PHI: only where and of what kind is taken from it.
        for item in problem.errors(include_input=False, include_url=False, include_context=False):
            yield Finding("error", RULE, _location(name, place, item["loc"]), f"R4B refuses this: {item['type']}")
    for index, inner in held.items():
        yield from _refusals(inner, inner["resourceType"], f"{place}.entry[{index}].resource")


def _taken_out(bundle: dict[str, Any]) -> tuple[dict[str, Any], dict[int, Any]]:
    """Return a Bundle whose entries hold no resources, and those by the number of their entry."""
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return bundle, {}
    held = {index: entry["resource"] for index, entry in enumerate(entries) if _has_typed_resource(entry)}
    emptied = [
        {name: value for name, value in entry.items() if name != "resource"} if index in held else entry
        for index, entry in enumerate(entries)
    ]
    return {**bundle, "entry": emptied}, held


def _has_typed_resource(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


def _location(name: str, place: str, steps: tuple[int | str, ...]) -> str:
    text = place
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() and step != name:
            text += f".{step}"
    return text


def _one(location: str, message: str) -> Findings:
    return Findings((Finding("error", RULE, location, message),))
