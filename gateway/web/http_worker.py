"""What the HTTP server does by itself, before the application sees a request and after it has answered.

An unsound request is answered here: gunicorn quotes the request line and the header in its page and in its log, and a
search with a space in it has the name of a person there.

Who has not sent the head of a request yet, or does not close the connection that an answer has ended, waits in the
event loop. Gunicorn (27.0) gives the first a thread for as long as they like, and lets the loop itself wait for the
second: a few dozen connections of somebody without a login, or one every two seconds, would stop everybody else.
"""

import errno
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from gateway.model.exchange import IssueCode, Problem
from gateway.web.errors import PROBLEM_JSON, problem_body
from gateway.web.timed_socket import TimedSocket

_log = structlog.get_logger("gateway.http")

_STATUS: dict[type[Exception], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
_HEAD_ENDS = b"\r\n\r\n"
_OWN_FAULTS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


LONGEST_HEAD = 32 * 1024
"""Bytes; the application refuses shorter ones already, in words of its own."""

MOST_WAITED_FOR = 256
"""Connections of either kind below; one more takes the place of the oldest. Who is honest waits for milliseconds."""

HEAD_WITHIN_S = 10.0
"""How long a connection may take to send the head of its first or next request."""

_REST_WITHIN_S = 0.5
_MOST_OF_REST = 4 * 1024 * 1024
"""How long a thread reads on in a body that nobody wanted, and how many bytes; then the connection ends instead."""

_LINGER_S = 2.0
"""How long a connection that has ended may take to be closed from the other side (RFC 9112 section 9.6)."""


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's threaded worker, except for unsound requests and for whoever it has to wait for."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._awaited: dict[Any, float] = {}
        """Connections whose head is not here yet, and since when; the oldest first."""
        self._leaving: dict[Any, float] = {}
        """Connections whose other side has not closed yet, likewise."""

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; where there is no descriptor for it, let those go that wait for nothing in particular."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            _log.warning("connection lost", error=errno.errorcode[error.errno], open=self.nr_conns)
            self.murder_keepalived(force=True)
            for conn in list(self._leaving):
                self._forget(conn, self._leaving)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection a thread if the whole head of a request is here; else let it wait without one."""
        if not isinstance(conn.sock, TimedSocket):
            conn.sock = TimedSocket.of(conn.sock)
        read_ahead = conn.parser.unreader.buf.getvalue() if conn.parser is not None else b""
        if read_ahead:
            # Sent before the answer to the request before it was taken: whole, or not at all.
            self._start(conn) if _HEAD_ENDS in read_ahead else self._let_go(conn)
            return
        conn.sock.setblocking(False)
        with suppress(OSError):  # nothing is here yet, or will be
            if _HEAD_ENDS in conn.sock.recv(LONGEST_HEAD, socket.MSG_PEEK):
                self._start(conn)
                return
        self._wait_for(conn, self._awaited, self._look_at_head)

    def _look_at_head(self, conn: Any, sock: socket.socket) -> None:
        if conn not in self._awaited:  # it made room for another one that became readable in the same instant
            return
        try:
            head = sock.recv(LONGEST_HEAD, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            head = b""
        if len(head) < sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT):  # readable, but no more: it has ended
            self._forget(conn, self._awaited)
        elif _HEAD_ENDS in head:
            self._no_longer(conn, self._awaited)
            _be_readable_from(1, sock)
            self._start(conn)
        elif len(head) == LONGEST_HEAD:
            self._no_longer(conn, self._awaited)
            self.handle_error(None, sock, conn.client, errors.LimitRequestHeaders("the head has no end"))
            self._let_go(conn)
        else:
            _be_readable_from(len(head) + 1, sock)  # else what was looked at would make it readable over and over

    def _start(self, conn: Any) -> None:
        conn.data_ready = True
        super().enqueue_req(conn)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Say whether the connection can take another request: not where a body is left that is still on its way."""
        return keepalive and bool(conn.parser.finish_body(time.monotonic() + _REST_WITHIN_S, _MOST_OF_REST))

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Keep the connection for the next request, or end it without waiting for the other side to close."""
        if not fs.cancelled() and fs.exception() is None and fs.result():
            super().finish_request(conn, fs)
        else:
            self._let_go(conn)

    def _let_go(self, conn: Any) -> None:
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the other side was first
            self._close(conn)
            return
        self._wait_for(conn, self._leaving, self._read_away)

    def _read_away(self, conn: Any, sock: socket.socket) -> None:
        if conn not in self._leaving:
            return
        try:
            came = sock.recv(LONGEST_HEAD)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            self._forget(conn, self._leaving)

    def murder_pending(self) -> None:
        """Close the connections that have been waited for long enough; gunicorn asks for it every second."""
        now = time.monotonic()
        for waiting, patience_s in (
            (self._awaited, HEAD_WITHIN_S if self.alive else _LINGER_S),
            (self._leaving, _LINGER_S),
        ):
            for conn in [one for one, since in waiting.items() if now - since >= patience_s]:
                self._forget(conn, waiting)

    def _wait_for(
        self, conn: Any, waiting: dict[Any, float], when_readable: Callable[[Any, socket.socket], None]
    ) -> None:
        if len(waiting) >= MOST_WAITED_FOR:
            self._forget(next(iter(waiting)), waiting)
        waiting[conn] = time.monotonic()
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(when_readable, conn))

    def _forget(self, conn: Any, waiting: dict[Any, float]) -> None:
        self._no_longer(conn, waiting)
        self._close(conn)

    def _no_longer(self, conn: Any, waiting: dict[Any, float]) -> None:
        del waiting[conn]
        self.poller.unregister(conn.sock)

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer with a problem (RFC 9457) and log the kind of the mistake; neither quotes the request."""
        status = status_of(exc)
        _log.warning("unsound request", error=type(exc).__name__, status=int(status))
        with suppress(OSError):  # whoever sent it need not wait for the answer
            client.sendall(problem_answer(status))


def _be_readable_from(count: int, sock: socket.socket) -> None:
    with suppress(OSError):  # a connection that is gone is found to be so when it is read
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)


def status_of(error: BaseException) -> HTTPStatus:
    """Return the status that a mistake which gunicorn found is answered with; 500 where it is no client's."""
    if isinstance(error, _OWN_FAULTS) or not isinstance(error, errors.ParseException):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)


def problem_answer(status: HTTPStatus) -> bytes:
    """Return a whole HTTP answer: a problem like every other of ours, and the end of the connection."""
    code: IssueCode = "exception" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "structure"
    body = problem_body(Problem(int(status), code, None, f"{status.phrase}."))
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {PROBLEM_JSON}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n\r\n"
    )
    return head.encode("ascii") + body
