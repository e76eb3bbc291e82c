"""Hold the rows of HL7v2 packs against both standards: fields that no version has, elements that R4 does not have.

Only `gateway mapping check` asks: a message whose resource is not R4 waits for a person, so nothing is read by it.
"""

from collections.abc import Iterator

from gateway.catalog.hl7v2_packs import FOLDER, Hl7Packs
from gateway.catalog.profiles import load_elements
from gateway.formats.hl7v2.field_names import is_field
from gateway.formats.hl7v2.maps import CompiledPack, Row
from gateway.validation import Elements

ALWAYS_OPEN = "Provenance"
"""The resource that no segment opens: who told what, and when."""


def lost_rows(packs: Hl7Packs) -> Iterator[str]:
    """Yield each row that leads nowhere, once, as `file:line:column: rows.PV1-10: what was expected, what was found`.

    Fields of Z segments are the partner's own; data types and constants are not looked at.
    """
    elements = load_elements()
    told: set[str] = set()
    for pack in (*packs.packs.values(), *packs.overlays.values()):
        for row in pack.rows():
            for fault in _faults(row, pack, elements):
                line = f"{row.where}: rows.{row.path}: {fault}"
                if line not in told:
                    told.add(line)
                    yield line


def _faults(row: Row, pack: CompiledPack, elements: Elements) -> Iterator[str]:
    segment, _, rest = row.path.partition("-")
    if not segment.startswith("Z") and not is_field(segment, int(rest.partition(".")[0])):
        yield "expected a field that a version of HL7v2 has, found one that none has"
    if not row.target or row.target.startswith("$"):
        return
    name = row.target.partition(".")[0]
    if name != ALWAYS_OPEN and name not in pack.opened():
        yield f"expected a resource that {FOLDER}/{pack.name} opens, found {name[:40]!r}"
    elif fault := elements.fault(pack.shown[row.target]):
        yield fault
