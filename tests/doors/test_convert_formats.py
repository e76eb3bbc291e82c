"""`gateway convert --format hl7v2` and `--validate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.demo.samples.files import FOLDER
from gateway.formats.hl7v2 import Message, read_message, split_batch
from gateway.settings import write_secret

CONTACTS = FOLDER / "contacts.csv"
DISPATCH_OF_NOBODY = FOLDER / "eido-5.json"

CARELESS = """
mapping: careless-log
title: A log whose mapping hands on what the source calls a gender
program: {code: cit, text: Crisis intervention team}
source: {format: table, recognize: [CARELESS CASE]}
key: [CARELESS CASE]
agency:
  system: https://warmhandoff.example/id/ori
  demonstration: {value: ZZ0990000, name: Exampleville Police Department, zone: America/Los_Angeles}
authors:
  police: {role: officer}
read:
  started_at: {date: DAY, in: iso}
  persons:
    - when: {has: NAME}
      then: {key: {from: NAME}, family: {from: NAME}, gender: {from: SEX}}
  referrals:
    - when: {has: TO}
      then: {service: {from: TO}}
use: contact
"""
LOG = """CARELESS CASE,DAY,NAME,SEX,TO
1,2026-10-01,First-Test,female,peer-support
2,2026-10-01,Second-Test,femme,peer-support
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments), "--at", "2026-11-02T18:00:00Z"])


def last_line(result: Result) -> str:
    return result.stderr.splitlines()[-1]


def messages_of(batch: bytes) -> list[Message]:
    found = [read_message(raw) for raw in split_batch(batch).messages]
    return [message for message in found if isinstance(message, Message)]


def test_the_referrals_of_all_files_are_one_batch_that_counts_right() -> None:
    written = run(CONTACTS, FOLDER / "lead-referrals.json", "--format", "hl7v2").stdout_bytes

    batch = split_batch(written)
    assert [kind for kind, _ in batch.pieces if kind != "MSH"] == ["FHS", "BHS", "BTS", "FTS"]
    assert batch.miscounted() == []
    assert {message.text("MSH-9.1") + message.text("MSH-9.2") for message in messages_of(written)} == {"REFI12"}


def test_each_referral_of_the_bundles_is_a_message() -> None:
    bundles = [json.loads(line) for line in run(CONTACTS).stdout.splitlines()]
    resources = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    placers = [one["identifier"][0]["value"] for one in resources if one["resourceType"] == "ServiceRequest"]

    messages = messages_of(run(CONTACTS, "--format", "hl7v2").stdout_bytes)

    assert [message.text("RF1-6.1") for message in messages] == placers


def test_a_record_that_refers_nobody_is_skipped_with_the_reason() -> None:
    result = run(DISPATCH_OF_NOBODY, "--format", "hl7v2")

    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert result.stderr.splitlines()[-2] == (
        f"{DISPATCH_OF_NOBODY}: record 1 (document 1): skipped: it refers nobody, and HL7v2 carries referrals only"
    )
    assert last_line(result) == "converted=0 quarantined=0 duplicates=0 skipped=1"


def test_the_same_files_at_the_same_instant_give_the_same_bytes() -> None:
    first, second = (run(CONTACTS, "--format", "hl7v2").stdout_bytes for _ in range(2))

    assert first == second


def test_out_writes_a_batch_for_each_record_that_refers_somebody(tmp_path: Path) -> None:
    result = run(CONTACTS, "--format", "hl7v2", "--out", tmp_path / "out")

    files = sorted((tmp_path / "out").iterdir())
    assert result.stdout_bytes == b""
    assert {file.suffix for file in files} == {".hl7"}
    assert last_line(result).startswith(f"converted={len(files)} ")
    assert [split_batch(file.read_bytes()).miscounted() for file in files] == [[]] * len(files)


def test_the_help_says_that_convert_decides_nothing_about_consent() -> None:
    told = CliRunner().invoke(main, ["convert", "--help"]).stdout

    assert "decides nothing about consent" in told


def test_sound_records_pass_the_check() -> None:
    plain, checked = run(CONTACTS), run(CONTACTS, "--validate")

    assert checked.stdout == plain.stdout
    assert last_line(checked) == last_line(plain)


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
def test_a_bundle_that_breaks_r4_is_quarantined_with_path_and_rule(tmp_path: Path, form: str) -> None:
    house, source = a_house_with_a_careless_mapping(tmp_path), tmp_path / "log.csv"
    source.write_text(LOG)

    result = run(source, "--config", house, "--validate", "--format", form)

    assert result.exit_code == 1
    assert (
        f"{source}: record 2 (line 3): quarantined: Bundle.entry[2].resource.gender [binding-required] "
        in result.stderr
    )
    assert "Second-Test" not in result.stderr
    assert last_line(result) == "converted=1 quarantined=1 duplicates=0 skipped=0"


def test_without_the_check_the_same_record_is_converted(tmp_path: Path) -> None:
    house, source = a_house_with_a_careless_mapping(tmp_path), tmp_path / "log.csv"
    source.write_text(LOG)

    result = run(source, "--config", house)

    assert last_line(result) == "converted=2 quarantined=0 duplicates=0 skipped=0"


def a_house_with_a_careless_mapping(folder: Path) -> Path:
    house = folder / "house"
    (house / "partners").mkdir(parents=True)
    write_secret(house, "id", bytes(range(32)))
    pack = house / "mappings" / "careless-log"
    pack.mkdir(parents=True)
    (pack / "mapping.yaml").write_text(CARELESS)
    return house
