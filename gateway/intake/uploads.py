"""`POST /intake/{source}`: take a record, batch or file of one source, keep it on disk, and only then say so.

Nothing is parsed here. What cannot be read is kept too and waits for a person.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from flask import Blueprint, Response, jsonify, request, url_for

from gateway.intake.bodies import whole_body
from gateway.model.caller import Caller
from gateway.model.exchange import NOT_FOUND, Accepted, KeyReused, Problem, RequestRefused
from gateway.model.handoff import Channel

_LONGEST_KEY = 255
_LONGEST_MEDIA_TYPE = 100


class AcceptsInputs(Protocol):
    """What this door needs of the house."""

    @property
    def mappings(self) -> Collection[str]:
        """Names of the sources."""
        ...

    def accept(
        self,
        *,
        channel: Channel,
        source: str,
        client: str | None,
        media_type: str,
        payload: bytes,
        idempotency_key: str | None,
    ) -> Accepted | KeyReused:
        """Keep an input durably, or find the earlier one of the same content."""
        ...


def uploads(house: AcceptsInputs, authenticate: Callable[[], Caller]) -> Blueprint:
    """Build the upload door; `authenticate` proves the caller of the current request or refuses it."""
    door = Blueprint("intake", __name__, url_prefix="/intake")

    @door.post("/<source>")
    def upload(source: str) -> tuple[Response, int, dict[str, str]]:
        caller = authenticate()
        if not caller.may_submit:
            raise RequestRefused(Problem(403, "forbidden", None, "This client may not hand in records."))
        if source not in house.mappings:
            raise RequestRefused(NOT_FOUND)
        accepted = house.accept(
            channel="http",
            source=source,
            client=caller.client,
            media_type=_media_type(),
            payload=_payload(),
            idempotency_key=_idempotency_key(),
        )
        if isinstance(accepted, KeyReused):
            raise RequestRefused(
                Problem(422, "duplicate", None, "This Idempotency-Key was used before with another body.")
            )
        location = url_for("receipts.receipt", input_id=accepted.input_id)
        return jsonify(id=accepted.input_id, receipt=location), 202, {"Location": location}

    return door


def _media_type() -> str:
    """Return the declared type with its charset, which says how a text file is encoded."""
    declared = request.content_type or "application/octet-stream"
    if request.mimetype == "multipart/form-data":
        raise RequestRefused(
            Problem(415, "not-supported", None, "Send the file itself as the body (curl --data-binary @FILE).")
        )
    return declared if len(declared) <= _LONGEST_MEDIA_TYPE else "application/octet-stream"


def _payload() -> bytes:
    payload = whole_body()
    if not payload:
        raise RequestRefused(Problem(400, "required", None, "The body is empty; expected a record, batch or file."))
    return payload


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise RequestRefused(
            Problem(400, "value", None, f"Idempotency-Key: expected 1 to {_LONGEST_KEY} printable ASCII characters.")
        )
    return key
