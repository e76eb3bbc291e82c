"""The line to a real receiver: passes everything on unchanged, keeps what went over it, and can be cut.

A real receiver cannot be stopped by a demonstration and is not asked to tell what it got; its line does both.
"""

import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol

import requests

_TIMEOUT_S = 60.0
_START, _END = b"\x0b", b"\x1c\r"
# Headers that belong to one leg of the way, not to the message (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message that went over the line, and what the receiver said: an HTTP status, or MSA-1."""

    channel: str
    sent: bytes
    outcome: str


Keep = Callable[[Exchange], None]


class _Serves(Protocol):
    def serve_forever(self, poll_interval: float = ...) -> None: ...
    def shutdown(self) -> None: ...
    def server_close(self) -> None: ...


class Line:
    """One address on loopback that leads to a receiver; `open` and `cut` as often as wanted."""

    def __init__(self, make: Callable[[Keep], _Serves]) -> None:
        self._make = make
        self._server: _Serves | None = None
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []

    @property
    def exchanges(self) -> list[Exchange]:
        """What went over it so far, in order."""
        with self._lock:
            return list(self._exchanges)

    def open(self) -> None:
        """Begin to pass on."""
        self._server = self._make(self._keep)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def cut(self) -> None:
        """End; whoever connects is refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _keep(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.append(exchange)


def fhir_line(address: tuple[str, int], receiver: str) -> Line:
    """Lead `http://address/fhir` to the base address of a FHIR server, http or https."""

    def make(keep: Keep) -> _Serves:
        class Pass(BaseHTTPRequestHandler):
            # HTTP/1.0: every request is a connection of its own, so that none outlives a cut.
            timeout = _TIMEOUT_S

            def do_POST(self) -> None:
                """Pass a request on and its answer back."""
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
                try:
                    answer = requests.post(
                        receiver.rstrip("/") + self.path.removeprefix("/fhir"),
                        data=body, headers=headers, timeout=_TIMEOUT_S,
                    )  # fmt: skip
                except requests.RequestException:
                    self.send_error(502)
                    return
                keep(Exchange("fhir", body, str(answer.status_code)))
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/fhir+json"))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                """Say nothing: a path may hold what belongs in no log."""

        return ThreadingHTTPServer(address, Pass)

    return Line(make)


def mllp_line(address: tuple[str, int], receiver: tuple[str, int]) -> Line:
    """Lead an address to an MLLP listener; a connection here is a connection there."""

    def make(keep: Keep) -> _Serves:
        class Pass(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                """Pass frames on, one at a time, and each answer back."""
                self.request.settimeout(_TIMEOUT_S)
                try:
                    with socket.create_connection(receiver, timeout=_TIMEOUT_S) as beyond:
                        while frame := _read_frame(self.request):
                            beyond.sendall(frame)
                            answer = _read_frame(beyond)
                            if not answer:
                                return
                            keep(Exchange("hl7v2", frame[1:-2], _acknowledged(answer)))
                            self.request.sendall(answer)
                except OSError:
                    return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            open_connections: ClassVar[set[socket.socket]] = set()

            def process_request(self, request: Any, client_address: Any) -> None:
                """Remember the connection, because MLLP connections stay and a cut must end them."""
                self.open_connections.add(request)
                super().process_request(request, client_address)

            def server_close(self) -> None:
                """Stop listening and end every connection."""
                super().server_close()
                for connection in self.open_connections:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                self.open_connections.clear()

        return Server(address, Pass)

    return Line(make)


def _read_frame(connection: socket.socket) -> bytes:
    """Read up to the end of one frame; nothing when the other side has closed."""
    frame = b""
    while not frame.endswith(_END):
        received = connection.recv(65536)
        if not received:
            return b""
        frame += received
    return frame


def _acknowledged(answer: bytes) -> str:
    segments = [line.split(b"|") for line in answer.strip(_START + _END).split(b"\r")]
    return next((fields[1].decode() for fields in segments if fields[0] == b"MSA"), "")
