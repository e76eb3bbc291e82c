"""What holds for every sub-command: data on stdout, messages on stderr, exit 2 and no stack trace for wrong use."""

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
