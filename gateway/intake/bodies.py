"""Take the body of a request whole or not at all."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.model.exchange import NOT_WHOLE, Problem, RequestRefused


def whole_body() -> bytes:
    """Return the body of the current request, however its length was declared.

    Werkzeug cuts a chunked body off at the limit and says nothing (3.1, `LimitedStream.readall`), and gunicorn hands on
    what came of a body whose sender broke off: half a file would be taken for a file. One that reaches the limit, or
    is shorter than its declared length, is therefore refused; so is a compressed one, which nobody here unpacks.

    Raises:
        RequestEntityTooLarge: larger than `request.max_content_length`.
        RequestRefused: broken off (400), compressed (415).
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise RequestRefused(Problem(415, "not-supported", None, "Expected a body without Content-Encoding."))
    body = request.get_data(cache=False, parse_form_data=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    if len(body) < (request.content_length or 0):
        raise RequestRefused(NOT_WHOLE)
    return body
