"""One record of a source as plain data, or why there is none: what `formats` gives and `mapping` takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, str]
"""A row of a table: column -> trimmed text; blank cells are absent."""

SourceFormat = Literal["table", "json", "eido", "niem", "fhir"]


@dataclass(frozen=True, slots=True)
class SourceLayout:
    """What a mapping says about the files it reads; a format needs nothing else of the mapping."""

    mapping: str
    format: SourceFormat
    key: tuple[str, ...] = ()
    """Columns of the business key (tables only: rows with the same key are one record)."""
    recognize: tuple[str, ...] = ()
    """What a file must have to be taken for ours: columns, JSON members, XML elements or root."""
    record: tuple[str, ...] = ()
    """Where a record lies inside a document: XML elements or one dotted JSON path; empty: the format's own unit."""
    namespaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """XML: the pack's prefix -> every namespace that means the same."""
    blanks: frozenset[str] = frozenset()
    """Tables: texts that this source writes where it has nothing ("-", "NULL")."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Tables: folded column name or alias -> name as the mapping writes it."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One input: all rows of one business key, or one document."""

    number: int
    """Position among the inputs of its file, from 1."""
    where: str
    """Where it begins, for messages: "line 12", "document 3"."""
    rows: tuple[dict[str, Any], ...]
    """The rows of a table record, or the one tree of a document."""
    columns: frozenset[str] | None = None
    """Every column the file has, also those blank here; None for trees, where absent and blank are the same."""
    references: Mapping[Any, Any] = field(default_factory=dict)
    """Trees: id -> the node that carries it; ("same", name) -> every node that describes one object."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that could not be read; it goes to quarantine."""

    number: int
    where: str
    reason: str
    """What was expected and what kind of thing was found; never a value of the record."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that is readable and not for us."""

    number: int
    where: str
    reason: str


SourceItem = SourceRecord | Unreadable | Skipped
