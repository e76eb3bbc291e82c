"""Connections: what SQLite and PostgreSQL must be told so that "committed" means "on disk" on both."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from gateway.model.errors import ConfigurationError
from gateway.storage.prepared import command

_BUSY_TIMEOUT_MS = 10_000
_READERS = 16
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_CHECKPOINT_PAGES = 4000
"""After so many pages (16 MB) the log goes into the database: each time costs two syncs and a pause of all writers."""
_WRITER_CACHE_KIB = 64 * 1024
"""In the 2 MB that SQLite takes by itself, the pages that messages write push each other out and are read again."""

SQLITE_BEGINS_WRITING = "BEGIN IMMEDIATE"
"""Taking the write lock at once avoids the upgrade from reader to writer, which SQLite refuses when another connection
wrote in between."""


def parse_url(url: str) -> URL:
    """Read a database URL: `sqlite:///path/to.db`, or `postgresql://...` (psycopg 3).

    Raises `ConfigurationError` for anything else; the text never repeats the URL, which may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number: what stands there may be half of a password
        raise ConfigurationError(
            "the database setting is not a URL: expected sqlite:///FILE or postgresql://..."
        ) from None
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise ConfigurationError(f"expected a sqlite or postgresql database URL, found {parsed.drivername}")
    if parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("expected a file in the SQLite URL (sqlite:///gateway.db), found none")
    return parsed


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite URL, None for PostgreSQL."""
    return Path(str(url.database)) if url.drivername == "sqlite" else None


def create_private(path: Path) -> None:
    """Create an empty database file that only its owner can read; SQLite gives its companions the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(f"cannot open the database file {path}: {error.strerror}") from None


def writing_engine(url: URL) -> Engine:
    """Return the engine of the writer: one connection, durable commits."""
    engine = _engine(url, pool_size=1, max_overflow=1)
    if url.drivername == "sqlite":
        _speak_sqlite(engine, begin=SQLITE_BEGINS_WRITING, query_only=False)
    return engine


def reading_engine(url: URL) -> Engine:
    """Return the engine for reads: many connections, each read on one snapshot, no writing possible."""
    if url.drivername == "sqlite":
        engine = _engine(url, pool_size=_READERS, max_overflow=_READERS)
        _speak_sqlite(engine, begin="BEGIN", query_only=True)
        return engine
    return _engine(url, pool_size=_READERS, max_overflow=_READERS).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def _engine(url: URL, **pool: Any) -> Engine:
    try:
        # hide_parameters: an exception's text would otherwise quote the values of the statement.
        return create_engine(url, hide_parameters=True, pool_pre_ping=url.drivername != "sqlite", **pool)
    except (ImportError, NoSuchModuleError):
        raise ConfigurationError(
            "PostgreSQL needs the driver psycopg: install the product with its `postgres` extra"
        ) from None


def _speak_sqlite(engine: Engine, *, begin: str, query_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        # The driver's own transaction handling begins late and not before SELECT; ours begins where we say.
        dbapi_connection.isolation_level = None
        for pragma in (
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            *(
                ()
                if query_only
                else (
                    "journal_mode=WAL",
                    f"journal_size_limit={_WAL_LIMIT_BYTES}",
                    f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
                    f"cache_size=-{_WRITER_CACHE_KIB}",
                )
            ),
            "synchronous=FULL",
            "foreign_keys=ON",
            f"query_only={int(query_only)}",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:  # else the writer has begun it
            command(connection, begin)
