"""File a consent with its paper, and take one back: the operations of FAST Scalable Consent Management.

`Consent/$file-consent` and `Consent/$revoke-consent`, also under their codes `$fileConsent` and `$revokeConsent`. A
consent is committed, and a revocation stops what is queued, before the answer is written.
"""

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response, request

from gateway.intake.fhir_body import FHIR_JSON, fhir_body
from gateway.intake.strict_json import read_object
from gateway.model.caller import Caller
from gateway.model.consent_life import Revoking
from gateway.model.exchange import Answer, Problem, RequestRefused, require_scope

MAX_BODY = 15 * 1024 * 1024
"""Bytes: a scan of 10 MiB in base64, and what stands around it."""

_DOCUMENTS = ("DocumentReference", "QuestionnaireResponse")
_METHODS = ("written", "electronic", "oral")
_MOST_RECIPIENTS = 50

Json = dict[str, Any]


class TakesConsents(Protocol):
    """What this door needs of the house."""

    def file_with_document(self, caller: Caller, consent: Json, document: Json) -> Answer | Problem:
        """Create a Consent with the paper it stands on."""
        ...

    def revoke_consent(
        self, caller: Caller, consent: Json, patient: Json, document: Json | None, revoking: Revoking
    ) -> Problem | None:
        """Take a consent back for its person; None = committed."""
        ...

    def organization_of(self, reference: Json) -> str | None:
        """Return the registry id of the organization a logical Reference names, or None."""
        ...


def consent_operations(house: TakesConsents, authenticate: Callable[[], Caller]) -> Blueprint:
    """Build the door; `authenticate` proves the caller of the current request or refuses it."""
    door = Blueprint("consent_operations", __name__, url_prefix="/fhir/R4/Consent")

    @door.post("/$file-consent")
    @door.post("/$fileConsent")
    def file_consent() -> Response:
        caller = authenticate()
        require_scope(caller, "c", "Consent")
        given = _parameters("consent", "document")
        consent, document = _resource(given, "consent", "Consent"), _resource(given, "document", *_DOCUMENTS)
        answer = house.file_with_document(caller, consent, document)
        if isinstance(answer, Problem):
            raise RequestRefused(answer)
        response = _done("The consent is filed.")
        response.headers["Location"] = f"{request.url_root}fhir/R4/Consent/{read_object(answer.body)['id']}"
        return response

    @door.post("/$revoke-consent")
    @door.post("/$revokeConsent")
    def revoke_consent() -> Response:
        caller = authenticate()
        require_scope(caller, "u", "Consent")
        given = _parameters("consent", "patient", "document", "method", "recipient")
        document = _resource(given, "document", *_DOCUMENTS) if given["document"] else None
        problem = house.revoke_consent(
            caller, _reference(given, "consent"), _reference(given, "patient"), document, _revoking(house, given)
        )
        if problem is not None:
            raise RequestRefused(problem)
        return _done("The consent is revoked; nothing more leaves on it.")

    return door


def _parameters(*known: str) -> dict[str, list[Json]]:
    """Read the body as Parameters with these names only: what is not understood must not be left out silently."""
    body = fhir_body("Parameters", at_most=MAX_BODY)
    given: dict[str, list[Json]] = {name: [] for name in known}
    for one in body.get("parameter", []):
        if one["name"] not in given:
            raise _refused("not-supported", "Parameters.parameter", f"Expected one of: {', '.join(sorted(known))}.")
        given[one["name"]].append(one)
    return given


def _resource(given: dict[str, list[Json]], name: str, *types: str) -> Json:
    values = given[name]
    resource = values[0].get("resource") if len(values) == 1 else None
    if not isinstance(resource, dict) or resource.get("resourceType") not in types:
        raise _refused("required", _where(name), f"Expected one resource: {' or '.join(types)}.")
    return resource


def _reference(given: dict[str, list[Json]], name: str) -> Json:
    values = given[name]
    reference = values[0].get("valueReference") if len(values) == 1 else None
    if not isinstance(reference, dict):
        raise _refused("required", _where(name), "Expected one Reference.")
    return reference


def _revoking(house: TakesConsents, given: dict[str, list[Json]]) -> Revoking:
    """Read how it was taken back: with a document in writing; without one the partner's system vouches for it."""
    stated = [one.get("valueCode") for one in given["method"]] or ["written" if given["document"] else "electronic"]
    if len(stated) > 1 or stated[0] not in _METHODS:
        raise _refused("value", _where("method"), f"Expected one code of: {', '.join(_METHODS)}.")
    if len(given["recipient"]) > _MOST_RECIPIENTS:
        raise _refused("too-long", _where("recipient"), f"Expected at most {_MOST_RECIPIENTS} values.")
    named = [house.organization_of(one.get("valueReference", {})) for one in given["recipient"]]
    recipients = [one for one in named if one is not None]
    if len(recipients) < len(named):
        # Left out, the rest would be less than the person took back.
        raise _refused("value", _where("recipient"), "Expected identifiers of registered organizations.")
    return Revoking(stated[0], tuple(recipients))


def _done(words: str) -> Response:
    issue = {"severity": "information", "code": "informational", "diagnostics": words}
    return Response(orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]}), content_type=FHIR_JSON)


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"


def _refused(code: Any, expression: str, message: str) -> RequestRefused:
    return RequestRefused(Problem(400, code, expression, message))
