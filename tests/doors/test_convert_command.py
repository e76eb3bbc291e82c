"""`gateway convert`: the command as a script uses it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.bench import convert as bench
from gateway.cli import main
from gateway.settings import write_secret
from tests.support.shared_data import shared_data

HEADER = "objectid,event_dow,event_type,apprehension_made,hood_158_loc\n"
ROW = "{},Wednesday,Overdose,No,1\n"
AT = ("--at", "2026-11-02T18:00:00Z")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments), *AT])


def a_file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def last_line(result: Result) -> str:
    return result.stderr.splitlines()[-1]


def bundles(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_record_is_one_line_and_the_last_line_counts(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, "a.csv", HEADER + ROW.format(1) + ROW.format(2)))

    assert result.exit_code == 0
    assert [bundle["type"] for bundle in bundles(result)] == ["collection", "collection"]
    assert last_line(result) == "converted=2 quarantined=0 duplicates=0 skipped=0"


def test_an_unreadable_record_is_named_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1) + "2,secret\n" + ROW.format(3))

    result = run(path)

    assert result.exit_code == 1
    assert f"{path}: record 2 (line 3): quarantined: expected 5 cells, found 2" in result.stderr.splitlines()
    assert "secret" not in result.stderr
    assert last_line(result) == "converted=2 quarantined=1 duplicates=0 skipped=0"


@pytest.mark.parametrize("content", ["", "\n\n", HEADER])
def test_an_empty_file_is_fine_and_four_zeros(tmp_path: Path, content: str) -> None:
    result = run(a_file(tmp_path, "empty.csv", content))

    assert (result.exit_code, result.stdout) == (0, "")
    assert last_line(result) == "converted=0 quarantined=0 duplicates=0 skipped=0"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 50,
        "hello world",
        HEADER.replace("objectid", "other") + ROW.format(1),
        f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a xmlns="http://release.niem.gov/niem/niem-core/3.0/">&l9;</a>',
        '<a xmlns:nc="http://release.niem.gov/niem/niem-core/3.0/"><nc:Incident><nc:Activ',
    ],
)
def test_what_cannot_be_read_at_all_is_one_quarantined_input(tmp_path: Path, content: str | bytes) -> None:
    result = run(a_file(tmp_path, "what.dat", content))

    assert result.exit_code == 1
    assert last_line(result) == "converted=0 quarantined=1 duplicates=0 skipped=0"


def test_ten_megabytes_in_one_cell_cost_that_record_only(tmp_path: Path) -> None:
    huge = f'2,"{"x, y" * 2_500_000}",Overdose,No,1\n'

    result = run(a_file(tmp_path, "a.csv", HEADER + ROW.format(1) + huge + ROW.format(3)))

    assert last_line(result) == "converted=2 quarantined=1 duplicates=0 skipped=0"


OWN = """
mapping: {name}
title: Ours
program: {{code: ours, text: Ours}}
source: {{format: table, recognize: [objectid, event_type]}}
key: [objectid]
agency: {{demonstration: {{value: ZZ0, name: Ours}}}}
authors: {{police: {{}}}}
use: contact
"""


def an_installation(folder: Path, mapping: str | None = None) -> Path:
    """Write a configuration with a key, no partners, and a mapping of its own for Toronto's columns."""
    (folder / "partners").mkdir(parents=True)
    write_secret(folder, "id", bytes(range(32)))
    if mapping is not None:
        (folder / "mappings" / mapping).mkdir(parents=True)
        (folder / "mappings" / mapping / "mapping.yaml").write_text(OWN.format(name=mapping))
    return folder


def test_a_file_that_several_mappings_recognize_is_quarantined_until_one_is_named(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1))
    installation = an_installation(tmp_path / "installation", "another")

    unnamed = run(path, "--config", installation)
    named = run(path, "--config", installation, "--mapping", "another")

    assert "found several (toronto-persons-in-crisis, another)" in unnamed.stderr
    assert last_line(unnamed) == "converted=0 quarantined=1 duplicates=0 skipped=0"
    assert last_line(named) == "converted=1 quarantined=0 duplicates=0 skipped=0"


def test_an_unknown_mapping_is_wrong_use(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, "a.csv", HEADER), "--mapping", "nonsense")

    assert result.exit_code == 2
    assert "found 'nonsense'" in result.stderr


def test_a_time_without_an_offset_is_wrong_use(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER)

    assert CliRunner().invoke(main, ["convert", str(path), "--at", "2026-11-02T18:00:00"]).exit_code == 2


def test_the_same_record_again_is_a_duplicate_and_changed_it_is_a_new_version(tmp_path: Path) -> None:
    first = a_file(tmp_path, "1.csv", HEADER + ROW.format(1))
    again = a_file(tmp_path, "2.csv", HEADER + ROW.format(1))
    changed = a_file(tmp_path, "3.csv", HEADER + ROW.format(1).replace("No", "Yes"))

    result = run(first, again, changed)

    assert last_line(result) == "converted=2 quarantined=0 duplicates=1 skipped=0"
    old, new = bundles(result)
    assert old["identifier"] == new["identifier"]
    assert len(new["entry"]) == len(old["entry"]) + 1


