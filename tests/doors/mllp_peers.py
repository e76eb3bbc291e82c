"""Peers for the MLLP tests, written on bare sockets: they share no code with what they test."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ADMISSION = (
    b"MSH|^~\\&|WARD|HARBOR|GATEWAY|WH|20261102101500-0800||ADT^A01^ADT_A01|%s|P|2.5.1\r"
    b"EVN|A01|20261102101500\rPID|1||M-1^^^HARBOR^MR||Sample^Ann\rPV1|1|E\r"
)


def admission(control_id: bytes) -> bytes:
    """A small ADT^A01 with this MSH-10."""
    return ADMISSION % control_id


def answer(code: bytes, control_id: bytes) -> bytes:
    """A framed acknowledgement."""
    return b"\x0bMSH|^~\\&|EHR|H|WH|G|20261102||ACK|A1|P|2.5.1\rMSA|" + code + b"|" + control_id + b"\r\x1c\r"


def read_blocks(connection: socket.socket, count: int) -> list[bytes]:
    """Read until this many blocks came or the peer closed; return their contents."""
    received = b""
    while received.count(b"\x1c\r") < count:
        packet = connection.recv(65536)
        if not packet:
            break
        received += packet
    return [block.lstrip(b"\x0b") for block in received.split(b"\x1c\r") if block]


@contextmanager
def receiver(*conversations: Callable[[socket.socket], None], patience_s: float = 10) -> Iterator[tuple[str, int]]:
    """Accept one connection after the other, let each function hold its conversation, then close it."""

    def serve() -> None:
        for converse in conversations:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                converse(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(patience_s)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "127.0.0.1", server.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive(), "the receiver expected more connections"


@dataclass
class TakingPeer:
    """Takes messages on one connection, says AA to each and keeps them."""

    count: int
    """How many it takes."""
    address: tuple[str, int] = ("", 0)
    messages: list[bytes] = field(default_factory=list)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def converse(self, connection: socket.socket) -> None:
        """Hold the conversation: each message and its answer, then whatever the sender closes with."""
        for _ in range(self.count):
            [message] = read_blocks(connection, 1)
            connection.sendall(answer(b"AA", message.split(b"|")[9]))
            with self._arrived:
                self.messages.append(message)
                self._arrived.notify_all()
        connection.recv(1)

    def has(self, count: int) -> bool:
        """Wait until so many messages have arrived; False where they do not within a minute."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.messages) >= count, timeout=60)


@contextmanager
def taking(count: int) -> Iterator[TakingPeer]:
    """Run a `TakingPeer` for so many messages."""
    peer = TakingPeer(count)
    with receiver(peer.converse, patience_s=60) as address:
        peer.address = address
        yield peer
