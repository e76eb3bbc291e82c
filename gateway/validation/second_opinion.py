"""A second opinion at the edge: the R4B classes of fhir.resources, which nobody here wrote.

They know shape, types and cardinalities, and nothing of codes, profiles or invariants; "true" passes for true. So
they stand beside the checker, never in its place. Importing them costs half a second: doors import this module,
`gateway.validation` does not.
"""

from typing import Any

from pydantic_core import ValidationError

from gateway.model.findings import Finding, Findings, findings
from gateway.validation.r4b_models import ANY_RESOURCE

RULE = "r4b"


def second_opinion(resource: Any) -> Findings:
    """Ask the R4B models of a resource; nothing found says only that its shape is sound.

    Limit depth before (`read_json`): what is nested too deep to be followed is refused like a cycle.
    """
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    place = name if isinstance(name, str) and name.isalnum() else "Resource"
    try:
        ANY_RESOURCE.validate_python(resource)
    except ValidationError as problem:
        # The error's own text holds the input, which may be PHI: only where and of what kind is taken from it.
        told = problem.errors(include_input=False, include_url=False, include_context=False)
        return findings(
            Finding("error", RULE, _location(place, item["loc"]), f"R4B refuses this: {item['type']}") for item in told
        )
    return Findings()


def first_fault(resource: dict[str, Any]) -> Finding | None:
    """Return why a stranger's resource cannot be walked through by the types of R4B; None where it can.

    Beyond what the models refuse: null for an element (FHIR R4 json.html#null), which they take for none.
    """
    refused = next(iter(second_opinion(resource)), None)
    if refused is not None:
        return refused
    if _has_null(resource):
        return Finding("error", RULE, resource["resourceType"], "expected an element to have a value, found null")
    return None


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(inner is None or _has_null(inner) for inner in value.values())
    return isinstance(value, list) and any(map(_has_null, value))


def _location(place: str, steps: tuple[int | str, ...]) -> str:
    for step in steps:
        if isinstance(step, int):
            place += f"[{step}]"
        elif step.isidentifier():
            place += f".{step}"
    return place
