"""How the workers of one process learn that another process added work: PostgreSQL's LISTEN and NOTIFY.

SQLite has one writing process, which needs no bell; what an operator's command adds there is found by looking.
"""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

_CHANNEL = "gateway_work"
_LOOK_UP_S = 0.5
_RECONNECT_S = 5.0

_log = structlog.get_logger(__name__)


def announce(connection: Connection) -> None:
    """Tell every listening process, once this transaction commits, that there is work."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {_CHANNEL}")


class Doorbell:
    """A thread with a connection of its own that calls `ring` for every announcement."""

    def __init__(self, engine: Engine, ring: Callable[[], None]) -> None:
        self._engine = engine
        self._ring = ring
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def listen(self) -> None:
        """Begin to listen, if that has not begun; nothing on SQLite."""
        with self._starting:
            if self._thread is None and self._engine.dialect.name == "postgresql":
                self._thread = threading.Thread(target=self._run, name="database-doorbell", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        import psycopg  # here, as the driver is an extra that SQLite does without

        while not self._stop.is_set():
            try:
                self._hear(psycopg.connect)
            except psycopg.OperationalError as error:
                _log.warning("database.doorbell_lost", failure=type(error).__name__)
                self._stop.wait(_RECONNECT_S)

    def _hear(self, connect: Callable[..., Any]) -> None:
        positional, named = self._engine.dialect.create_connect_args(self._engine.url)
        with connect(*positional, **named, autocommit=True) as connection:
            connection.execute(f"LISTEN {_CHANNEL}")
            self._ring()  # for what was added while nobody listened
            while not self._stop.is_set():
                for _announcement in connection.notifies(timeout=_LOOK_UP_S, stop_after=1):
                    self._ring()
