"""The statements in which SQLite and PostgreSQL agree in words but not in SQLAlchemy's classes."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from gateway.storage.prepared import Prepared, Values


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def upsert(dialect: str, table: Table, overwrite: Sequence[str] | None = None) -> Insert:
    """Build an insert that, where the primary key exists, overwrites the columns named (all others by default)."""
    insert = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    names = overwrite or [column.name for column in table.columns if column.name not in keys]
    return insert.on_conflict_do_update(index_elements=keys, set_={name: insert.excluded[name] for name in names})


@cache
def upsert_adding(dialect: str, table: Table, column: str) -> Insert:
    """Build an insert that, where the primary key exists, adds to this column."""
    insert = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    return insert.on_conflict_do_update(index_elements=keys, set_={column: table.c[column] + insert.excluded[column]})


@cache
def prepared_upsert(dialect: str, table: Table, overwrite: Sequence[str] | None = None) -> Prepared:
    """Build what `upsert` builds, for what is written with every message."""
    return Prepared(upsert(dialect, table, overwrite))


def write_over(connection: Connection, table: Table, row: Values, before: Values | None) -> None:
    """Write a row; of one that is known to be there as `before`, only the columns that are others now.

    Each column that is named costs every index it is part of, whether or not its value is another one.
    """
    changed = before and tuple(name for name, value in row.items() if value != before[name])
    if changed != ():
        prepared_upsert(connection.dialect.name, table, changed).run(connection, row)


@cache
def insert_if_absent(dialect: str, table: Table) -> Prepared:
    """Build an insert that leaves a row with the same primary key as it is."""
    return Prepared(_insert(dialect, table).on_conflict_do_nothing())
