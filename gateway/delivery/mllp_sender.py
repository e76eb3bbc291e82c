"""Send HL7v2 messages over MLLP, one at a time, and know which answer belongs to which message.

A late answer to an earlier message that is taken for the answer to this one is the classic defect of interface
engines: here an answer counts only when its MSA-2 is the MSH-10 just sent, and a connection that has been waited on in
vain is closed, so that nothing late can come over it.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import structlog

from gateway.formats.hl7v2.acknowledgement import read_acknowledgement, read_header
from gateway.formats.hl7v2.message import Unreadable, read_message
from gateway.formats.mllp_frames import COMMITTED, NOT_COMMITTED, Event, Frame, FrameReader, frame
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.hl7_header import Acknowledgement

_log = structlog.get_logger("gateway.mllp")
_PACKET_BYTES = 65536
_MAX_ANSWER_BYTES = 1024 * 1024


def client_tls(authority: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a TLS 1.2+ context that checks the server's name against this authority (None: the system's).

    `certificate` and `key` (PEM files) are shown to servers that ask for a client certificate.
    """
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


@dataclass(frozen=True, slots=True)
class Answered:
    """The acknowledgement of one message, as read and as received."""

    acknowledgement: Acknowledgement
    content: bytes


class MllpSender:
    """A connection to one receiver, opened when first needed and kept; threads take turns.

    With `release_2` the receiver commits each block before it answers, and we commit its answers (ANSI/HL7 V3 TRMLLP
    R2). `discarded` counts answers that belonged to no message in flight.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 30.0,
        *,
        release_2: bool = False,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._timeout_s = timeout_s
        self._release_2 = release_2
        self._uncommitted = False
        self._turn = threading.Lock()
        self._socket: socket.socket | None = None
        self._reader = FrameReader(_MAX_ANSWER_BYTES)
        self.discarded = 0

    def __enter__(self) -> "MllpSender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, message: bytes) -> Answered:
        """Send one message and return what the receiver acknowledged, whatever its code.

        From the connection to the answer it takes `timeout_s` at most, after as long a wait for other messages to it.
        A repetition after `TryLater` must send the same bytes: the receiver knows it by its MSH-10.

        Raises:
            TryLater: no connection, no commit or answer in time, or the receiver did not store it or closed.
            WillNeverWork: these bytes are no message, have no MSH-10, or hold MLLP block marks.
        """
        control_id, block = _prepare(message)
        with self._taking_turn():
            try:
                answered = self._exchange(block, control_id)
            except OSError as error:
                self._disconnect()
                raise TryLater(f"no answer over MLLP ({type(error).__name__})") from error
        assert answered is not None, "asked for by its MSH-10"
        return answered

    def post(self, message: bytes) -> None:
        """Send one message whose header asks for no answer; raises as `send`. Only in release 2 there is a wait."""
        _, block = _prepare(message)
        with self._taking_turn():
            try:
                self._exchange(block, None)
            except OSError as error:
                self._disconnect()
                raise TryLater(f"not sent over MLLP ({type(error).__name__})") from error

    def close(self) -> None:
        """Close the connection; the next `send` opens another."""
        with self._turn:
            self._disconnect()

    @contextmanager
    def _taking_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._timeout_s):
            raise TryLater("other messages to the same address were in flight all the time")
        try:
            yield
        finally:
            self._turn.release()

    def _connected(self, deadline: float) -> socket.socket:
        if self._socket is not None and not self._still_open(self._socket):
            self._disconnect()
        if self._socket is None:
            connection = socket.create_connection((self._host, self._port), timeout=_left(deadline))
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(_left(deadline))
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_hostname=self._host)
            except BaseException:
                connection.close()
                raise
            self._socket = connection
            self._reader = FrameReader(_MAX_ANSWER_BYTES)
        return self._socket

    def _still_open(self, connection: socket.socket) -> bool:
        """Take what came while nothing was asked; False when the receiver has closed meanwhile."""
        connection.setblocking(False)
        try:
            while received := connection.recv(_PACKET_BYTES):
                self._discard(len(self._reader.feed(received)))
        except (BlockingIOError, ssl.SSLWantReadError):
            return not self._reader.is_inside
        except OSError:
            return False
        return False

    def _exchange(self, block: bytes, control_id: str | None) -> Answered | None:
        """Send, and wait for the commit, where the release has one, and for the answer, where one was asked for."""
        deadline = time.monotonic() + self._timeout_s
        connection = self._connected(deadline)
        self._uncommitted = self._release_2
        for start in range(0, len(block), _PACKET_BYTES):  # over TLS the time-out is that of each record
            connection.settimeout(_left(deadline))
            connection.sendall(block[start : start + _PACKET_BYTES])
        answered: Answered | None = None
        while self._uncommitted or (control_id is not None and answered is None):
            connection.settimeout(_left(deadline))
            received = connection.recv(_PACKET_BYTES)
            if not received:
                raise ConnectionResetError
            answered = self._pick(received, control_id, answered)
        if answered is not None and self._release_2:
            connection.settimeout(_left(deadline))
            connection.sendall(frame(COMMITTED))
        return answered

    def _pick(self, received: bytes, control_id: str | None, picked: Answered | None) -> Answered | None:
        for event in self._reader.feed(received):
            if self._uncommitted and isinstance(event, Frame) and event.content in (COMMITTED, NOT_COMMITTED):
                self._uncommitted = False
                if event.content == NOT_COMMITTED:
                    raise TryLater("the receiver could not store the message (negative commit)")
                continue
            answered = _read(event)
            if picked is None and answered is not None and answered.acknowledgement.control_id == control_id:
                picked = answered
            else:
                self._discard(1)
        return picked

    def _discard(self, count: int) -> None:
        if count:
            self.discarded += count
            _log.warning("mllp_answers_discarded", count=count)

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _left(deadline: float) -> float:
    """Return the seconds that are left; raises `TimeoutError` where none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(event: Event) -> Answered | None:
    if not isinstance(event, Frame):
        return None
    acknowledgement = read_acknowledgement(event.content)
    return None if acknowledgement is None else Answered(acknowledgement, event.content)


def _prepare(message: bytes) -> tuple[str, bytes]:
    read = read_message(message)
    if isinstance(read, Unreadable):
        raise WillNeverWork(f"no HL7v2 message to send: {read.reason}")
    control_id = read_header(read).control_id
    if not control_id:
        raise WillNeverWork("the message has no MSH-10, so no answer could be matched to it")
    try:
        return control_id, frame(message)
    except ValueError as error:
        raise WillNeverWork("the message holds MLLP block marks") from error
