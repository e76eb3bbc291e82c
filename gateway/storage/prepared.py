"""Statements that are executed for every message: compiled once for each database, then handed to the driver itself.

What SQLAlchemy does around one execution takes five to ten times as long as SQLite does for the row; everything that
is rare goes on through it. Failures are told in its words, so that `failures` need not know the difference.
"""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import CompilerElement

Values = Mapping[str, Any]


class _Compiled(NamedTuple):
    sql: str
    positions: list[str] | None
    """Names of the parameters in their order, where the driver counts them; None where it knows them by name."""
    constants: dict[str, Any]
    """Parameters that the statement itself states."""


class Prepared:
    """One statement for any number of executions; not for lists of unknown length (`IN`) nor for column types that
    need converting.

    Rows are named tuples of the columns.
    """

    __slots__ = ("_compiled", "_row", "_statement")

    def __init__(self, statement: Executable) -> None:
        assert isinstance(statement, CompilerElement)
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        self._row: Any = None

    def first(self, connection: Connection, values: Values) -> Any | None:
        """Return the first row, or None."""
        cursor = self._executed(connection, values)
        try:
            row = cursor.fetchone()
            return None if row is None else self._named(cursor)._make(row)
        finally:
            cursor.close()

    def all(self, connection: Connection, values: Values) -> list[Any]:
        """Return every row."""
        cursor = self._executed(connection, values)
        try:
            return [*map(self._named(cursor)._make, cursor)]
        finally:
            cursor.close()

    def run(self, connection: Connection, values: Values) -> int:
        """Return how many rows were changed."""
        cursor = self._executed(connection, values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Execute once for each of these."""
        compiled = self._for(connection)
        _call(connection, "executemany", compiled.sql, [_arguments(compiled, values) for values in rows]).close()

    def _executed(self, connection: Connection, values: Values) -> Any:
        compiled = self._for(connection)
        return _call(connection, "execute", compiled.sql, _arguments(compiled, values))

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            made: Any = self._statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            constants = {key: value for key, value in made.params.items() if value is not None}
            positions = list(made.positiontup) if made.positional else None
            found = self._compiled[name] = _Compiled(made.string, positions, constants)
        return found

    def _named(self, cursor: Any) -> Any:
        if self._row is None:
            make: Any = namedtuple  # the checker only knows names that are written out
            self._row = make("Row", [column[0] for column in cursor.description])
        return self._row


def command(connection: Connection, sql: str) -> None:
    """Execute a statement that takes and gives no values."""
    _call(connection, "execute", sql, ()).close()


def _arguments(compiled: _Compiled, values: Values) -> Any:
    named = {**compiled.constants, **values} if compiled.constants else values
    return named if compiled.positions is None else [named[name] for name in compiled.positions]


def _call(connection: Connection, method: str, sql: str, arguments: Any) -> Any:
    driver: Any = connection.connection.dbapi_connection
    cursor = driver.cursor()
    dialect = connection.dialect
    driver_error = dialect.loaded_dbapi.Error
    try:
        getattr(cursor, method)(sql, arguments)
    except driver_error as error:
        raise DBAPIError.instance(None, None, error, driver_error, hide_parameters=True, dialect=dialect) from error
    return cursor
