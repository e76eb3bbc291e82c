"""What partners write through FHIR: the state of a Task, and Consents.

Both are versioned updates (FHIR R4 http.html#concurrency): who writes must say which version was read.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from flask import Blueprint, Response, request

from gateway.intake.fhir_body import FHIR_JSON, fhir_body
from gateway.intake.strict_json import read_object
from gateway.model.caller import Caller
from gateway.model.exchange import NOT_FOUND, Answer, Problem, RequestRefused, require_scope

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_IF_MATCH = re.compile(r'(?:W/)?"(\d{1,9})"')


class TakesWrites(Protocol):
    """What this door needs of the house."""

    def update_task(self, caller: Caller, task_id: str, body: dict[str, Any], if_match: int) -> Answer | Problem:
        """Move a referral by its Task."""
        ...

    def file_consent(
        self, caller: Caller, body: dict[str, Any], consent_id: str | None, if_match: int | None
    ) -> Answer | Problem:
        """Create a Consent (`consent_id` None) or write its next version."""
        ...


def fhir_writes(house: TakesWrites, authenticate: Callable[[], Caller]) -> Blueprint:
    """Build the door for FHIR writes; `authenticate` proves the caller of the current request or refuses it."""
    door = Blueprint("fhir_writes", __name__, url_prefix="/fhir/R4")

    @door.put("/Task/<resource_id>")
    def update_task(resource_id: str) -> Response:
        caller = authenticate()
        require_scope(caller, "u", "Task")
        body = _update("Task", resource_id)
        return _written(house.update_task(caller, resource_id, body, _if_match()), 200)

    @door.post("/Consent")
    def create_consent() -> Response:
        caller = authenticate()
        require_scope(caller, "c", "Consent")
        _refuse_condition()
        return _written(house.file_consent(caller, fhir_body("Consent"), None, None), 201)

    @door.put("/Consent/<resource_id>")
    def update_consent(resource_id: str) -> Response:
        caller = authenticate()
        require_scope(caller, "u", "Consent")
        body = _update("Consent", resource_id)
        return _written(house.file_consent(caller, body, resource_id, _if_match()), 200)

    return door


def _update(resource_type: str, resource_id: str) -> dict[str, Any]:
    """Read the body as the resource of the address (FHIR R4 http.html#update)."""
    if not _ID.fullmatch(resource_id):
        raise RequestRefused(NOT_FOUND)
    body = fhir_body(resource_type)
    if body.get("id") != resource_id:
        raise RequestRefused(Problem(400, "invalid", f"{resource_type}.id", "Expected the id of the address."))
    return body


def _refuse_condition() -> None:
    """Refuse a conditional create (FHIR R4 http.html#ccreate): one that is not applied files the consent twice."""
    if "If-None-Exist" in request.headers:
        raise RequestRefused(Problem(400, "not-supported", None, "If-None-Exist: this server creates unconditionally."))


def _if_match() -> int:
    header = request.headers.get("If-Match")
    if header is None:
        raise RequestRefused(
            Problem(428, "required", None, 'Say which version you read: If-Match: W/"N", N from the ETag of the read.')
        )
    match = _IF_MATCH.fullmatch(header.strip())
    if match is None:
        raise RequestRefused(Problem(400, "value", None, 'If-Match: expected one version as W/"N".'))
    return int(match[1])


def _written(outcome: Answer | Problem, status: int) -> Response:
    if isinstance(outcome, Problem):
        raise RequestRefused(outcome)
    minimal = "return=minimal" in request.headers.get("Prefer", "").replace(" ", "").split(",")
    response = Response(b"" if minimal else outcome.body, status, content_type=FHIR_JSON)
    if outcome.version is not None:
        response.set_etag(str(outcome.version), weak=True)
    if outcome.updated_at is not None:  # Werkzeug takes None for now
        response.last_modified = outcome.updated_at
    if status == 201:
        response.headers["Location"] = _location(outcome)
    return response


def _location(created: Answer) -> str:
    """Name what was created without its version (FHIR R4 http.html#create): no version can be read by its number.

    The number would tell how often the resource has changed, also by what its reader may not see.
    """
    resource = read_object(created.body)
    return f"{request.url_root}fhir/R4/{resource['resourceType']}/{resource['id']}"
