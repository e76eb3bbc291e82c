"""Turns at things that have no row to lock, or that somebody is about to make."""

from sqlalchemy import Connection, bindparam, func, select

from gateway.storage.prepared import Prepared
from gateway.storage.remembered import Remembered

_TAKE = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("thing"), 0))))


class SqlTurns:
    """`ports.Turns` on one database connection."""

    def __init__(self, connection: Connection, remembered: Remembered) -> None:
        self._connection = connection
        self._remembered = remembered

    def take(self, thing: str) -> None:
        """Wait for the others at this thing; on SQLite the one writer is the turn."""
        if self._connection.dialect.name == "postgresql":
            _TAKE.first(self._connection, {"thing": thing})
            self._remembered.doubt()
