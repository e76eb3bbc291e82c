"""What the HTTP server says by itself, where a request is so unsound that the application never sees it.

Gunicorn quotes the request line and the header in its page and in its log, and a search with a space in it has the
name of a person there.
"""

import socket
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from gateway.model.exchange import IssueCode, Problem
from gateway.web.errors import PROBLEM_JSON, problem_body

_log = structlog.get_logger("gateway.http")

_STATUS: dict[type[Exception], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
_OWN_FAULTS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's threaded worker, except for what it answers and logs of a request that is not HTTP as we take it."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer with a problem (RFC 9457) and log the kind of the mistake; neither quotes the request."""
        status = status_of(exc)
        _log.warning("unsound request", error=type(exc).__name__, status=int(status))
        with suppress(OSError):  # whoever sent it need not wait for the answer
            client.sendall(problem_answer(status))


def status_of(error: BaseException) -> HTTPStatus:
    """Return the status that a mistake which gunicorn found is answered with; 500 where it is no client's."""
    if isinstance(error, _OWN_FAULTS) or not isinstance(error, errors.ParseException):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)


def problem_answer(status: HTTPStatus) -> bytes:
    """Return a whole HTTP answer: a problem like every other of ours, and the end of the connection."""
    code: IssueCode = "exception" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "structure"
    body = problem_body(Problem(int(status), code, None, f"{status.phrase}."))
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {PROBLEM_JSON}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n\r\n"
    )
    return head.encode("ascii") + body
