"""Our packs beside HL7's own v2-to-FHIR maps: each row of theirs is followed, read otherwise, or left with a reason."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.formats.hl7v2.maps.pack import Node, nodes_of
from tests.support.shared_data import shared_data

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "hl7v2-mapping.md").read_text(encoding="utf-8")
TABLES = Path(__file__).resolve().parents[2] / "mappings" / "hl7v2" / "tables"
PACKS = read_hl7_packs().packs
NODES = [node for pack in PACKS.values() for node in nodes_of(pack.root)]
SEGMENTS = frozenset(node.segment for node in NODES)

TRANSPORT = frozenset({"MSH", "MSA"})
"""Segments that the transport reads: no pack makes a resource of them."""
OTHER_CARE = frozenset({"Immunization", "MedicationAdministration", "MedicationRequest"})
"""What an order may also be, in messages that we do not take."""

_MAP = re.compile(r"R4_ ([A-Z0-9]{3})\[([A-Za-z]+)")
_ELEMENT = re.compile(r"(?:^|\()(?:([A-Z][A-Za-z]+)(?:\[\d\])?\.)?([a-z][A-Za-z]*)")
_FIELD = re.compile(r"[A-Z0-9]{3}-\d+")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[2:]


def their_targets() -> dict[str, set[tuple[str, str]]]:
    """Return field -> (resource, element) as the official segment maps have them."""
    targets: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for path in sorted(shared_data("exchange", "v2-to-fhir", "segments").glob("*.csv")):
        named = _MAP.search(path.name)
        assert named is not None, path.name
        segment, resource = named.groups()
        if segment in TRANSPORT or segment not in SEGMENTS or resource in OTHER_CARE:
            continue
        for cells in rows_of(path):
            if _FIELD.fullmatch(field := cells[1].strip()):
                targets[field] |= {(kind or resource, element) for kind, element in _ELEMENT.findall(cells[9])}
    return {field: told for field, told in targets.items() if told}


def our_targets() -> dict[str, set[tuple[str, str]]]:
    """Return field -> (resource, element) as our packs read them."""
    targets: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for pack in PACKS.values():
        for row in pack.rows():
            if row.fill is not None and row.target:
                kind, _, place = pack.shown[row.target].replace("[]", "").partition(".")
                targets[row.path.partition(".")[0]].add((kind, place.partition(".")[0]))
    return targets


def explained() -> frozenset[str]:
    """Return the fields that a pack does not read, and says why."""

    def of(node: Node) -> Iterator[str]:
        for told in (node.kept, node.left_out, node.elsewhere, node.numbers):
            yield from (f"{node.segment}-{number}" for number in told)

    return frozenset(field for node in NODES for field in of(node))


def test_every_field_that_an_official_map_reads_is_read_or_explained() -> None:
    theirs = their_targets()

    assert [field for field in sorted(theirs) if field not in our_targets() and field not in explained()] == []


def test_the_page_tells_of_every_field_that_is_read_to_another_element_and_of_no_other() -> None:
    told = set(re.findall(r"^\| ([A-Z0-9]{3}-\d+) \|", PAGE, re.MULTILINE))
    ours = our_targets()

    different = {field for field, wanted in their_targets().items() if field in ours and not ours[field] & wanted}

    assert sorted(told) == sorted(different)


def test_the_page_names_every_segment_of_an_official_message_that_is_kept() -> None:
    kept: set[str] = set()

    for path in shared_data("exchange", "v2-to-fhir", "messages").glob("*.csv"):
        named = re.search(r"R4_ ([A-Z]{3})_", path.name)
        assert named is not None, path.name
        here = {node.segment for node in nodes_of(PACKS[named[1].lower()].root)}
        told = {segment for cells in rows_of(path) if cells[9].strip() for segment in _SEGMENT.findall(cells[2])[:1]}
        kept |= told - here

    assert sorted(kept) == ["IN2", "IN3", "ODS", "PRT", "RXO", "SPM"]
    assert [segment for segment in sorted(kept) if f"`{segment}`" not in PAGE] == []


OFFICIAL_TABLES = {
    "allergy-category": "AllergenType[AllergyIntoleranceCategory]",
    "allergy-criticality": "AllergySeverity[AllergyIntolerance.criticality]",
    "allergy-type": "AllergyType",
    "appointment-status": "FillerStatusCodes[Appointment]",
    "diagnosis-role": "DiagnosisType",
    "interpretation": "InterpretationCodes",
    "marital-status": "MaritalStatus",
    "observation-status": "ObservationResultStatusCodesInterpretation",
    "patient-class": "PatientClass[EncounterClass]",
    "reaction-severity": "AllergySeverity[AllergyIntolerance.reaction.severity]",
    "relationship": "Relationship",
    "report-status": "ResultStatus[Non-Queries]",
    "request-priority": "ExtendedPriorityCodes",
    "request-status": "OrderStatus",
    "request-status-of-control": "OrderControlCode[ServiceRequest.status]",
    "sex": "AdministrativeSex",
    "visit-priority": "EncounterPriority",
    "visit-status-of-class": "PatientClass[EncounterStatus]",
    "visit-status-of-event": "Event[EncounterStatus]",
}
BY_A_ROW = frozenset({("visit-status-of-event", "A04"), ("visit-status-of-event", "A08")})
"""Of which PV1.yaml says what they mean: A04 by the time of admission, A08 nothing of its own."""


def test_a_term_is_that_of_the_official_table_or_says_that_it_is_ours() -> None:
    wrong = []

    for table, name in OFFICIAL_TABLES.items():
        with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        ours = {row["v2"]: row for row in reversed(rows)}
        folder = shared_data("exchange", "v2-to-fhir", "codesystems")
        theirs = {
            cells[0].strip(): cells[6].strip() for cells in rows_of(folder / f"HL7 Concept Map_ {name} - Sheet1.csv")
        }
        wrong += [
            f"{table} {code}"
            for code, meant in theirs.items()
            if code and meant and (table, code) not in BY_A_ROW and not _says(ours.get(code), meant)
        ]
        wrong += [
            f"{table} {code}: not of the official table"
            for code, row in ours.items()
            if row["source"].startswith("v2-to-FHIR") and theirs.get(code) != row["fhir"]
        ]

    assert wrong == []


def _says(row: dict[str, str] | None, meant: str) -> bool:
    return row is not None and (row["fhir"] == meant or row["source"].startswith("ours"))
