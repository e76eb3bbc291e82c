"""HTTP with an end: a request that is not answered whole in its time is cut off, however slowly the answer trickles.

The time-out of `requests` is that of each packet. A receiver that sends a byte now and then would hold its sending for
hours, and with it a worker; another worker would begin the same sending anew once the lease of the lane has ended.
"""

import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current: "ContextVar[TimeLimit]" = ContextVar("time limit")


class TimeLimit:
    """How long what is asked inside of it may take, from the first connection to the last byte of the answer.

    `with TimeLimit(30) as limit:` around a request of a session that has `TimedAdapter`. The request then fails like
    one whose connection broke; an answer without a stated length only looks shorter, so ask `is_over` before believing
    it.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._watched: socket.socket | None = None
        self._turn = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "TimeLimit":
        self._before = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._turn:
            self._watched = None
        _current.reset(self._before)

    def watch(self, connection: socket.socket) -> None:
        """Cut off this connection when the time is over; raises `TimeoutError` where it is over already."""
        with self._turn:
            if self.is_over:
                raise TimeoutError
            self._watched = connection

    def _cut(self) -> None:
        with self._turn:
            self.is_over = True
            if self._watched is not None:
                with suppress(OSError):  # it broke by itself
                    # Not SSLSocket's own: that one first makes a connection in the clear of it.
                    socket.socket.shutdown(self._watched, socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    def request(self, *args: Any, **named: Any) -> None:
        _begin(self)
        super().request(*args, **named)


class _Tls(HTTPSConnection):
    def request(self, *args: Any, **named: Any) -> None:
        _begin(self)
        super().request(*args, **named)


def _begin(connection: HTTPConnection) -> None:
    """Connect, where that is not done, and let the limit of this thread watch what is asked now."""
    if connection.sock is None:
        connection.connect()
    assert connection.sock is not None
    _current.get().watch(connection.sock)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class TimedAdapter(HTTPAdapter):
    """Connections of a `requests.Session` that obey the `TimeLimit` they are used in; there must be one."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make the pools of our connections."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
