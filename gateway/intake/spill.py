"""Disk space for what does not fit into memory: rows that wait for the rest of their record, and contents already seen.

Both lie in a temporary SQLite file that the library makes, keeps in its cache while it is small, and removes.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson

_BATCH_ROWS = 5_000
_BATCH_BYTES = 16 * 1024 * 1024
"""Rows are written when so many wait, or so much of them: a report's narrative can be as long as a book."""


def _temporary() -> sqlite3.Connection:
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute("PRAGMA cache_size=-32000")
    connection.execute("BEGIN")
    return connection


class DiskSpill:
    """Rows by business key, on disk: memory stays flat however large the file is."""

    def __init__(self) -> None:
        """Begin empty."""
        self._connection = _temporary()
        self._connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, key BLOB, body BLOB)")
        self._waiting: list[tuple[bytes, bytes]] = []
        self._waiting_bytes = 0

    def put(self, key: str, item: list[Any]) -> None:
        """Keep an item under its key."""
        body = orjson.dumps(item)
        self._waiting.append((hashlib.blake2b(key.encode(), digest_size=16).digest(), body))
        self._waiting_bytes += len(body)
        if len(self._waiting) >= _BATCH_ROWS or self._waiting_bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._connection.executemany("INSERT INTO item (key, body) VALUES (?, ?)", self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0

    def groups(self) -> Iterator[list[list[Any]]]:
        """Yield the items of each key in the order they came, keys in the order they first came."""
        self._flush()
        self._connection.execute("CREATE TABLE first AS SELECT key, min(id) AS id FROM item GROUP BY key")
        self._connection.execute("CREATE INDEX first_by_key ON first (key, id)")
        rows = self._connection.execute(
            "SELECT first.id, item.body FROM item JOIN first USING (key) ORDER BY first.id, item.id"
        )
        try:
            for _, group in groupby(rows, key=lambda row: row[0]):
                yield [orjson.loads(body) for _, body in group]
        finally:  # also where nobody reads to the end
            self._connection.close()


class SeenContent:
    """Which record had which content so far in one run."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._connection = _temporary()
        self._connection.execute("CREATE TABLE seen (record TEXT PRIMARY KEY, content BLOB) WITHOUT ROWID")

    def is_repeated(self, record: str, content: str) -> bool:
        """Tell whether the record's last content was this one; from now on it is."""
        digest = bytes.fromhex(content)[:16]
        row = self._connection.execute("SELECT content FROM seen WHERE record = ?", (record,)).fetchone()
        if row is not None and row[0] == digest:
            return True
        self._connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (record, digest))
        return False
