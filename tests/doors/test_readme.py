"""The README's commands, word for word: what a newcomer types does what it says there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from gateway.demo.samples.files import FOLDER

README = Path(__file__).resolve().parents[2] / "README.md"


def commands_under(heading: str) -> str:
    """Return the first block of commands below a heading."""
    section = README.read_text(encoding="utf-8").partition(f"## {heading}")[2]
    found = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def type_in(folder: Path, commands: str) -> "subprocess.CompletedProcess[str]":
    """Run commands in a shell that finds `gateway` where this Python has it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{commands}"],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


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
