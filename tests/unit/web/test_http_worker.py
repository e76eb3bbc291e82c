"""What is answered where a request is no HTTP as we take it; with a server: tests/doors/test_serve_command.py."""

import json

import pytest
from gunicorn.http import errors

from gateway.web.http_worker import problem_answer, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequestLine("GET /fhir/R4/Patient?name=Ada Otter-Test"), 400),
        (errors.InvalidHeader("Otter-Test"), 400),
        (errors.LimitRequestLine(9000, 8190), 414),
        (errors.LimitRequestHeaders("limit request headers fields"), 431),
        (errors.ExpectationFailed("Otter-Test"), 417),
        (errors.UnsupportedTransferCoding("Otter-Test"), 501),
        (errors.InvalidResponseHeader("Otter-Test"), 500),
        (RuntimeError("Otter-Test"), 500),
    ],
)
def test_a_mistake_of_the_client_has_a_status_of_its_own(error: Exception, status: int) -> None:
    assert status_of(error) == status


def test_the_answer_is_a_problem_that_ends_the_connection() -> None:
    head, _, body = problem_answer(status_of(errors.LimitRequestHeaders("too many"))).partition(b"\r\n\r\n")

    assert head.splitlines() == [
        b"HTTP/1.1 431 Request Header Fields Too Large",
        b"Connection: close",
        b"Content-Type: application/problem+json",
        b"Content-Length: %d" % len(body),
        b"Cache-Control: no-store",
    ]
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Request Header Fields Too Large",
        "status": 431,
        "code": "structure",
        "detail": "Request Header Fields Too Large.",
    }
