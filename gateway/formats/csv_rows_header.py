"""Find the header of a delimited file: which character separates, which row names the columns, what they are called."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.formats.csv_rows_text import END, TextLines
from gateway.model.source_record import SourceLayout

DELIMITERS = (",", "\t", "|", ";")
_SEARCHED_ROWS = 60


@dataclass(frozen=True, slots=True)
class Header:
    """How to read the rows of one file."""

    delimiter: str
    cells: tuple[str, ...]
    """The header row as it stands in the file, folded: the same row again is no record."""
    columns: tuple[str, ...]
    """Name of each column as the mapping writes it; one the mapping does not know keeps its own."""


def fold_name(text: str) -> str:
    """Make two spellings of a column equal: case, blanks and a stray byte-order mark do not matter."""
    return " ".join(text.replace("\ufeff", "").split()).casefold()


def find_header(head: bytes, layout: SourceLayout) -> Header | None:
    """Return the header of the row that has every column the layout asks for, or None.

    Title lines above it are passed over. Of several delimiters the one that finds the most known columns wins.
    """
    wanted = {fold_name(name) for name in layout.recognize}
    best: tuple[int, Header] | None = None
    for delimiter in DELIMITERS:
        for cells in _first_rows(head, delimiter):
            folded = tuple(map(fold_name, cells))
            if wanted <= _known(folded, layout):
                known = sum(name in layout.columns for name in folded)
                if best is None or known > best[0]:
                    best = (known, Header(delimiter, folded, _columns(cells, folded, layout)))
                break
    return None if best is None else best[1]


def missing_columns(head: bytes, layout: SourceLayout) -> list[str]:
    """Return which of the columns asked for the best row of the file still lacks, for the message."""
    wanted = list(layout.recognize)
    rows = (tuple(map(fold_name, cells)) for delimiter in DELIMITERS for cells in _first_rows(head, delimiter))
    lacking = [[name for name in wanted if fold_name(name) not in _known(folded, layout)] for folded in rows]
    return min(lacking, key=len, default=wanted)


def _known(folded: tuple[str, ...], layout: SourceLayout) -> set[str]:
    return {fold_name(layout.columns.get(name, name)) for name in folded}


def _first_rows(head: bytes, delimiter: str) -> Iterator[list[str]]:
    lines = TextLines(io.BytesIO(head))
    try:
        for n, cells in enumerate(csv.reader(lines, delimiter=delimiter)):
            if n == _SEARCHED_ROWS or cells == [END]:
                return
            yield cells
    except csv.Error:
        return


def _columns(cells: list[str], folded: tuple[str, ...], layout: SourceLayout) -> tuple[str, ...]:
    names: list[str] = []
    times: Counter[str] = Counter()
    for raw, name in zip(cells, folded, strict=True):
        column = layout.columns.get(name, " ".join(raw.replace("\ufeff", "").split()))
        times[column] += 1
        names.append(column if times[column] == 1 else f"{column} ({times[column]})")
    return tuple(names)
