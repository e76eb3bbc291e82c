"""The MLLP door: HL7v2 messages come in over TCP or TLS, and each is answered once it is on disk.

One thread a connection, blocking sockets: connections are few and long, and what costs is the disk. The rules are
those of `docs/hl7v2.md`; content is judged behind `accept`, never here.
"""

import hashlib
import ipaddress
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.formats.hl7v2.batches import split_batch
from gateway.formats.hl7v2.envelopes import batch_answer
from gateway.formats.mllp_frames import (
    COMMITTED,
    NOT_COMMITTED,
    Event,
    Frame,
    FrameReader,
    Oversized,
    Unfinished,
    frame,
)
from gateway.model.hl7_header import PeerAddress, Reception

Accept = Callable[[bytes, PeerAddress], bytes]
"""Store a message durably and return its acknowledgement; b"" where its sender asked for none."""

KeepCut = Callable[[bytes, PeerAddress], None]
"""Keep the beginning of a message whose rest never came, for a person; it gets no answer."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_log = structlog.get_logger("gateway.mllp")
_PACKET_BYTES = 65536
_WAITING_CONNECTIONS = 128


@dataclass(frozen=True, slots=True)
class MllpLimits:
    """What a peer may take of us."""

    max_bytes: int = 64 * 1024 * 1024
    connections: int = 64
    idle_s: float = 600.0
    """How long a connection may be silent between messages."""
    frame_s: float = 120.0
    """How long a message may take from its first byte to its last."""
    settle_s: float = 0.5
    """How long after a lone end byte the peer is taken to wait for its answer."""
    answer_s: float = 30.0
    """How long a peer may take to read its answer, or to shake hands."""
    room_s: float = 1.0
    """How long a connection that makes room for another may take to end."""


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """TLS for a listener; `allowed_certificates` are SHA-256 fingerprints in hex (empty: all that the CA signed)."""

    context: ssl.SSLContext
    allowed_certificates: frozenset[str] = frozenset()


def server_tls(certificate: Path, key: Path, client_authority: Path) -> ssl.SSLContext:
    """Return a TLS 1.2+ context that asks every client for a certificate of this authority (PEM files)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def listen(host: str, port: int) -> socket.socket:
    """Listen on `host:port` (0: any free one), IPv4 or IPv6. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_WAITING_CONNECTIONS)


class MllpListener:
    """Serve a socket that listens already; `start` begins.

    `new_id` and `clock` give MSH-10 and MSH-7 of the few answers that the door writes itself: a message too large,
    and one that could not be stored. With peers of the networks `release_2` every block is committed or refused
    before it is answered (ANSI/HL7 V3 TRMLLP R2).
    """

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
        self._clock = clock
        self._new_id = new_id
        self._limits = limits or MllpLimits()
        self._tls = tls
        self._release_2 = release_2
        self._socket = listening
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._lock = threading.Lock()
        self._connections: dict[_Connection, None] = {}
        """Those that are open, in the order in which they came."""
        self._draining = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Return the host and port that are listened on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def start(self, accept: Accept, keep_cut: KeepCut) -> None:
        """Serve in threads of its own until `drain`."""
        self._thread = threading.Thread(target=self._serve, args=(accept, keep_cut), name="mllp-listener", daemon=True)
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

    def _serve(self, accept: Accept, keep_cut: KeepCut) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._draining.is_set():
                ready = [key.fileobj for key, _ in selector.select()]
                if self._socket in ready:
                    self._take_connection(accept, keep_cut)

    def _take_connection(self, accept: Accept, keep_cut: KeepCut) -> None:
        try:
            peer, address = self._socket.accept()
        except OSError as error:
            _log.warning("mllp_connection_lost", error=type(error).__name__)
            return
        if not self._has_room():
            _log.warning("mllp_connection_refused", open=self._limits.connections)
            peer.close()
            return
        at = PeerAddress(str(address[0]), int(address[1]))
        connection = _Connection(self, peer, at, accept, keep_cut)
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

    def _open_connections(self) -> list["_Connection"]:
        with self._lock:
            return list(self._connections)

    def _forget(self, connection: "_Connection") -> None:
        with self._lock:
            self._connections.pop(connection, None)


class _Connection(threading.Thread):
    """One peer, from its first byte to its last."""

    def __init__(
        self,
        listener: MllpListener,
        peer: socket.socket,
        address: PeerAddress,
        accept: Accept,
        keep_cut: KeepCut,
    ) -> None:
        super().__init__(name=f"mllp-{address.host}:{address.port}", daemon=True)
        self._listener = listener
        self._limits = listener._limits
        self._socket = peer
        self._address = address
        self._accept = accept
        self._keep_cut = keep_cut
        host = ipaddress.ip_address(address.host.partition("%")[0])
        self._commits = any(host in network for network in listener._release_2)
        self._reader = FrameReader(self._limits.max_bytes)
        self._frame_began_at = 0.0
        self._unstored = 0
        """How many messages of the block in hand could not be stored."""
        self._idle = True
        self._has_spoken = False
        """A message has come, or what should have been one."""
        self._is_told_to_end = False

    def run(self) -> None:
        """Serve the connection until the peer, a limit or the drain ends it."""
        try:
            self._secure()
            self._converse()
        except OSError as error:
            _log.info("mllp_connection_ended", error=type(error).__name__)
        except Exception as error:
            # The outermost loop of the door: told by its kind, as a traceback may quote the message.
            _log.error("mllp_connection_failed", error=type(error).__name__)
        finally:
            for event in self._reader.close():
                self._report(event)
            if self._reader.discarded_bytes:
                _log.warning("mllp_bytes_discarded", size_bytes=self._reader.discarded_bytes)
            self._socket.close()
            self._listener._forget(self)

    @property
    def is_silent(self) -> bool:
        """Return whether nothing of a message has ever come."""
        return self._idle and not self._has_spoken and not self._reader.is_inside

    def stop_if_idle(self) -> None:
        """End the connection unless a message has begun."""
        if self._idle and not self._reader.is_inside:
            self._is_told_to_end = True
            self._shut(socket.SHUT_RD)

    def cut(self) -> None:
        """End the connection whatever it does."""
        self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        try:
            # Not SSLSocket.shutdown: that one drops TLS and would let an answer leave in the clear.
            socket.socket.shutdown(self._socket, how)
        except OSError:
            return

    def _secure(self) -> None:
        self._socket.settimeout(self._limits.answer_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = self._listener._tls
        if tls is None:
            return
        secured = tls.context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        # Ours before hands are shaken: who waits for that for ever can then be ended from outside. Who was told so
        # just before, on the socket that this one replaces, is ended here.
        self._socket = secured
        if self._is_told_to_end:
            raise ConnectionAbortedError
        secured.do_handshake()
        certificate = secured.getpeercert(binary_form=True) or b""
        fingerprint = hashlib.sha256(certificate).hexdigest()
        if tls.allowed_certificates and fingerprint not in tls.allowed_certificates:
            _log.warning("mllp_certificate_not_listed", sha256=fingerprint)
            raise ConnectionAbortedError
        self._address = PeerAddress(self._address.host, self._address.port, fingerprint)

    def _converse(self) -> None:
        while True:
            # The order matters: `drain` sets its flag and then looks at `_idle`, so one of the two sees the other.
            self._idle = True
            if self._listener._draining.is_set() and not self._reader.is_inside:
                return
            events = self._receive()
            self._idle = False
            if events is None:
                return
            self._has_spoken = self._has_spoken or bool(events)
            for event in events:
                if not self._answer(event):
                    return

    def _receive(self) -> list[Event] | None:
        """Wait for bytes within the limits; None when the conversation is over."""
        was_inside = self._reader.is_inside
        patience_s = self._patience()
        try:
            if patience_s <= 0:
                raise TimeoutError
            self._socket.settimeout(patience_s)
            received = self._socket.recv(_PACKET_BYTES)
        except TimeoutError:
            settled = self._reader.settle()
            if settled or (was_inside and patience_s > 0):
                return settled
            _log.info("mllp_timed_out", inside_message=was_inside)
            return None
        if not received:
            # A peer that has said all it has to say may still wait for the answer.
            return self._reader.settle() or None
        events = self._reader.feed(received)
        if self._reader.is_inside and (events or not was_inside):
            self._frame_began_at = time.monotonic()
        return events

    def _patience(self) -> float:
        """Return how long to wait for more; nothing is left to a message that trickles in beyond its time."""
        if not self._reader.is_inside:
            return self._limits.idle_s
        remaining = self._frame_began_at + self._limits.frame_s - time.monotonic()
        return min(self._limits.settle_s, remaining)

    def _answer(self, event: Event) -> bool:
        """Answer one event; False when the connection must close."""
        if isinstance(event, Frame):
            self._take(event.content)
            return True
        self._report(event)
        if isinstance(event, Oversized):
            self._commit(NOT_COMMITTED)
            self._send(self._refusal(event.head, "The message is larger than this system takes"))
            return False
        return True

    def _take(self, content: bytes) -> None:
        """Have a block stored and say so, first as release 2 wants it, then as HL7 does.

        What is not stored is refused by the one or the other: who must send again anyway has no use for an AR.
        """
        if content in (COMMITTED, NOT_COMMITTED):
            return  # a word on an answer of ours: had it not arrived, its message would come again
        self._unstored = 0
        answers = self._answers(content)
        if self._unstored and self._commits:
            self._commit(NOT_COMMITTED)
            return
        self._commit(COMMITTED)
        for answer in answers:
            self._send(answer)

    def _commit(self, word: bytes) -> None:
        if self._commits:
            self._send(word)

    def _answers(self, content: bytes) -> list[bytes]:
        """Have every message of a block stored: one as a rule, several one after the other, or a batch of them."""
        batch = split_batch(content)
        if not batch.is_batch and len(batch.messages) < 2:
            return [self._accepted(content)]
        answers = [self._accepted(message) for message in batch.messages]
        if not batch.is_batch:
            return answers
        return [batch_answer(batch, answers, self._listener._new_id(), self._listener._clock())]

    def _send(self, answer: bytes) -> None:
        if answer:
            self._socket.settimeout(self._limits.answer_s)
            self._socket.sendall(frame(answer))

    def _accepted(self, content: bytes) -> bytes:
        try:
            return self._accept(content, self._address)
        except Exception as error:
            # The outermost loop of the door: whatever failed, the message is not stored, and its sender must know.
            _log.error("mllp_message_not_stored", error=type(error).__name__)
            self._unstored += 1
            return self._refusal(content, "The message could not be stored; send it again later")

    def _refusal(self, content: bytes, text: str) -> bytes:
        reception = Reception("reject", receive(content).header, "207", "", text)
        return acknowledge(content, reception, self._listener._new_id(), self._listener._clock())

    def _report(self, event: Event) -> None:
        """Tell of what was not taken: its sender got no answer and will send again, or gave up."""
        if isinstance(event, Oversized):
            _log.warning("mllp_message_too_large", size_bytes=event.size_bytes)
        elif isinstance(event, Unfinished):
            _log.warning("mllp_message_cut_off", size_bytes=len(event.content))
            if event.content.startswith(b"MSH"):
                self._kept(event.content)

    def _kept(self, content: bytes) -> None:
        try:
            self._keep_cut(content, self._address)
        except Exception as error:
            # Unlike a whole message there is nobody to tell: its sender waits for nothing.
            _log.error("mllp_cut_message_not_stored", error=type(error).__name__)
