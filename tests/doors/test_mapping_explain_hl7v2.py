"""`gateway mapping explain` of HL7v2 messages: one object a field, none left out."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.message_fields import is_hl7v2
from gateway.formats.hl7v2 import Message, read_message
from tests.support.shared_data import shared_data

MESSAGE = (
    b"MSH|^~\\&|EHR|HOSPITAL|WH|G|20261102||RRI^I12|C1|P|2.5.1\rRF1|A|||||R-1\rPRD|RT\r"
    b"PID|1||M-1~M-2||Sample^Ari|||||2106-3\rZXX|1\r"
)


def explained(path: Path, *options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["mapping", "explain", "--json", *options, str(path)])
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_each_field_is_one_object_with_its_fate_rule_and_target(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_bytes(MESSAGE)

    rows = {row["path"]: row for row in explained(tmp_path / "a.hl7")}

    rule = rows["RF1-6"].pop("rule")
    assert rows["RF1-6"] == {
        "record": 1, "path": "RF1-6", "status": "mapped", "target": "ServiceRequest.identifier[], Task.identifier[]",
        "value": "R-1",
    }  # fmt: skip
    assert rule.startswith("hl7v2/segments/RF1.yaml:")
    assert {path: row["status"] for path, row in rows.items() if path[:3] in ("PRD", "PID", "ZXX")} == {
        "PRD-1": "mapped", "PID-1": "ignored", "PID-3": "mapped", "PID-3[2]": "mapped", "PID-5": "mapped",
        "PID-10": "ignored", "ZXX-1": "unknown",
    }  # fmt: skip


def test_one_message_of_many_can_be_picked(tmp_path: Path) -> None:
    (tmp_path / "two.hl7").write_bytes(MESSAGE + MESSAGE.replace(b"C1", b"C2"))

    assert {row["record"] for row in explained(tmp_path / "two.hl7")} == {1, 2}
    assert {row["record"] for row in explained(tmp_path / "two.hl7", "--record", "2")} == {2}


def test_a_table_that_quotes_a_message_is_no_message(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"note\nMSH|^~\\&|EHR\n")

    assert not is_hl7v2(tmp_path / "a.csv")


def test_without_json_a_person_can_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_bytes(MESSAGE)

    result = CliRunner().invoke(main, ["mapping", "explain", str(tmp_path / "a.hl7")])

    assert "Originating referral identifier = 'R-1' (hl7v2/segments/RF1.yaml:" in result.stdout


def test_a_partner_without_a_file_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_bytes(MESSAGE)
    folder = tmp_path / "mappings" / "hl7v2" / "rri"
    folder.mkdir(parents=True)
    (folder / "sample-hospital.yaml").write_text("zone: America/Los_Angeles\n")

    def warning(partner: str) -> str:
        command = ["mapping", "explain", "--config", str(tmp_path), "--partner", partner, str(tmp_path / "a.hl7")]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0
        return result.stderr

    assert warning("sample-hospital") == ""
    assert warning("org:sample-hospital") == ""
    assert "found none of 'other-hospital'" in warning("org:other-hospital")


def test_what_cannot_be_read_is_told_and_counts(tmp_path: Path) -> None:
    (tmp_path / "bad.hl7").write_bytes(b"MSH||||\r" + MESSAGE)

    result = CliRunner().invoke(main, ["mapping", "explain", "--json", str(tmp_path / "bad.hl7")])

    assert result.exit_code == 1
    assert "message 1: MSH-2 102" in result.stderr
    assert result.stdout.count("\n") > 5


@pytest.mark.parametrize("name", ["REF-I12-01.hl7", "ADT-A40-02.hl7", "SIU-S12-01.hl7", "ORU-R01-01.hl7"])
def test_every_field_of_a_public_message_occurs(name: str) -> None:
    path = shared_data("exchange", "hl7v2", "ms-fhir-converter", name)
    message = read_message(path.read_bytes())
    assert isinstance(message, Message)

    found = {row["path"] for row in explained(path)}

    assert len(found) >= sum(bool(value) for segment in message.segments for value in segment.fields[1:])
