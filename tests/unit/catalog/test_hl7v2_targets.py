"""What `gateway mapping check` says of rows that read a field no version has, or fill an element R4 does not have."""

from pathlib import Path

from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.catalog.hl7v2_targets import lost_rows


def lost(folder: Path, overlay: str) -> list[str]:
    (folder / "hl7v2" / "adt").mkdir(parents=True)
    (folder / "hl7v2" / "adt" / "sample-hospital.yaml").write_text(overlay)
    return list(lost_rows(read_hl7_packs(folder)))


def test_every_row_of_the_products_packs_leads_somewhere() -> None:
    assert list(lost_rows(read_hl7_packs())) == []


def test_a_partners_row_that_leads_nowhere_is_told_with_its_place(tmp_path: Path) -> None:
    overlay = """rows:
  PV1-10: {to: Encounter.typo, as: CWE}
  PV1-11: {to: "Enconter.type[]", as: CWE}
  PV1-12: {to: Encounter.type, as: CWE}
  PV1-99: {to: "Encounter.type[]", as: CWE}
  PV9-1: {to: "Encounter.type[]", as: CWE}
"""

    told = [line.removeprefix("hl7v2/adt/sample-hospital.yaml:") for line in lost(tmp_path, overlay)]

    assert told == [
        "2:11: rows.PV1-10: expected an element that R4 has, found 'typo' of Encounter; near it: type",
        "3:11: rows.PV1-11: expected a resource that hl7v2/adt opens, found 'Enconter'",
        "4:11: rows.PV1-12: expected type[], found type: Encounter.type is a list",
        "5:11: rows.PV1-99: expected a field that a version of HL7v2 has, found one that none has",
        "6:10: rows.PV9-1: expected a field that a version of HL7v2 has, found one that none has",
    ]


def test_a_row_of_several_for_one_field_is_told_by_its_own_place(tmp_path: Path) -> None:
    (told,) = lost(tmp_path, "rows:\n  PV1-10:\n    - Encounter.serviceType\n    - Encounter.typo\n")

    assert told.startswith("hl7v2/adt/sample-hospital.yaml:4:7: rows.PV1-10: ")


def test_a_segment_of_the_partners_own_has_the_fields_they_say(tmp_path: Path) -> None:
    assert lost(tmp_path, "rows: {ZPV-99: {to: 'Encounter.type[]', as: CWE}}") == []


def test_a_row_of_an_installations_segment_map_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "hl7v2" / "segments").mkdir(parents=True)
    (tmp_path / "hl7v2" / "segments" / "PD1.yaml").write_text("segment: PD1\nrows: {PD1-4: Patient.typo}\n")

    (told,) = lost_rows(read_hl7_packs(tmp_path))

    assert told.startswith("hl7v2/segments/PD1.yaml:2:15: rows.PD1-4: ")
