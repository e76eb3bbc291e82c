"""Tables of terms: a code of HL7v2 on the left, one of FHIR on the right, looked up from either side.

The first row of a v2 code counts for reading, the first row of a FHIR code for writing; so a table may hold further
rows for one direction, such as five FHIR states that are one v2 status. Where a map of HL7 exists, `source` names it.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

COLUMNS = ("v2", "fhir", "system", "display", "source")


@dataclass(frozen=True, slots=True)
class TermTable:
    """One table, ready for look-up from either side."""

    name: str
    by_v2: dict[str, dict[str, str]]
    """v2 code, upper case -> Coding (`code`, and `system` and `display` where the table has them)."""
    by_fhir: dict[str, str]
    """FHIR code -> v2 code."""

    def coding(self, code: str) -> dict[str, str] | None:
        """Return a new Coding for a v2 code; None where the table does not know it."""
        found = self.by_v2.get(code) or self.by_v2.get(code.strip().upper())
        return found.copy() if found else None

    def v2_code(self, code: Any) -> str:
        """Return the v2 code for a FHIR code; "" where the table has none."""
        return self.by_fhir.get(str(code), "")


class TermTableError(ValueError):
    """A table that cannot be used; the text begins with the line."""


def read_terms(name: str, text: str) -> TermTable:
    """Read a table from CSV text with the columns of `COLUMNS`.

    An empty `fhir` says that the v2 code is known and stays as sent, an empty `v2` that nothing is written for the FHIR
    code. Raises TermTableError where a column is missing, a row has another length, or a row says nothing.
    """
    reader = csv.reader(io.StringIO(text))
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise TermTableError(f"1: expected the columns {', '.join(COLUMNS)}")
    by_v2: dict[str, dict[str, str]] = {}
    by_fhir: dict[str, str] = {}
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(header) or not (cells[0] or cells[1]):
            raise TermTableError(f"{reader.line_num}: expected {len(header)} cells and a code in the first or second")
        v2, fhir, system, display, _ = (cell.strip() for cell in cells)
        if v2 and fhir and v2.upper() not in by_v2:
            parts = {"system": system, "code": fhir, "display": display}
            by_v2[v2.upper()] = {part: value for part, value in parts.items() if value}
        if fhir:
            by_fhir.setdefault(fhir, v2)
    return TermTable(name, by_v2, by_fhir)
