"""Take the body of a request as one JSON object of a stranger, or refuse the request."""

from typing import Any

from flask import request

from gateway.intake.bodies import whole_body
from gateway.intake.strict_json import JsonRefused, read_object
from gateway.model.exchange import Problem, RequestRefused

MAX_BODY = 1024 * 1024
"""Bytes; a signed form's picture does not belong inside a Consent, and no question is as long."""


def json_body(*media_types: str, at_most: int = MAX_BODY) -> dict[str, Any]:
    """Return the body of the current request; raises `RequestRefused` (413, 415, 400), the first type named in 415."""
    if request.mimetype not in media_types:
        raise RequestRefused(Problem(415, "not-supported", None, f"Expected Content-Type {media_types[0]}."))
    request.max_content_length = at_most
    try:
        return read_object(whole_body())
    except JsonRefused as refused:
        raise RequestRefused(Problem(400, "structure", None, str(refused))) from None
