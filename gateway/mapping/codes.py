"""Code tables: a source's words on the left, our codes on the right, and no guess for what is missing."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

COLUMNS = ("source_code", "target_code", "display", "source")
"""Columns every table has; each further one becomes a member of the item."""

Item = dict[str, Any]
"""A coded item: `code`, `display`, `text` and the table's further members. Without `code`: kept as text."""


_JUSTICE = re.compile(
    r"arrest|jail|prison|booked|booking|custody|warrant|charge|cite|citation|offen[sc]e|felony|misdemeanor|convict"
    r"|probation|parole|prosecut|criminal|crime|suspect|handcuff|taser|use of force",
    re.IGNORECASE,
)


def tells_of_justice(text: str) -> bool:
    """Tell whether a text that no table knows speaks of arrest, charge or force: such words never become FHIR."""
    return _JUSTICE.search(text) is not None


def fold(text: str) -> str:
    """Make two spellings of a source's word equal: case and runs of blanks do not matter."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table, ready for look-up from either side."""

    name: str
    by_source: dict[str, Item]
    by_target: dict[str, Item]
    rank: dict[str | None, int]
    """Code -> place in the order of the rows."""

    def in_order(self, items: list[Item]) -> list[Item]:
        """Put each item once and in the order of the rows; what has no code of ours stands last, as it came.

        So an encounter reads the same whatever order its source lists things in.
        """
        once: dict[tuple[Any, ...], Item] = {}
        for one in items:
            once.setdefault((one.get("author"), one.get("code") or one.get("text"), one.get("to")), one)
        last = len(self.rank)
        return sorted(once.values(), key=lambda one: self.rank.get(one.get("code"), last))

    def item_of(self, text: str) -> Item | None:
        """Return a new item for a source's word, or None when the table does not know it."""
        item = self.by_source.get(text) or self.by_source.get(fold(text))
        if item is None:
            return None
        return item.copy() if "text" in item else {**item, "text": text}

    def item_for(self, code: str) -> Item:
        """Return a new item for one of our codes; a code that is not in the table stands for itself."""
        known = self.by_target.get(code)
        return known.copy() if known is not None else {"code": code, "text": code.replace("-", " ")}


class CodeTableError(ValueError):
    """A table that cannot be used; the text begins with the line."""


def read_code_table(name: str, text: str) -> CodeTable:
    """Read a table from CSV text with the columns of `COLUMNS`.

    Raises:
        CodeTableError: a column is missing, a row has another length, or a source code stands twice.
    """
    reader = csv.reader(io.StringIO(text))
    header = next(reader, [])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise CodeTableError(f"1: expected the column {missing[0]}, found {', '.join(header) or 'nothing'}")
    by_source: dict[str, Item] = {}
    by_target: dict[str, Item] = {}
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise CodeTableError(f"{reader.line_num}: expected {len(header)} cells, found {len(cells)}")
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        key, item = fold(row["source_code"]), _item(row)
        if key in by_source:
            raise CodeTableError(f"{reader.line_num}: source_code: stands here a second time")
        by_source[key] = item
        if "code" in item:
            by_target.setdefault(item["code"], item)
    return CodeTable(name, by_source, by_target, {code: n for n, code in enumerate(by_target)})


def _item(row: dict[str, str]) -> Item:
    item: Item = {}
    if row["target_code"]:
        item["code"] = row["target_code"]
    if row["display"]:
        item["display"] = row["display"]
        item["text"] = row["display"]
    for column, value in row.items():
        if column not in COLUMNS and value and value != "no":
            item[column] = True if value == "yes" else value
    return item
