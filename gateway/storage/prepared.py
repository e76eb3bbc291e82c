"""Statements that are executed for every message: compiled once for each database, then handed to the driver itself.

What SQLAlchemy does around one execution takes five to ten times as long as SQLite does for the row; everything that
is rare goes on through it. Failures are told in its words, so that `failures` need not know the difference.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import CompilerElement

Values = Mapping[str, Any]


class _Compiled(NamedTuple):
    sql: str
    arranged: Callable[[Values], Any]
    """Gives the values as the driver wants them, with those that the statement itself states."""


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

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Execute once for each of these; return how many rows were changed by all together."""
        sql, arranged = self._for(connection)
        cursor = _call(connection, "executemany", sql, [arranged(values) for values in rows])
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _executed(self, connection: Connection, values: Values) -> Any:
        sql, arranged = self._for(connection)
        return _call(connection, "execute", sql, arranged(values))

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            made: Any = self._statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            arranged = _by_place(made.positiontup) if made.positional else _by_name
            constants = {key: value for key, value in made.params.items() if value is not None}
            found = self._compiled[name] = _Compiled(made.string, _with(constants, arranged) if constants else arranged)
        return found

    def _named(self, cursor: Any) -> Any:
        if self._row is None:
            make: Any = namedtuple  # the checker only knows names that are written out
            self._row = make("Row", [column[0] for column in cursor.description])
        return self._row


def command(connection: Connection, sql: str) -> None:
    """Execute a statement that takes and gives no values."""
    _call(connection, "execute", sql, ()).close()


def _by_name(values: Values) -> Values:
    return values


def _by_place(names: Sequence[str]) -> Callable[[Values], Any]:
    """Return what picks the values of these names in this order, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def _with(constants: Values, arranged: Callable[[Values], Any]) -> Callable[[Values], Any]:
    return lambda values: arranged({**constants, **values})


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
