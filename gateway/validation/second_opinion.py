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
    except RecursionError:
        return _one(name, "expected a resource of reasonable depth, found one too deep to read")


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
