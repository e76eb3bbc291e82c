"""What holds for every sub-command: data on stdout, messages on stderr, exit 2 and no stack trace for wrong use."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import COMMANDS, main

RECORDS = Path(__file__).parents[2] / "gateway" / "demo" / "records"


@pytest.mark.parametrize(
    "command",
    [
        ["init", "{place}/gateway"],
        ["convert", "{records}/contacts.csv", "--out", "{place}/bundles"],
        ["convert", "{records}/contacts.csv", "--facts", "{place}/facts.ndjson"],
    ],
)
def test_a_place_that_cannot_be_written_is_wrong_use_and_named(tmp_path: Path, command: list[str]) -> None:
    place = tmp_path / "taken"
    place.write_text("a file where a folder is expected", encoding="utf-8")

    result = CliRunner().invoke(main, [part.format(place=place, records=RECORDS) for part in command])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"gateway {command[0]}: {place}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_refuses_an_option_it_does_not_have(name: str) -> None:
    explained = CliRunner().invoke(main, [name, "--help"])
    refused = CliRunner().invoke(main, [name, "--no-such-option"])

    assert (explained.exit_code, explained.stderr) == (0, "")
    assert explained.stdout.startswith(f"Usage: main {name} ")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_a_bench_without_time_to_measure_is_wrong_use() -> None:
    assert CliRunner().invoke(main, ["bench", "hl7v2", "--seconds", "0"]).exit_code == 2


def test_a_full_disk_under_stdout_is_told_in_one_line(tmp_path: Path) -> None:
    with (tmp_path / "listing").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "mapping", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == b"gateway mapping: standard output: File too large\n"
