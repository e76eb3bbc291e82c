"""One MLLP connection: its blocks become messages, and each is answered once it is on disk.

The rules are those of `docs/hl7v2.md`; content is judged behind `accept`, never here.
"""

import hashlib
import ipaddress
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


@dataclass(frozen=True, slots=True)
class Terms:
    """What every connection of a listener is served by.

    `new_id` and `clock` give MSH-10 and MSH-7 of the few answers that the door writes itself: a message too large,
    and one that could not be stored. With peers of the networks `release_2` every block is committed or refused
    before it is answered (ANSI/HL7 V3 TRMLLP R2). `forget` is told of a connection that has ended.
    """

    accept: Accept
    keep_cut: KeepCut
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    limits: MllpLimits
    tls: ListenerTls | None
    release_2: tuple[Network, ...]
    is_draining: Callable[[], bool]
    forget: Callable[["Connection"], None]


class Connection(threading.Thread):
    """One peer, from its first byte to its last."""

    def __init__(self, peer: socket.socket, address: PeerAddress, terms: Terms) -> None:
        super().__init__(name=f"mllp-{address.host}:{address.port}", daemon=True)
        self._socket = peer
        self._address = address
        self._terms = terms
        self._limits = terms.limits
        host = ipaddress.ip_address(address.host.partition("%")[0])
        self._commits = any(host in network for network in terms.release_2)
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
            self._terms.forget(self)

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
        tls = self._terms.tls
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
            if self._terms.is_draining() and not self._reader.is_inside:
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
        # What stands before the first message is none, and somebody has to see it; a batch has no answer for it.
        refused = [self._accepted(piece) for kind, piece in batch.pieces if not kind]
        answers = [self._accepted(message) for message in batch.messages]
        if not batch.is_batch:
            return [*refused, *answers]
        return [batch_answer(batch, answers, self._terms.new_id(), self._terms.clock())]

    def _send(self, answer: bytes) -> None:
        if answer:
            self._socket.settimeout(self._limits.answer_s)
            self._socket.sendall(frame(answer))

    def _accepted(self, content: bytes) -> bytes:
        try:
            return self._terms.accept(content, self._address)
        except Exception as error:
            # The outermost loop of the door: whatever failed, the message is not stored, and its sender must know.
            _log.error("mllp_message_not_stored", error=type(error).__name__)
            self._unstored += 1
            return self._refusal(content, "The message could not be stored; send it again later")

    def _refusal(self, content: bytes, text: str) -> bytes:
        reception = Reception("reject", receive(content).header, "207", "", text)
        return acknowledge(content, reception, self._terms.new_id(), self._terms.clock())

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
            self._terms.keep_cut(content, self._address)
        except Exception as error:
            # Unlike a whole message there is nobody to tell: its sender waits for nothing.
            _log.error("mllp_cut_message_not_stored", error=type(error).__name__)
