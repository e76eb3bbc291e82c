"""Read and write each exchange format; every format lives in one module, both directions."""

from collections.abc import Callable, Iterable, Iterator

from gateway.formats import csv_rows, json_documents, niem_xml
from gateway.formats.row_groups import InMemorySpill, Spill
from gateway.model.received import Received
from gateway.model.source_record import SourceFormat, SourceItem, SourceLayout

__all__ = ["InMemorySpill", "Spill", "matching", "read"]


def read(received: Received, layout: SourceLayout, spill: Spill | None = None) -> Iterator[SourceItem]:
    """Yield every input of what arrived: a record, or why there is none; never more than one of them in memory.

    `spill` keeps the rows of a table until all rows of their key are there; without one they stay in memory.
    """
    return _READERS[layout.format](received, layout, spill or InMemorySpill())


def matching(received: Received, layouts: Iterable[SourceLayout]) -> list[SourceLayout]:
    """Return the layouts that recognize what arrived by its content; the name of the file does not matter."""
    head = received.head()
    return [layout for layout in layouts if _RECOGNIZERS[layout.format](head, layout)]


def _read_table(received: Received, layout: SourceLayout, spill: Spill) -> Iterator[SourceItem]:
    if json_documents.looks_like_json(received.head(1 << 10)):
        return json_documents.read_rows(received, layout, spill)
    return csv_rows.read(received, layout, spill)


def _recognizes_table(head: bytes, layout: SourceLayout) -> bool:
    if json_documents.looks_like_json(head):
        return json_documents.recognizes(head, layout)
    return csv_rows.recognizes(head, layout)


_READERS: dict[SourceFormat, Callable[[Received, SourceLayout, Spill], Iterator[SourceItem]]] = {
    "table": _read_table,
    "json": lambda received, layout, spill: json_documents.read_trees(received, layout),
    "eido": lambda received, layout, spill: json_documents.read_trees(received, layout),
    "fhir": lambda received, layout, spill: json_documents.read_trees(received, layout),
    "niem": lambda received, layout, spill: niem_xml.read(received, layout),
}

_RECOGNIZERS: dict[SourceFormat, Callable[[bytes, SourceLayout], bool]] = {
    "table": _recognizes_table,
    "json": json_documents.recognizes,
    "eido": json_documents.recognizes,
    "fhir": json_documents.recognizes,
    "niem": niem_xml.recognizes,
}
