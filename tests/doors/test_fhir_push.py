"""What a receiving FHIR server can answer to a push, and what becomes of the delivery then."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask, Response, request

from gateway.delivery.fhir_push import FhirPush
from gateway.model.decision import DecisionRecord
from gateway.model.disclosure import Disclosure
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import SendResult
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from tests.doors.mllp_peers import receiver
from tests.support.served import served

ENVELOPE = Envelope("message-1", "create", "2026-11-02T18:00:00Z")
RECORD = DecisionRecord(
    "PERMIT", "CONSENT_2_31", "2.31", ("AUDIT",), None, (), "2026.3", "2026-11-02T18:00:00Z", "sha256:00"
)
CONTENT = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Task", "id": "t"}}]}
DISCLOSURE = Disclosure(CONTENT, b"{}", "", 0, "N", RECORD, "org:a", (), ("TREAT",), "fhir")
RESPONSE = b'{"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {"status": "201"}}]}'

Serve = Callable[[Callable[[], Response]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as servers:

        def serving(answer: Callable[[], Response]) -> str:
            app = Flask(__name__)
            app.add_url_rule("/fhir", "fhir", answer, methods=["GET", "POST"])
            return servers.enter_context(served(app)) + "/fhir"

        yield serving


def push(address: str) -> SendResult:
    return FhirPush(timeout_s=10).send(DISCLOSURE, Endpoint("fhir", address), ENVELOPE)


def test_a_transaction_response_is_a_delivery(serve: Serve) -> None:
    address = serve(lambda: Response(RESPONSE, 200))

    result = push(address)

    assert (result.code, result.answered) == ("200", RESPONSE)
    assert b'"ifNoneExist"' in result.sent


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_takes_a_disclosure_to_an_address_nobody_has_verified(serve: Serve, code: int) -> None:
    asked: list[str] = []

    def elsewhere() -> Response:
        asked.append(request.method)
        return Response(RESPONSE, 200)

    other = serve(elsewhere)
    address = serve(lambda: Response(status=code, headers={"Location": other}))

    with pytest.raises(WillNeverWork, match=f"answered {code}: expected its partner file"):
        push(address)

    assert asked == []


@pytest.mark.parametrize("code", [401, 408, 409, 425, 429, 500, 503])
def test_a_server_that_cannot_take_it_now_is_asked_again(serve: Serve, code: int) -> None:
    address = serve(lambda: Response(status=code))

    with pytest.raises(TryLater, match=f"answered {code}"):
        push(address)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        (b"Retry-After: 120", 120.0),
        (b"Retry-After: Mon, 02 Nov 2026 18:01:30 GMT\r\nDate: Mon, 02 Nov 2026 18:00:00 GMT", 90.0),
        (b"Retry-After: soon", 0.0),
        (b"Server: x", 0.0),
    ],
)
def test_how_long_a_receiver_asks_to_be_left_alone_is_told(stated: bytes, seconds: float) -> None:
    def converse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" + stated + b"\r\n\r\n")

    with receiver(converse) as (host, port), pytest.raises(TryLater) as told:
        push(f"http://{host}:{port}/fhir")

    assert told.value.after_s == seconds


@pytest.mark.parametrize("code", [400, 403, 404, 412, 422])
def test_a_refused_transaction_waits_for_a_person(serve: Serve, code: int) -> None:
    address = serve(lambda: Response(status=code))

    with pytest.raises(WillNeverWork, match=f"refused the transaction with {code}"):
        push(address)


@pytest.mark.parametrize("answered", [b"", b"<html></html>", b"[]", b'{"resourceType": "Basic"}'])
def test_what_is_no_transaction_response_is_no_delivery(serve: Serve, answered: bytes) -> None:
    address = serve(lambda: Response(answered, 200))

    with pytest.raises(WillNeverWork, match="expected a transaction-response Bundle"):
        push(address)


def test_an_answer_without_end_is_left_off(serve: Serve) -> None:
    address = serve(lambda: Response((b" " * 65536 for _ in range(400)), 200))

    with pytest.raises(WillNeverWork, match="at most 16777216 bytes"):
        push(address)


def test_nobody_there_is_asked_again() -> None:
    with pytest.raises(TryLater, match="no answer from the receiver"):
        push("http://127.0.0.1:9/fhir")


@pytest.mark.parametrize(
    "begins",
    [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["headers", "body", "body without a length"],
)  # fmt: skip
def test_an_answer_that_trickles_is_cut_off_when_its_time_is_over(begins: bytes) -> None:
    def converse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begins)
        connection.settimeout(0.02)
        for _ in range(1000):
            try:
                connection.sendall(b" ")
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:  # cut off in the middle
                return
        raise AssertionError("nobody has cut the answer off")

    with receiver(converse) as (host, port), pytest.raises(TryLater, match="answer from the receiver"):
        FhirPush(timeout_s=0.5).send(DISCLOSURE, Endpoint("fhir", f"http://{host}:{port}/fhir"), ENVELOPE)


def test_one_connection_takes_one_transaction_after_the_other() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(RESPONSE) + RESPONSE

    def converse(connection: socket.socket) -> None:
        for _ in range(2):
            read_request(connection)
            connection.sendall(whole)

    transport = FhirPush(timeout_s=10)
    with receiver(converse) as (host, port):
        endpoint = Endpoint("fhir", f"http://{host}:{port}/fhir")
        codes = [transport.send(DISCLOSURE, endpoint, ENVELOPE).code for _ in range(2)]

    assert codes == ["200", "200"]


def read_request(connection: socket.socket) -> None:
    """Read one request, headers and body."""
    with connection.makefile("rb") as incoming:
        headers = dict(line.lower().split(b": ") for line in iter(incoming.readline, b"\r\n") if b": " in line)
        incoming.read(int(headers[b"content-length"]))
