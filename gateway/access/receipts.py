"""`GET /intake/receipts/{id}`: what became of an input, for the client that handed it in and for nobody else."""

from collections.abc import Callable
from typing import Any, Protocol

from flask import Blueprint, Response, jsonify

from gateway.model.caller import Caller
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused


class GivesReceipts(Protocol):
    """What this door needs of the house."""

    def receipt(self, caller: Caller, input_id: str) -> dict[str, Any] | None:
        """Return the receipt as this caller may see it; None: there is none of this caller's."""
        ...


def receipts(house: GivesReceipts, authenticate: Callable[[], Caller]) -> Blueprint:
    """Build the receipt door; `authenticate` proves the caller of the current request or refuses it."""
    door = Blueprint("receipts", __name__, url_prefix="/intake/receipts")

    @door.get("/<input_id>")
    def receipt(input_id: str) -> Response:
        caller = authenticate()
        if not caller.may_submit:
            raise RequestRefused(Problem(403, "forbidden", None, "This client has no receipts."))
        found = house.receipt(caller, input_id)
        if found is None:
            raise RequestRefused(NOT_FOUND)
        return jsonify(found)

    return door
