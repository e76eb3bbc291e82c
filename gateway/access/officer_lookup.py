"""`POST /lookup`: the status of a referral, for a client that handed in a record about the person and may know it."""

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response

from gateway.access.even_answers import goes_in_step
from gateway.model.caller import LOOKUP, Caller
from gateway.model.exchange import Problem, RequestRefused
from gateway.model.lookup import Status

JSON = "application/json"
_WRONG = Problem(400, "structure", None, "Expected receipt (a text) and record (a number from 1).")


class LooksUp(Protocol):
    """What this door needs of the house."""

    def look_up(self, caller: Caller, receipt: str, record: int) -> Status:
        """Tell the status of the newest referral that this caller may know of."""
        ...


def officer_lookup(
    house: LooksUp, authenticate: Callable[[], Caller], json_body: Callable[..., dict[str, Any]]
) -> Blueprint:
    """Build the door; `authenticate` proves the caller, `json_body` reads its body, both refuse the request else."""
    door = Blueprint("officer_lookup", __name__)

    @door.post("/lookup")
    def lookup() -> Response:
        caller = authenticate()
        if LOOKUP not in caller.scopes:
            raise RequestRefused(Problem(403, "forbidden", None, "No scope of this client opens look-ups."))
        body = json_body(JSON)
        receipt, record = body.get("receipt"), body.get("record", 1)
        if not isinstance(receipt, str) or isinstance(record, bool) or not isinstance(record, int) or record < 1:
            raise RequestRefused(_WRONG)
        return Response(orjson.dumps(_answer(house.look_up(caller, receipt[:64], record))), content_type=JSON)

    return door


def _answer(found: Status) -> dict[str, Any]:
    if found.status is None:
        goes_in_step()
        return {"status": None}
    return {"status": found.status, "notice": found.notice, "scope": found.scope}
