"""How fast the rest of a request has to come, and an answer has to be taken, while a thread of the server waits for it.

A thread that waits for somebody who sends nothing more is one less for everybody else, and who sends needs no login.
"""

import errno
import socket
import time
from typing import Self

BYTES_PER_SECOND = 32 * 1024
"""Each of these gives a request or an answer a second more."""


class TimedSocket(socket.socket):
    """A connection that, while it blocks, ends for the reader and breaks for the writer when the other side is slow.

    `setblocking(True)` begins the time of a request. One that has a timeout or does not block is as any other.
    """

    grace_s = 10.0
    """What a request or an answer may take whatever its size."""
    _due = 0.0

    @classmethod
    def of(cls, plain: socket.socket) -> Self:
        """Take over a connection; the socket given is empty afterwards."""
        timeout = plain.gettimeout()
        taken = cls(plain.family, plain.type, plain.proto, fileno=plain.detach())
        taken.settimeout(timeout)
        return taken

    def setblocking(self, flag: bool) -> None:
        """Let it block or not; blocking begins the time of a request."""
        self._due = time.monotonic() + self.grace_s
        super().setblocking(flag)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Return what came; nothing, as at the end of a connection, where it did not come in time."""
        if self.gettimeout() is not None:
            return super().recv(bufsize, flags)
        try:
            came = super().recv(bufsize, flags | socket.MSG_DONTWAIT)  # what is here already is in time
        except BlockingIOError:
            came = self._awaited(bufsize, flags)
        self._due += len(came) / BYTES_PER_SECOND
        return came

    def _awaited(self, bufsize: int, flags: int) -> bytes:
        left_s = self._due - time.monotonic()
        if left_s <= 0:
            return b""
        self.settimeout(left_s)
        try:
            return super().recv(bufsize, flags)
        except TimeoutError:
            return b""
        finally:
            self.settimeout(None)

    def sendall(self, data: bytes | bytearray | memoryview, flags: int = 0) -> None:  # type: ignore[override]  # Buffer is of 3.12
        """Send all; where it is not taken in time, the connection counts as reset."""
        if self.gettimeout() is not None:
            super().sendall(data, flags)
            return
        try:
            sent = super().send(data, flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._send_in_time(memoryview(data)[sent:], flags)

    def _send_in_time(self, data: memoryview, flags: int) -> None:
        self.settimeout(self.grace_s + len(data) / BYTES_PER_SECOND)
        try:
            super().sendall(data, flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the answer was not taken in time") from None
        finally:
            self.settimeout(None)
