"""Every consent case told in prose has a test that proves it, and that test exists."""

import ast
import csv
import json
from functools import cache
from pathlib import Path

import pytest

from tests.rules.part2.prose_cases import NOT_YET, PROVEN_BY
from tests.support.shared_data import shared_data

_REPOSITORY = Path(__file__).resolve().parents[3]


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests of a file as pytest names them below it: `test_x`, `TestClass::test_x`."""
    found = set()
    for node in ast.parse((_REPOSITORY / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


@pytest.mark.parametrize(("case", "test"), [(case, test) for case, tests in PROVEN_BY.items() for test in tests])
def test_the_test_that_proves_a_case_exists(case: str, test: str) -> None:
    file, _, name = test.partition("::")

    assert name in names_in(file), f"{case}: {test} is not there any more"


def test_every_case_in_prose_is_proven_by_a_test() -> None:
    with shared_data("consent-cases.csv").open(encoding="utf-8", newline="") as file:
        told = {row["id"] for row in csv.DictReader(file)}
    lines = shared_data("consent-cases.ndjson").read_text(encoding="utf-8").splitlines()
    executable = {json.loads(line)["id"].partition(".")[0] for line in lines if line.strip()}

    assert told - executable - set(PROVEN_BY) == NOT_YET


def test_nothing_is_both_proven_and_still_to_come() -> None:
    assert not NOT_YET & set(PROVEN_BY)
