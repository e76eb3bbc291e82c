"""`gateway validate` on real files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.unit.validation import examples

WH_TASK = "https://warmhandoff.example/fhir/StructureDefinition/wh-task"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


def _write(path: Path, *resources: Any) -> Path:
    path.write_text("\n".join(json.dumps(resource) for resource in resources), encoding="utf-8")
    return path


def _rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_sound_bundle_exits_0_and_sums_up_on_stderr(tmp_path: Path) -> None:
    file = _write(tmp_path / "bundle.json", examples.bundle())

    result = _run(file, "--profile", "handoff")

    assert result.exit_code == 0
    assert result.stderr == "resources=1 errors=0 warnings=2\n"


def test_every_problem_is_one_line_with_place_severity_path_and_rule(tmp_path: Path) -> None:
    resource = examples.patient() | {"gender": "femme", "nickname": "A"}
    file = _write(tmp_path / "patient.json", resource)

    result = _run(file)

    assert result.exit_code == 1
    assert f"{file}:1: error Patient.gender [binding-required] " in result.stdout
    assert f"{file}:1: error Patient.nickname [unknown-element] " in result.stdout


def test_warnings_of_one_kind_are_told_once_with_their_number_and_each_in_json(tmp_path: Path) -> None:
    file = _write(tmp_path / "goals.ndjson", *[examples.goal()] * 3)

    told = _run(file).stdout.splitlines()
    each = _rows(_run(file, "--json"))

    assert [line for line in told if "[dom-6]" in line] == [
        f"{file}:1: information Goal [dom-6] expected this to hold, found that it does not: text.`div`.exists()"
        " (and 2 like it)"
    ]
    assert [row["line"] for row in each if row["rule"] == "dom-6"] == [1, 2, 3]


def test_ndjson_is_checked_line_by_line(tmp_path: Path) -> None:
    bad = examples.goal() | {"lifecycleStatus": "wished"}
    file = _write(tmp_path / "goals.ndjson", examples.goal(), bad)

    result = _run(file, "--json")

    errors = [row for row in _rows(result) if row["severity"] == "error"]
    assert [(row["file"], row["line"], row["location"], row["rule"]) for row in errors] == [
        (str(file), 2, "Goal.lifecycleStatus", "binding-required")
    ]
    assert result.stderr.startswith("resources=2 errors=1 ")


@pytest.mark.parametrize("profile", [WH_TASK, "wh-task", "handoff"])
def test_a_profile_is_asked_of_its_type_inside_a_bundle_too(tmp_path: Path, profile: str) -> None:
    bundle = examples.bundle()
    task = next(entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Task")
    task["resource"]["status"] = "rejected"
    file = _write(tmp_path / "bundle.json", bundle)

    assert _run(file).exit_code == 0
    result = _run(file, "--profile", profile, "--json")

    assert [row["rule"] for row in _rows(result) if row["severity"] == "error"] == ["wh-task-1"]


def test_a_resource_of_another_type_than_the_profile_is_told(tmp_path: Path) -> None:
    file = _write(tmp_path / "goal.json", examples.goal())

    result = _run(file, "--profile", WH_TASK, "--json")

    assert [row["rule"] for row in _rows(result) if row["severity"] == "error"] == ["profile-type"]


def test_a_user_package_brings_its_profiles(tmp_path: Path) -> None:
    url = "https://x.example/StructureDefinition/named-goal"
    profile = {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": "Goal",
        "kind": "resource",
        "derivation": "constraint",
        "snapshot": {
            "element": [
                {"id": "Goal", "path": "Goal", "max": "*"},
                {"id": "Goal.id", "path": "Goal.id", "min": 1, "max": "1", "type": [{"code": "id"}]},
            ]
        },
    }
    package = tmp_path / "packages" / "x.example" / "package"
    package.mkdir(parents=True)
    _write(package / "StructureDefinition-named-goal.json", profile)
    file = _write(tmp_path / "goal.json", {"resourceType": "Goal"})

    result = _run(file, "--packages", tmp_path / "packages", "--profile", url, "--json")

    assert [row["location"] for row in _rows(result) if row["rule"] == "min"] == ["Goal.id"]


def test_a_profile_without_snapshot_is_wrong_use(tmp_path: Path) -> None:
    url = "https://x.example/StructureDefinition/bare"
    bare = {"resourceType": "StructureDefinition", "url": url, "type": "Goal", "kind": "resource"}
    (tmp_path / "packages" / "x").mkdir(parents=True)
    _write(tmp_path / "packages" / "x" / "bare.json", bare)
    file = _write(tmp_path / "goal.json", examples.goal())

    result = _run(file, "--packages", tmp_path / "packages", "--profile", url)

    assert result.exit_code == 2
    assert "add a snapshot" in result.stderr


def test_what_is_no_sound_json_is_told_with_its_rule(tmp_path: Path) -> None:
    twice, deep = tmp_path / "twice.json", tmp_path / "deep.json"
    twice.write_text('{"resourceType": "Goal", "id": "a", "id": "b"}', encoding="utf-8")
    deep.write_text("[" * 61 + "]" * 61, encoding="utf-8")

    result = _run(twice, deep, "--json")

    assert [row["rule"] for row in _rows(result)] == ["duplicate-key", "depth-limit"]
    assert result.exit_code == 1


def test_what_the_checker_takes_the_models_look_at_too(tmp_path: Path) -> None:
    file = _write(tmp_path / "measure.json", {"resourceType": "Evidence", "status": "active", "nonsense": 1})

    result = _run(file, "--json")

    assert [(row["rule"], row["severity"]) for row in _rows(result)][:2] == [
        ("type-unchecked", "warning"),
        ("r4b", "error"),
    ]


@pytest.mark.parametrize("arguments", [[], ["nowhere.json"], ["--profile", "wh-nothing", __file__]])
def test_wrong_use_exits_2(arguments: list[str]) -> None:
    assert _run(*arguments).exit_code == 2


def test_a_message_of_hl7v2_is_held_against_its_own_standard(tmp_path: Path) -> None:
    file = tmp_path / "batch.hl7"
    header = b"MSH|^~\\&|EHR|H|W|G|20261102||ADT^A01^ADT_A01|C1|P|2.5.1\rEVN||20261102\r"
    file.write_bytes(header + b"PID|1||M-1||Sample\rPV1|1|E\r" + header + b"PID|1||||Sample\rPV1|1|E\r")

    result = _run(file)

    assert result.exit_code == 1
    assert result.stdout == f"{file}:message 2: error PID-3 [field-required] Patient identifier list is required\n"
    assert result.stderr == "resources=0 messages=2 errors=1 warnings=0\n"


def test_findings_of_a_message_say_which_one_in_json(tmp_path: Path) -> None:
    file = tmp_path / "one.hl7"
    file.write_bytes(b"MSH|^^~\\&|x\r")

    [row] = _rows(_run(file, "--json"))

    assert (row["number"], row["severity"], row["location"], row["rule"]) == (1, "error", "MSH-2", "unreadable-102")
