"""Copies of a SQLite store: taken while it is being written, checked, and put back.

PostgreSQL has better tools of its own (pg_dump, archived WAL) and is refused here.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from gateway.model.errors import ConfigurationError, GatewayError
from gateway.storage.audit import verify_audit
from gateway.storage.engines import parse_url, reading_engine, sqlite_file
from gateway.storage.lock_file import LockFile
from gateway.storage.schema import refuse_newer, schema_version


def back_up(url: str, copy: Path) -> None:
    """Write a consistent copy of the database to a new file that only its owner can read; writers go on meanwhile."""
    source = _file_of(url, "pg_dump")
    if not source.is_file():
        raise GatewayError(f"there is no database at {source} to back up")
    _copy(source, copy)


def restore(url: str, copy: Path) -> None:
    """Make a checked copy the database; refused where a database already lies or a server is running."""
    target = _file_of(url, "pg_restore")
    if target.exists():
        raise GatewayError(f"a database lies at {target} already: move it (and its -wal file) away first")
    check(copy)
    lock = LockFile(target)
    try:
        _copy(copy, target)
    finally:
        lock.release()


def check(copy: Path) -> None:
    """Raise `GatewayError` unless a file is an undamaged store, not newer than this version, with an unbroken trail."""
    try:
        with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)) as database:
            undamaged = database.execute("PRAGMA quick_check").fetchone() == ("ok",)
            ours = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone() is not None
    except sqlite3.DatabaseError:
        undamaged = ours = False
    if not (undamaged and ours):
        raise GatewayError(f"{copy} is not an undamaged SQLite database of a gateway")
    engine = reading_engine(URL.create("sqlite", database=str(copy)))
    try:
        with engine.begin() as connection:
            refuse_newer(schema_version(connection))
            broken = verify_audit(connection)
    finally:
        engine.dispose()
    if broken is not None:
        raise GatewayError(f"the audit trail in {copy} does not hold: {broken}")


def _file_of(url: str, instead: str) -> Path:
    path = sqlite_file(parse_url(url))
    if path is None:
        raise ConfigurationError(f"this database is PostgreSQL: use {instead} and your archive of its log")
    return path


def _copy(source: Path, target: Path) -> None:
    """Copy a database into a new file, whole or not at all: a part of one must not be taken for a store."""
    _create(target)
    try:
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
            # One file is easier to carry than three: it is closed without a write-ahead log.
            copy.execute("PRAGMA journal_mode=DELETE")
        _sync(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink()
        raise GatewayError(f"cannot copy {source} to {target}: {error}") from error


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise GatewayError(f"cannot create {path}: {error.strerror}") from None


def _sync(path: Path) -> None:
    """Wait until a file and its name are on disk."""
    for each in (path, path.resolve().parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
