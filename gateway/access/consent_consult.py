"""May I have records of this person? The question as a FHIR operation and as a CDS Hooks service; one answer for both.

A no is the same bytes whatever the reason (42 CFR 2.13(c)(2)). What is wrong with a question itself is told,
for it depends on the question alone.
"""

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response

from gateway.access.consult_hook import HOOK, answer_as_card, read_hook, services
from gateway.access.consult_parameters import answer_as_parameters, read_parameters
from gateway.access.even_answers import goes_in_step
from gateway.model.caller import Caller
from gateway.model.consult import Advice, Consult
from gateway.model.exchange import Problem, RequestRefused, require_scope

FHIR_JSON = "application/fhir+json"
JSON = "application/json"


class AnswersConsults(Protocol):
    """What this door needs of the house."""

    def consult(self, caller: Caller, question: Consult) -> Advice | Problem:
        """Say whether this caller may have records of a person, without giving them."""
        ...


def consent_consult(
    house: AnswersConsults,
    authenticate: Callable[[], Caller],
    json_body: Callable[..., dict[str, Any]],
    base_url: str,
) -> Blueprint:
    """Build the door for consults.

    `authenticate` proves the caller of the current request, `json_body` reads its body in one of the media types it
    is given; both refuse the request otherwise.
    """
    door = Blueprint("consent_consult", __name__)
    offered = orjson.dumps(services())

    @door.post("/fhir/R4/Consent/$evaluate")
    def evaluate() -> Response:
        caller = authenticate()
        require_scope(caller, "r", "Consent")
        advice = _asked(house, caller, read_parameters(json_body(FHIR_JSON, JSON)))
        return Response(orjson.dumps(answer_as_parameters(advice)), content_type=FHIR_JSON)

    @door.get("/cds-services")
    def discovery() -> Response:
        return Response(offered, content_type=JSON)

    @door.post(f"/cds-services/{HOOK}")
    def consult_hook() -> Response:
        caller = authenticate()
        require_scope(caller, "r", "Consent")
        advice = _asked(house, caller, read_hook(json_body(JSON)))
        return Response(orjson.dumps(answer_as_card(advice, base_url)), content_type=JSON)

    return door


def _asked(house: AnswersConsults, caller: Caller, question: Consult) -> Advice:
    found = house.consult(caller, question)
    if isinstance(found, Problem):
        raise RequestRefused(found)
    if not found.is_permitted:
        goes_in_step()
    return found
