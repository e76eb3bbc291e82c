"""A second opinion at the edge: the R4B classes of fhir.resources, which nobody here wrote.

They know shape, types and cardinalities, and nothing of codes, profiles or invariants; "true" passes for true. So
they stand beside the checker, never in its place. Importing them costs half a second: doors import this module,
`gateway.validation` does not.
"""

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
        get_fhir_model_class(name).model_validate(resource)
    except ValidationError as problem:
        # The error's own text holds the input, which may be PHI: only where and of what kind is taken from it.
        told = problem.errors(include_input=False, include_url=False, include_context=False)
        return findings(
            Finding("error", RULE, _location(name, item["loc"]), f"R4B refuses this: {item['type']}") for item in told
        )
    except (KeyError, ValueError):
        return _one(name if name.isalnum() else "Resource", "expected resource types that R4B knows, found another")
    except RecursionError:
        return _one(name, "expected a resource of reasonable depth, found one too deep to read")
    return Findings()


def _location(name: str, steps: tuple[int | str, ...]) -> str:
    text = name
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() and step != name:
            text += f".{step}"
    return text


def _one(location: str, message: str) -> Findings:
    return Findings((Finding("error", RULE, location, message),))
