"""The FHIR server's read side. Every read and search is a disclosure and goes through the house as one.

What is refused and what does not exist leave here as the same answer, byte for byte (42 CFR 2.13(c)(2)).
"""

import re
from collections.abc import Callable
from typing import Protocol

import orjson
from flask import Blueprint, Response, request

from gateway import __version__
from gateway.access.capability import OFFERS, capability_statement
from gateway.access.even_answers import goes_in_step
from gateway.access.searchset import searchset
from gateway.model.caller import Caller, Interaction
from gateway.model.exchange import NOT_FOUND, Answer, Found, Problem, RequestRefused, require_scope

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
_JSON_TYPES = (FHIR_JSON, "application/json")
_FORMATS = ("json", *_JSON_TYPES)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_MOST_PARAMETERS = 50


class AnswersReads(Protocol):
    """What this door needs of the house."""

    def read(self, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
        """Return a resource as this caller may see it; None for missing and refused alike."""
        ...

    def search(self, caller: Caller, resource_type: str, parameters: list[tuple[str, str]]) -> Found:
        """Return what this caller may see of what it looks for."""
        ...


def fhir_reads(house: AnswersReads, authenticate: Callable[[], Caller], base_url: str) -> Blueprint:
    """Build the door for FHIR reads; `authenticate` proves the caller of the current request or refuses it."""
    door = Blueprint("fhir_reads", __name__, url_prefix="/fhir/R4")
    base = f"{base_url}/fhir/R4"
    statement = orjson.dumps(capability_statement(base, __version__))

    @door.get("/metadata")
    def metadata() -> Response:
        _check_format()
        return Response(statement, content_type=FHIR_JSON)

    @door.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        caller = _allowed(authenticate(), "r", resource_type)
        _check_format()
        found = house.read(caller, resource_type, resource_id) if _ID.fullmatch(resource_id) else None
        if found is None:
            raise RequestRefused(NOT_FOUND)
        return _answer(found)

    @door.get("/<resource_type>")
    def search(resource_type: str) -> Response:
        caller = _allowed(authenticate(), "s", resource_type)
        _check_format()
        goes_in_step()
        parameters = _parameters(resource_type)
        found = house.search(caller, resource_type, parameters)
        return Response(searchset(base, resource_type, parameters, found), content_type=FHIR_JSON)

    # Search by form keeps what is looked for out of addresses, which others log (FHIR R4 http.html#search).
    @door.post("/<resource_type>/_search")
    def search_by_form(resource_type: str) -> Response:
        if request.mimetype != FORM:
            raise RequestRefused(Problem(415, "not-supported", None, f"Expected Content-Type {FORM}."))
        # A form without a declared length could be cut off at the limit, and with it a filter.
        if request.content_length is None:
            raise RequestRefused(Problem(411, "required", None, "Expected a Content-Length."))
        return search(resource_type)

    return door


def _allowed(caller: Caller, interaction: Interaction, resource_type: str) -> Caller:
    offer = OFFERS.get(resource_type)
    if offer is None or (interaction == "s" and not offer.search):
        raise RequestRefused(Problem(404, "not-supported", None, "This server does not offer this; see metadata."))
    require_scope(caller, interaction, resource_type)
    return caller


def _check_format() -> None:
    asked = request.args.get("_format")
    accepts = asked in _FORMATS if asked else bool(request.accept_mimetypes.best_match(_JSON_TYPES))
    if not accepts and (asked or request.accept_mimetypes):
        raise RequestRefused(Problem(406, "not-supported", None, f"This server answers in {FHIR_JSON} only."))


def _parameters(resource_type: str) -> list[tuple[str, str]]:
    """Return the search parameters the house is asked with; a name given twice stands there twice (both must hold).

    An unknown one is refused rather than ignored: a filter that is not applied shows more than was asked for.
    """
    given = [*request.args.items(multi=True), *request.form.items(multi=True)]
    asked = [(name, value) for name, value in given if name != "_format"]
    known = {name for name, _ in OFFERS[resource_type].search}
    if len(asked) > _MOST_PARAMETERS or any(name not in known or not value for name, value in asked):
        offered = ", ".join(sorted(known))
        raise RequestRefused(
            Problem(400, "not-supported", None, f"Expected search parameters with a value, out of: {offered}.")
        )
    return asked


def _answer(found: Answer) -> Response:
    response = Response(found.body, content_type=FHIR_JSON)
    if found.version is not None:
        response.set_etag(str(found.version), weak=True)
        response.last_modified = found.updated_at
        response.make_conditional(request.environ)
    return response
