"""The README's commands, word for word: what a newcomer types does what it says there."""

import json
import shutil
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from gateway.demo.samples.files import FOLDER
from tests.support.typed import commands_under, type_in


def test_the_first_mapping_change_takes_ten_lines_and_works(tmp_path: Path) -> None:
    house = tmp_path / "my-gateway"
    CliRunner().invoke(main, ["init", str(house)])
    commands = commands_under("Your first mapping change")

    done = type_in(house, commands)

    told = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(commands.splitlines()) == 10
    assert told[0] == "co-responder-contact: ok"
    assert any(line.strip().startswith("ServiceRequest.code") and "'Peer bridger'" in line for line in told)
    assert told[-2:] == ["1", "passed=7 failed=0"]


def test_files_are_converted_without_a_server(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "contacts.csv", tmp_path / "export.csv")
    (tmp_path / "folder").mkdir()
    shutil.copy(FOLDER / "lead-referrals.json", tmp_path / "folder")

    done = type_in(tmp_path, commands_under("Convert without a server"))

    bundles = [json.loads(line) for line in (tmp_path / "bundles.ndjson").read_bytes().splitlines()]
    assert done.returncode == 0, done.stderr
    assert {bundle["resourceType"] for bundle in bundles} == {"Bundle"}
    assert len((tmp_path / "facts.ndjson").read_bytes().splitlines()) == 6
    assert (tmp_path / "batch.hl7").read_bytes().startswith(b"FHS|")
    assert done.stderr.splitlines()[-1].startswith(f"resources={len(bundles)} errors=0 ")
