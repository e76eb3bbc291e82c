"""Delimited text: whatever an export makes of a table, read row by row within bounds.

Quoted line breaks, moved or repeated headers, padding, any line end and three encodings are read; a row that is too
long, too short or broken is an unreadable input, and its neighbours live.
"""

import csv
from collections.abc import Iterator

from gateway.formats.csv_rows_header import Header, find_header, fold_name, missing_columns
from gateway.formats.csv_rows_text import END, ROW_LIMIT, TextLines, TooWide
from gateway.formats.row_groups import Spill, put_row, put_unreadable, records
from gateway.model.received import Received
from gateway.model.source_record import SourceItem, SourceLayout, Unreadable


def recognizes(head: bytes, layout: SourceLayout) -> bool:
    """Tell whether the head of a file has a header row with every column the layout asks for."""
    return b"\0" not in _without_utf16(head) and find_header(head, layout) is not None


def _without_utf16(head: bytes) -> bytes:
    return b"" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head


def read(received: Received, layout: SourceLayout, spill: Spill) -> Iterator[SourceItem]:
    """Yield the records of a file. The rows of one business key are one record."""
    head = received.head()
    if b"\0" in _without_utf16(head):
        yield Unreadable(1, "the file", "expected delimited text, found binary data")
        return
    header = find_header(head, layout)
    if header is None:
        lacking = ", ".join(missing_columns(head, layout))
        yield Unreadable(1, "the file", f"expected a header row with the column(s) {lacking}, found none")
        return
    csv.field_size_limit(max(csv.field_size_limit(), 2 * ROW_LIMIT))
    with received.open() as stream:
        lines = TextLines(stream)
        try:
            _put_rows(lines, header, layout, spill)
        except TooWide as error:
            put_unreadable(spill, lines.number + 1, f"{error}; the rest of the file was not read")
    yield from records(spill, frozenset(header.columns), "line")


def _put_rows(lines: TextLines, header: Header, layout: SourceLayout, spill: Spill) -> None:
    rows = csv.reader(lines, delimiter=header.delimiter)
    began = False
    while True:
        start = lines.number + 1
        try:
            cells = next(rows)
        except csv.Error:
            put_unreadable(spill, start, "expected delimited text, found a row that cannot be split into cells")
            lines.begin_row()
            continue
        if cells and cells[-1].endswith(END):
            _end(cells, start, began, spill)
            return
        problem = _problem(cells, lines, len(header.columns))
        lines.begin_row()
        if _is_header(cells, header):
            began = True
        elif began and problem is not None:
            put_unreadable(spill, start, problem)
        elif began and any(cells):
            row = {name: text for name, cell in zip(header.columns, cells, strict=False) if (text := cell.strip())}
            put_row(spill, start, row, layout)


def _is_header(cells: list[str], header: Header) -> bool:
    """Tell whether a row names the columns again; the first cell alone rules out nearly all others."""
    return bool(cells) and fold_name(cells[0]) == header.cells[0] and tuple(map(fold_name, cells)) == header.cells


def _problem(cells: list[str], lines: TextLines, width: int) -> str | None:
    if lines.is_too_long:
        return "expected a row of at most 1 MiB, found a longer one"
    if lines.has_nul:
        return "expected text, found a NUL character"
    if len(cells) < width and any(cell.strip() for cell in cells):
        cut = "" if lines.is_complete else "; the file ends inside this row"
        return f"expected {width} cells, found {len(cells)}{cut}"
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return f"expected {width} cells, found {len(cells)}"
    return None


def _end(cells: list[str], start: int, began: bool, spill: Spill) -> None:
    """Take the end mark: alone it is the end of the file, inside a cell it tells that a quote was never closed."""
    if began and cells != [END]:
        put_unreadable(spill, start, "expected a closing quote, found the end of the file")
