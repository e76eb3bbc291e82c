"""Take the body of a request whole or not at all."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge


def whole_body() -> bytes:
    """Return the body of the current request, however its length was declared.

    Werkzeug cuts a chunked body off at the limit and says nothing (3.1, `LimitedStream.readall`): half a file would
    be taken for a file. One that reaches the limit is therefore refused.

    Raises:
        RequestEntityTooLarge: larger than `request.max_content_length`.
    """
    body = request.get_data(cache=False, parse_form_data=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body