def test_the_same_file_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1))

    assert run(path).stdout == run(path).stdout


def test_without_a_configuration_the_published_key_is_told_of(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, "a.csv", HEADER))

    assert result.stderr.splitlines()[0] == "no --config: ids are made with the published demonstration key"


def test_the_key_of_the_installation_makes_the_ids(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1))

    with_key, without = run(path, "--config", an_installation(tmp_path / "installation")), run(path)

    assert "demonstration key" not in with_key.stderr
    assert bundles(with_key)[0]["identifier"] != bundles(without)[0]["identifier"]


def test_a_mapping_of_the_installation_comes_before_the_shipped_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1))
    installation = an_installation(tmp_path / "installation", "toronto-persons-in-crisis")

    result = run(path, "--config", installation, "--facts", tmp_path / "facts.ndjson")

    assert result.exit_code == 0
    assert json.loads((tmp_path / "facts.ndjson").read_text())["program"] == "ours"


def test_out_writes_one_file_a_record_and_facts_their_own(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", HEADER + ROW.format(1) + ROW.format(2))

    result = run(path, "--out", tmp_path / "out", "--facts", tmp_path / "facts.ndjson")

    facts = [json.loads(line) for line in (tmp_path / "facts.ndjson").read_text().splitlines()]
    assert result.stdout == ""
    assert {one.stem for one in (tmp_path / "out").iterdir()} == {fact["record"] for fact in facts}


def test_a_folder_is_walked_and_every_file_in_it_counted(tmp_path: Path) -> None:
    inner = tmp_path / "in" / "deeper"
    inner.mkdir(parents=True)
    a_file(tmp_path / "in", "a.csv", HEADER + ROW.format(1))
    a_file(inner, "b.csv", HEADER + ROW.format(2))
    a_file(inner, "notes.txt", "hello")
    a_file(inner, ".hidden", "hello")

    assert last_line(run(tmp_path / "in")) == "converted=2 quarantined=1 duplicates=0 skipped=0"


def test_rows_of_a_key_that_stand_apart_in_a_large_file_are_found_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.conversion.SMALL_FILE", 0)
    rows = "".join(ROW.format(n) for n in range(6000))

    result = run(a_file(tmp_path, "a.csv", HEADER + rows + rows))

    assert last_line(result) == "converted=6000 quarantined=0 duplicates=0 skipped=0"


def test_the_real_toronto_rows_count_as_they_should(tmp_path: Path) -> None:
    path = shared_data("sources", "toronto", "pic_calls_excerpt.csv")
    with path.open(newline="") as file:
        apprehended = sum(row["apprehension_made"] == "Yes" for row in csv.DictReader(file))

    result = run(path, "--facts", tmp_path / "facts.ndjson")

    facts = [json.loads(line) for line in (tmp_path / "facts.ndjson").read_text().splitlines()]
    observed = result.stdout.count('"code":"mental-health-apprehension"')
    assert last_line(result) == "converted=2500 quarantined=0 duplicates=0 skipped=0"
    assert sum(fact["apprehension"] is True for fact in facts) == apprehended == observed
    assert "Patient" not in {entry["resource"]["resourceType"] for one in bundles(result) for entry in one["entry"]}


def test_the_file_of_2023_has_no_column_for_the_apprehension(tmp_path: Path) -> None:
    result = run(shared_data("sources", "toronto", "pic_calls_2023_excerpt.csv"), "--facts", tmp_path / "facts.ndjson")

    facts = [json.loads(line) for line in (tmp_path / "facts.ndjson").read_text().splitlines()]
    assert {fact["apprehension"] for fact in facts} == {"not available"}
    assert last_line(result) == "converted=500 quarantined=0 duplicates=0 skipped=0"


@pytest.mark.parametrize("folder", ["nibrs", "niem"])
def test_messages_without_an_encounter_are_skipped_with_the_reason_never_quarantined(folder: str) -> None:
    files = [path for path in shared_data("sources", folder).iterdir() if path.suffix in (".xml", ".json")]

    result = run(*sorted(files))

    assert result.exit_code == 0
    assert last_line(result) == f"converted=0 quarantined=0 duplicates=0 skipped={len(files)}"
    assert result.stderr.count(": skipped: ") == len(files)


def test_the_bench_compares_like_with_like() -> None:
    ours, floor = bench.draft().bundle, bench.floor()

    assert [_kind(entry) for entry in ours["entry"]] == [_kind(entry) for entry in floor["entry"]]
    assert len(json.dumps(floor)) == pytest.approx(len(json.dumps(ours)), rel=0.05)


def _kind(entry: dict[str, Any]) -> str:
    kind: str = entry["resource"]["resourceType"]
    return kind
