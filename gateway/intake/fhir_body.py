"""Take the body of a request as a FHIR resource whose shape is sound, or refuse the request."""

from typing import Any

from gateway.intake.json_body import MAX_BODY, json_body
from gateway.model.exchange import Problem, RequestRefused
from gateway.validation.second_opinion import first_fault

FHIR_JSON = "application/fhir+json"


def fhir_body(resource_type: str, *, at_most: int = MAX_BODY) -> dict[str, Any]:
    """Return the body of the current request; raises `RequestRefused` (413, 415, 400, 422).

    Its shape is checked here, so that the stories find every element they look at to be of its type.
    """
    body = json_body(FHIR_JSON, "application/json", at_most=at_most)
    if body.get("resourceType") != resource_type:
        raise RequestRefused(Problem(400, "invalid", "resourceType", f"Expected a resource of type {resource_type}."))
    wrong = first_fault(body)
    if wrong is not None:
        raise RequestRefused(Problem(422, "structure", wrong.location, wrong.message))
    return body
