"""`gateway consent decide` and `gateway redact`: what scripts rely on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from gateway.cli.consent import consent, redact
from tests.support.part2_world import (
    ASPEN_RECORDS,
    PARTNERS,
    T0,
    a_consent,
    a_patient,
    a_request,
    bundle,
    disclosed,
)

Json = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "partners").mkdir()
    for entry in PARTNERS:
        name = entry["id"].removeprefix("org:")
        (tmp_path / "partners" / f"{name}.yaml").write_text(yaml.safe_dump(entry), encoding="utf-8")
    return tmp_path


def files(folder: Path, *consents: Json) -> list[str]:
    written = {
        "request": a_request(),
        "consents": bundle(*consents),
        "records": bundle(*ASPEN_RECORDS),
        "facts": [a_patient()],
    }
    options = ["--config", str(folder), "--at", T0]
    for name, content in written.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        options += [f"--{name}", str(path)]
    return options


def run(command: Any, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_decide_prints_the_record_and_exits_0_on_a_permit(folder: Path) -> None:
    result = run(consent, "decide", *files(folder, a_consent()))

    record = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (record["decision"], record["reason"], record["at"]) == ("PERMIT", "OK_CONSENT", T0)
    assert list(record) == [
        "decision",
        "reason",
        "section",
        "obligations",
        "basis",
        "withheld",
        "policy_version",
        "at",
        "input_hash",
    ]


def test_decide_exits_1_on_a_refusal(folder: Path) -> None:
    result = run(consent, "decide", *files(folder))

    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (1, "NO_CONSENT")


def test_redact_prints_what_would_leave_byte_for_byte(folder: Path) -> None:
    result = run(redact, *files(folder, a_consent()))

    assert result.exit_code == 0
    assert result.stdout_bytes == disclosed(a_consent()).body


def test_redact_prints_nothing_on_a_refusal_and_says_why_on_stderr(folder: Path) -> None:
    result = run(redact, *files(folder))

    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr == "gateway redact: DENY NO_CONSENT: nothing may leave (42 CFR 2.31; 2.33)\n"


def a_case(**parts: Any) -> Json:
    return {
        "at": T0,
        "request": a_request(),
        "consents": bundle(a_consent()),
        "records": bundle(*ASPEN_RECORDS),
        "facts": [a_patient()],
        **parts,
    }


def answers(folder: Path, *lines: bytes) -> tuple[list[str], Result]:
    """Return the reason of each answer to a file of cases."""
    path = folder / "cases.ndjson"
    path.write_bytes(b"\n".join(lines))
    result = run(consent, "decide", "--cases", str(path), "--config", str(folder))
    return [json.loads(line)["reason"] for line in result.stdout.splitlines()], result


def test_cases_are_answered_in_order_and_an_unreadable_one_stops_none(folder: Path) -> None:
    case = a_case()
    lines = [
        json.dumps({"id": "good", **case}),
        json.dumps({"id": "odd", **case, "at": "yesterday"}),
        "{ no json",
        json.dumps({"id": "last", **case, "consents": bundle()}),
    ]
    path = folder / "cases.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")

    result = run(consent, "decide", "--cases", str(path), "--config", str(folder))

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [(one["id"], one["reason"]) for one in records] == [
        ("good", "OK_CONSENT"),
        ("odd", "UNPARSEABLE"),
        (None, "UNPARSEABLE"),
        ("last", "NO_CONSENT"),
    ]
    assert {one["decision"] for one in records if one["reason"] == "UNPARSEABLE"} == {"DENY"}
    assert [line.partition(": cannot be read")[0] for line in result.stderr.splitlines()] == [
        f"{path}:2: case odd", f"{path}:3: case None",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("request", []),
        ("records", {"resourceType": "Condition"}),
        ("consents", {**a_consent(), "provision": {"type": "deny"}}),
        ("consents", {}),
        ("facts", {}),
        ("organizations", {}),
        ("switches", []),
        ("at", 20261102),
    ],
)
def test_a_part_of_another_kind_makes_a_case_unreadable(folder: Path, part: str, wrong: Any) -> None:
    reasons, result = answers(folder, json.dumps(a_case(id="odd", **{part: wrong})).encode())

    assert (reasons, result.exit_code) == (["UNPARSEABLE"], 1)
    assert f"case odd: cannot be read: {part}: expected" in result.stderr or part == "at"


def test_a_key_that_stands_twice_makes_a_case_unreadable(folder: Path) -> None:
    """Of two programs one would read the first of them: the refusal that stands there must not be lost."""
    twice = json.dumps(a_case()).replace('"status": "active"', '"status": "inactive", "status": "active"').encode()

    reasons, result = answers(folder, twice)

    assert (reasons, result.exit_code) == (["UNPARSEABLE"], 1)
    assert "each key of an object once" in result.stderr


def test_a_byte_order_mark_and_windows_line_ends_change_no_answer(folder: Path) -> None:
    line = json.dumps(a_case()).encode()

    reasons, result = answers(folder, b"\xef\xbb\xbf" + line + b"\r", b"\r", line + b"\r", b"")

    assert (reasons, result.exit_code) == (["OK_CONSENT", "OK_CONSENT"], 0)


def test_files_with_a_byte_order_mark_are_read(folder: Path) -> None:
    options = files(folder, a_consent())
    (folder / "request.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(a_request()).encode())

    assert run(consent, "decide", *options).exit_code == 0


def test_switches_of_gateway_toml_count(folder: Path) -> None:
    (folder / "gateway.toml").write_text('[switches]\nnotice = "some text of 2018"\n', encoding="utf-8")

    result = run(consent, "decide", *files(folder, a_consent()))

    assert json.loads(result.stdout)["reason"] == "NOTICE_UNATTACHABLE"


def test_wrong_use_exits_2(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    assert run(consent, "decide", "--config", str(folder)).exit_code == 2
    assert run(consent, "decide", *files(folder), "--at", "noon").exit_code == 2
    assert run(consent, "decide", *files(folder), "--cases", str(folder / "request.json")).exit_code == 2
    assert run(consent, "decide", *files(folder), "--config", str(empty)).exit_code == 2


def test_a_file_that_is_no_json_is_named_with_its_line(folder: Path) -> None:
    options = files(folder)
    (folder / "records.json").write_text("{\n]", encoding="utf-8")

    result = run(consent, "decide", *options)

    assert result.exit_code == 2
    assert "records.json:2:" in result.stderr


def test_a_file_of_another_kind_is_named_by_its_part(folder: Path) -> None:
    options = files(folder)
    (folder / "consents.json").write_text(json.dumps(a_consent()), encoding="utf-8")

    result = run(consent, "decide", *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "gateway: the files cannot be read as a case: consents: expected a Bundle\n"
