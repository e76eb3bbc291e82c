"""HL7v2 packs as the catalog reads them: a partner's changes, an installation's own, and mistakes with their place."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.hl7v2_packs import Hl7Packs, read_hl7_packs
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.maps import FeedContext, OutgoingContext, read_feed, write_message
from gateway.model.errors import ConfigurationError
from gateway.model.hl7_header import Hl7Header

CONTEXT = FeedContext(b"a key for tests", datetime(2026, 11, 2, 18, tzinfo=UTC))
PARTNER = """
zone: America/Los_Angeles
charset: 8859/1
assigners: {SH: "urn:oid:2.999.4"}
code_systems: {99SH: "https://hospital.example/codes"}
rows:
  PID-18: {to: "Patient.identifier[]", as: CX}
  ZPV-2: {to: "Encounter.type[]", as: CWE}
left_out:
  ZPV-3: about billing
"""
ADMISSION = (
    b"MSH|^~\\&|EHR|SH|G|WH|20261102101500||ADT^A01|C1|P|2.5.1\r"
    b"PID|1||M-1^^^SH^MR||Testperson^Alma|||F||||||||||A-1^^^SH^AN\r"
    b"PV1|1|E" + b"|" * 42 + b"20260702101400\rZPV|1|X^Walked in^99SH|none\rDG1|1||F32.9^^I10C\r"
)


def packs(folder: Path, text: str = PARTNER) -> Hl7Packs:
    (folder / "hl7v2" / "adt").mkdir(parents=True, exist_ok=True)
    (folder / "hl7v2" / "adt" / "sample-hospital.yaml").write_text(text)
    return read_hl7_packs(folder)


def resources(found: Hl7Packs, partner: str) -> dict[str, dict[str, Any]]:
    message = read_message(ADMISSION)
    assert isinstance(message, Message)
    pack = found.for_message("ADT", "A01", partner)
    assert pack is not None
    return {one["resourceType"]: one for one in read_feed(message, pack, CONTEXT).resources}


def test_a_partners_file_changes_the_pack_for_that_partner_alone(tmp_path: Path) -> None:
    found = packs(tmp_path)

    theirs, others = resources(found, "sample-hospital"), resources(found, "another")

    assert [(one["system"], one["value"]) for one in theirs["Patient"]["identifier"]] == [
        ("urn:oid:2.999.4", "M-1"), ("urn:oid:2.999.4", "A-1"),
    ]  # fmt: skip
    assert theirs["Encounter"]["type"] == [
        {"coding": [{"system": "https://hospital.example/codes", "code": "X", "display": "Walked in"}]}
    ]
    assert theirs["Encounter"]["period"] == {"start": "2026-07-02T10:14:00-07:00"}
    assert "type" not in others["Encounter"]
    assert others["Encounter"]["period"] == {"start": "2026-07-02"}
    assert [one["value"] for one in others["Patient"]["identifier"]] == ["M-1"]


def test_a_segment_of_the_partners_own_does_not_part_what_stands_around_it(tmp_path: Path) -> None:
    theirs = resources(packs(tmp_path), "sample-hospital")

    assert theirs["Condition"]["encounter"] == {"reference": f"Encounter/{theirs['Encounter']['id']}"}


def test_the_report_tells_the_partners_row_and_reason(tmp_path: Path) -> None:
    message = read_message(ADMISSION)
    assert isinstance(message, Message)
    pack = packs(tmp_path).for_message("ADT", "A01", "sample-hospital")
    assert pack is not None

    report = {one.path: one for one in read_feed(message, pack, CONTEXT).report()}

    assert (report["ZPV-2"].status, report["ZPV-2"].target) == ("mapped", "Encounter.type[]")
    assert report["ZPV-2"].rule.startswith("hl7v2/adt/sample-hospital.yaml:")
    assert (report["ZPV-3"].status, report["ZPV-3"].rule) == ("ignored", "about billing")
    assert report["ZPV-1"].status == "unknown"


def test_a_message_to_the_partner_has_its_names_and_characters(tmp_path: Path) -> None:
    pack = packs(tmp_path).for_writing("ADT^A08", "sample-hospital")
    assert pack is not None
    patient = {
        "resourceType": "Patient", "id": "p", "name": [{"family": "Ärger"}],
        "identifier": [{"system": "urn:oid:2.999.4", "value": "M-1"}],
    }  # fmt: skip
    header = Hl7Header(("WH",), ("WH",), ("EHR",), ("SH",), "20261102101500-0800", "C1")

    written = write_message("ADT^A08", [patient], pack, OutgoingContext(header))

    assert b"|M-1^^^SH||\xc4rger" in written
    assert written.partition(b"\r")[0].endswith(b"||8859/1")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("rows: {PID-5: {to: 'Patient.name[]', as: XPM}}", "1:15: rows.PID-5: expected a data type"),
        ("rows: {PID-5: {to: 'Patient name'}}", "expected a place like Patient.name[]"),
        (
            "rows: {PID-8: {to: Patient.gender, table: sexes}}",
            "expected a table of mappings/hl7v2/tables, found 'sexes'",
        ),
        ("rows: {PID-5: {to: 'Patient.name[]', only: read}}", "with the reason as `why`"),
        ("rows: {PID-5: {write: $name}}", "expected one of $event"),
        ("rows: {PID-5: {}}", "expected a target as `to`"),
        ("rows: {PID_5: {to: 'Patient.name[]'}}", "'PID_5' does not match"),
        ("rows: {PID-5: {to: 'Patient.name[]', if: {PID-8: ['F', '!M']}}}", "expected either values that are meant"),
        ("zones: UTC", "Additional properties are not allowed"),
        ("zone: Pacific", "1:7: zone: expected an offset (-0800) or a zone (America/Los_Angeles)"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, told: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        packs(tmp_path, told)

    assert message in str(error.value)
    assert "sample-hospital.yaml:1:" in str(error.value)


def test_a_pack_of_the_installation_takes_the_place_of_the_products(tmp_path: Path) -> None:
    folder = tmp_path / "hl7v2" / "adt"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: adt\ntitle: Own\nreads: [ADT^A08]\nstructure: [PID]\n")

    found = read_hl7_packs(tmp_path)

    assert found.packs["adt"].title == "Own"
    assert found.for_message("ADT", "A01") is None


def test_a_pack_that_names_a_map_nobody_wrote_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "hl7v2" / "own"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: own\ntitle: Own\nreads: [ADT^A08]\nstructure: [PID, {PV9: [DG1]}]\n")

    with pytest.raises(ConfigurationError, match=r"hl7v2/own/pack.yaml:4:24: .*expected a segment map, found 'PV9'"):
        read_hl7_packs(tmp_path)


def test_a_partner_cannot_change_the_map_that_writes_the_notice(tmp_path: Path) -> None:
    folder = tmp_path / "hl7v2" / "rri"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("rows: {NTE-3: {to: 'Observation.note[].text', map: NTE-notice}}\n")

    message = r"hl7v2/rri/own.yaml:1:15: rows.NTE-3: expected a map that a partner may change, found NTE-notice"
    with pytest.raises(ConfigurationError, match=message):
        read_hl7_packs(tmp_path)
