"""The line to a real receiver: unchanged there and back, kept, and refused once it is cut."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from gateway.demo.line import Exchange, fhir_line, mllp_line
from gateway.demo.stage import free_address

MESSAGE = b"MSH|^~\\&|A|B|C|D|20261122||REF^I12|m-1|P|2.5.1\rRF1|P\r"
ANSWER = b"MSH|^~\\&|C|D|A|B|20261122||ACK|a-1|P|2.5.1\rMSA|AA|m-1\r"


def an_address() -> tuple[str, int]:
    host, _, port = free_address().rpartition(":")
    return host, int(port)


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Type", "application/fhir+json")
        self.end_headers()
        self.wfile.write(b"got " + self.path.encode() + b" " + body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def fhir_receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/base"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mllp_receiver() -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                connection.sendall(b"\x0b" + ANSWER + b"\x1c\r")

    thread = threading.Thread(target=answer)
    thread.start()
    yield listener.getsockname()
    listener.close()
    thread.join()


def test_request_and_answer_pass_unchanged_and_are_kept(fhir_receiver: str) -> None:
    address = an_address()
    line = fhir_line(address, fhir_receiver)
    line.open()

    answer = requests.post(f"http://{address[0]}:{address[1]}/fhir", data=b"{}", timeout=10)
    line.cut()

    assert (answer.status_code, answer.content) == (201, b"got /base {}")
    assert line.exchanges == [Exchange("fhir", b"{}", "201")]


def test_cut_line_refuses_and_opens_again(fhir_receiver: str) -> None:
    address = an_address()
    line = fhir_line(address, fhir_receiver)
    line.open()
    line.cut()

    with pytest.raises(requests.ConnectionError):
        requests.post(f"http://{address[0]}:{address[1]}/fhir", data=b"{}", timeout=10)
    line.open()
    answer = requests.post(f"http://{address[0]}:{address[1]}/fhir", data=b"{}", timeout=10)
    line.cut()

    assert answer.status_code == 201


def test_message_and_acknowledgement_pass_unchanged_until_the_cut(mllp_receiver: tuple[str, int]) -> None:
    address = an_address()
    line = mllp_line(address, mllp_receiver)
    line.open()

    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"\x0b" + MESSAGE + b"\x1c\r")
        answer = connection.recv(65536)
        line.cut()
        after = connection.recv(65536)

    assert answer == b"\x0b" + ANSWER + b"\x1c\r"
    assert after == b""
    assert line.exchanges == [Exchange("hl7v2", MESSAGE, "AA")]
