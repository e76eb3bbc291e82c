"""The MLLP door: who may connect, how many at once, and how all of them come to an end.

One thread a connection (`mllp_connection`), blocking sockets: connections are few and long, and what costs is the disk.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from gateway.intake.mllp_connection import Accept, Connection, KeepCut, ListenerTls, MllpLimits, Network, Terms
from gateway.model.hl7_header import PeerAddress

_log = structlog.get_logger("gateway.mllp")
_WAITING_CONNECTIONS = 128
_REST_S = 0.2


def listen(host: str, port: int) -> socket.socket:
    """Listen on `host:port` (0: any free one), IPv4 or IPv6. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_WAITING_CONNECTIONS)


class MllpListener:
    """Serve a socket that listens already, in the `Terms` given here; `start` begins."""

    def __init__(
        self,
        listening: socket.socket,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        limits: MllpLimits | None = None,
        tls: ListenerTls | None = None,
        release_2: tuple[Network, ...] = (),
    ) -> None:
        self._limits = limits or MllpLimits()
        self._socket = listening
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._lock = threading.Lock()
        self._connections: dict[Connection, None] = {}
        """Those that are open, in the order in which they came."""
        self._draining = threading.Event()
        self._thread: threading.Thread | None = None
        self._terms = partial(
            Terms, clock=clock, new_id=new_id, limits=self._limits, tls=tls, release_2=release_2,
            is_draining=self._draining.is_set, forget=self._forget,
        )  # fmt: skip

    @property
    def address(self) -> tuple[str, int]:
        """Return the host and port that are listened on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def start(self, accept: Accept, keep_cut: KeepCut) -> None:
        """Serve in threads of its own until `drain`."""
        terms = self._terms(accept=accept, keep_cut=keep_cut)
        self._thread = threading.Thread(target=self._serve, args=(terms,), name="mllp-listener", daemon=True)
        self._thread.start()

    def drain(self, timeout_s: float) -> None:
        """Take no more connections, let messages that have begun be stored and answered, then close.

        Idle connections close at once; a peer that has not finished after `timeout_s` is cut off, and will send again.
        """
        if self._draining.is_set():
            return
        self._draining.set()
        self._wake_writer.send(b"x")
        if self._thread is not None:
            self._thread.join()
        self._socket.close()
        deadline = time.monotonic() + timeout_s
        for connection in self._open_connections():
            connection.stop_if_idle()
        for connection in self._open_connections():
            connection.join(max(0.0, deadline - time.monotonic()))
        for connection in self._open_connections():
            connection.cut()
            connection.join(self._limits.answer_s)
        self._wake_reader.close()
        self._wake_writer.close()

    def _serve(self, terms: Terms) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._draining.is_set():
                ready = [key.fileobj for key, _ in selector.select()]
                if self._socket in ready:
                    self._take_connection(terms)

    def _take_connection(self, terms: Terms) -> None:
        try:
            peer, address = self._socket.accept()
        except OSError as error:
            _log.warning("mllp_connection_lost", error=type(error).__name__)
            self._draining.wait(_REST_S)  # without a file handle to spare the caller stays at the door
            return
        if not self._has_room():
            _log.warning("mllp_connection_refused", open=self._limits.connections)
            peer.close()
            return
        at = PeerAddress(str(address[0]), int(address[1]))
        connection = Connection(peer, at, terms)
        with self._lock:
            self._connections[connection] = None
        connection.start()

    def _has_room(self) -> bool:
        """Return whether one more may come; who came first of those that have never said anything makes room for it."""
        connections = self._open_connections()
        if len(connections) < self._limits.connections:
            return True
        silent = next((one for one in connections if one.is_silent), None)
        if silent is None:
            return False
        silent.stop_if_idle()
        silent.join(self._limits.room_s)
        return not silent.is_alive()

    def _open_connections(self) -> list[Connection]:
        with self._lock:
            return list(self._connections)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._connections.pop(connection, None)
