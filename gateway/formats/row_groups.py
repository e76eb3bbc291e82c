"""Rows to records: all rows of one business key are one record, wherever in the file they stand."""

from collections.abc import Iterator
from typing import Any, Protocol

from gateway.model.source_record import Row, SourceItem, SourceLayout, SourceRecord, Unreadable

Item = list[Any]
"""[line, row or None, reason or None]: plain data, so that a spill can write it to disk."""


class Spill(Protocol):
    """Where rows wait until all rows of their key have been seen; a door decides whether on disk."""

    def put(self, key: str, item: Item) -> None:
        """Keep an item under its key."""
        ...

    def groups(self) -> Iterator[list[Item]]:
        """Yield the items of each key in the order they came, keys in the order they first came."""
        ...


class InMemorySpill:
    """A spill for what is known to be small."""

    def __init__(self) -> None:
        """Begin empty."""
        self._groups: dict[str, list[Item]] = {}

    def put(self, key: str, item: Item) -> None:
        """Keep an item under its key."""
        self._groups.setdefault(key, []).append(item)

    def groups(self) -> Iterator[list[Item]]:
        """Yield the items of each key in the order they came, keys in the order they first came."""
        yield from self._groups.values()


def put_row(spill: Spill, line: int, row: Row, layout: SourceLayout) -> None:
    """Put a row under its business key.

    A row of blanks is nothing; any other row without a key is an unreadable input of its own.
    """
    if layout.blanks:
        row = {name: text for name, text in row.items() if text not in layout.blanks}
    if not row:
        return
    parts = [row.get(column, "") for column in layout.key]
    if not all(parts):
        put_unreadable(spill, line, f"expected a value in {', '.join(layout.key)}, found a blank")
        return
    spill.put("|".join(parts), [line, row, None])


def put_unreadable(spill: Spill, line: int, reason: str) -> None:
    """Put a row that cannot be read; nothing else shares its key."""
    spill.put(f"\0{line}", [line, None, reason])


def records(spill: Spill, columns: frozenset[str], unit: str) -> Iterator[SourceItem]:
    """Yield the records of a spill, numbered in the order in which they began. `unit`: "line" or "object"."""
    for number, items in enumerate(spill.groups(), 1):
        line, row, reason = items[0]
        if row is None:
            yield Unreadable(number, f"{unit} {line}", reason)
        else:
            yield SourceRecord(number, f"{unit} {line}", tuple(item[1] for item in items), columns)
