"""The one place where a problem becomes an HTTP answer: OperationOutcome under /fhir, a page under /console,
problem JSON (RFC 9457) elsewhere. No answer repeats a value of the request.
"""

from http import HTTPStatus
from pathlib import PurePath
from traceback import extract_tb

import orjson
import structlog
from flask import Flask, Response, g, render_template, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException

from gateway.model.errors import TryLater
from gateway.model.exchange import NOT_FOUND, NOT_WHOLE, IssueCode, Problem, RequestRefused

_log = structlog.get_logger("gateway.http")

_ISSUE_OF_STATUS: dict[int, IssueCode] = {
    400: "invalid", 401: "login", 403: "forbidden", 405: "not-supported", 406: "not-supported", 413: "too-long",
    414: "too-long", 415: "not-supported", 429: "throttled", 431: "too-long", 503: "transient",
}  # fmt: skip
_RETRY_AFTER_S = "5"

PROBLEM_JSON = "application/problem+json"


def register_error_handlers(app: Flask) -> None:
    """Answer everything that can go wrong in a request."""

    @app.errorhandler(RequestRefused)
    def refused(error: RequestRefused) -> Response:
        return answer(error.problem)

    @app.errorhandler(TryLater)
    def later(_: TryLater) -> Response:
        return answer(Problem(503, "transient", None, "Not now; the same request may work in a few seconds."))

    # Raised where the body is read: its chunks are not framed as HTTP has them, or end before the last.
    @app.errorhandler(NoMoreData)
    @app.errorhandler(ParseException)
    def not_whole(_: Exception) -> Response:
        return answer(NOT_WHOLE)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        if 300 <= status < 400:
            return Response(status=status, headers=error.get_headers())
        if status == HTTPStatus.NOT_FOUND:
            return answer(NOT_FOUND)
        response = answer(Problem(status, _ISSUE_OF_STATUS.get(status, "processing"), None, _phrase(status) + "."))
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    # The outermost loop of this door. Flask's own handler would log the exception's text, which may quote a record.
    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        where = extract_tb(error.__traceback__)[-1]
        _log.error(
            "request failed",
            correlation=g.get("correlation"),
            error=type(error).__name__,
            where=f"{PurePath(where.filename).name}:{where.lineno}",
        )
        return answer(Problem(500, "exception", None, "This did not work; the operator finds it by X-Correlation-Id."))


def answer(problem: Problem) -> Response:
    """Say a problem in the words of the protocol that the request spoke."""
    if request.path.startswith("/fhir/"):
        response = _operation_outcome(problem)
    elif request.path.startswith("/console"):
        page = render_template("console/problem.html", status=problem.status, message=problem.message)
        response = Response(page, problem.status, content_type="text/html; charset=utf-8")
    else:
        response = _problem_json(problem)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="warm-handoff"'
    if problem.version is not None:
        response.set_etag(str(problem.version), weak=True)
    if problem.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = _RETRY_AFTER_S
    return response


def _operation_outcome(problem: Problem) -> Response:
    issue: dict[str, object] = {"severity": "error", "code": problem.code, "diagnostics": problem.message}
    if problem.expression is not None:
        issue["expression"] = [problem.expression]
    body = orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(body, problem.status, content_type="application/fhir+json")


def _problem_json(problem: Problem) -> Response:
    return Response(problem_body(problem), problem.status, content_type=PROBLEM_JSON)


def problem_body(problem: Problem) -> bytes:
    """Write a problem as RFC 9457 has it, with our code beside it."""
    return orjson.dumps(
        {
            "type": "about:blank",
            "title": _phrase(problem.status),
            "status": problem.status,
            "code": problem.code,
            "detail": problem.message,
        }
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
