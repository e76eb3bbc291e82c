"""The executable consent cases kept beside the repository: each by the command that users run them with."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.consent import consent
from tests.support.shared_data import shared_data

Json = dict[str, Any]
KEYS = {"id", "decision", "reason", "section", "obligations", "basis", "withheld", "policy_version", "at", "input_hash"}


def _cases() -> list[Json]:
    try:
        path = shared_data("consent-cases.ndjson")
    except pytest.skip.Exception:
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def _answers() -> dict[str, Json]:
    path: Path = shared_data("consent-cases.ndjson")
    world: Path = shared_data("world")
    result = CliRunner().invoke(consent, ["decide", "--cases", str(path), "--config", str(world)])
    assert result.exit_code == 0, result.output
    return {record["id"]: record for record in map(json.loads, result.stdout.splitlines())}


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case['id']} {case['title']}")
def test_case_is_decided_as_the_rules_say(case: Json) -> None:
    expected = case["expected"]

    record = _answers()[case["id"]]

    assert (record["decision"], record["reason"]) == (expected["decision"], expected["reason"])
    assert set(expected.get("obligations", ())) <= set(record["obligations"])
    assert not set(expected.get("obligations_absent", ())) & set(record["obligations"])
    if expected.get("exact"):
        assert set(expected["obligations"]) == set(record["obligations"])
    if "withheld" in expected:
        assert set(record["withheld"]) == set(expected["withheld"])
    for key, value in (expected.get("basis") or {}).items():
        assert record["basis"][key] == value
    assert record["at"] == case["at"]
    assert KEYS <= set(record) <= KEYS | {"held"}


def test_every_case_is_answered_in_order() -> None:
    shared_data("consent-cases.ndjson")

    assert list(_answers()) == [case["id"] for case in _cases()]
