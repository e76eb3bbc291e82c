"""The engine before an independent reading of the law: the written cases, and random worlds.

`ORACLE_EXAMPLES` sets how many worlds are compared and `ORACLE_SEED` which (docs/proofs.md). The suite always draws the
same ones, so that no build fails by luck.
"""

import ast
import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import yaml

from tests.oracle.comparison import difference
from tests.oracle.reading import Json, NotJudged
from tests.oracle.shapes import in_other_shapes, signed_on_a_day
from tests.oracle.verdict import judge
from tests.oracle.worlds import ORDINARY, a_world
from tests.support.part2_world import PARTNERS
from tests.support.shared_data import shared_data

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "800"))
SEED = os.environ.get("ORACLE_SEED", "one")
BATCHES = 4


def _compared(worlds: list[Json], entries: list[Json], rewritten: bool = False) -> tuple[int, list[str]]:
    """Return how many worlds the oracle judges, and every difference with its number."""
    judged, found = 0, []
    for number, world in enumerate(worlds):
        try:
            differs = difference(world, entries, in_other_shapes(world, Random(number)) if rewritten else None)
        except NotJudged:
            continue
        judged += 1
        if differs:
            found.append(f"world {number}: {differs}")
    return judged, found


@pytest.mark.parametrize("number", range(len(ORDINARY)))
def test_they_agree_on_what_is_ordinary(number: int) -> None:
    assert difference(ORDINARY[number], PARTNERS) is None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_they_agree_on_random_worlds(batch: int) -> None:
    worlds = [a_world(f"{SEED}-{number}") for number in range(batch, EXAMPLES, BATCHES)]

    judged, found = _compared(worlds, PARTNERS)

    assert found == []
    assert judged > 0.9 * len(worlds)


def test_they_agree_on_consents_as_other_systems_write_them() -> None:
    worlds = [signed_on_a_day(a_world(f"{SEED}-{number}")) for number in range(EXAMPLES // 4)]

    judged, found = _compared(worlds, PARTNERS, rewritten=True)

    assert found == []
    assert judged > 0.9 * len(worlds)


def test_the_worlds_come_to_every_kind_of_end() -> None:
    ends: Counter[str] = Counter()
    for number in range(400):
        with suppress(NotJudged):
            ends[judge(a_world(f"ends-{number}"), PARTNERS).decision] += 1

    assert {end for end, times in ends.items() if times >= 10} == {"PERMIT", "PERMIT_REDACTED", "DENY", "HOLD"}


def _written_down() -> tuple[list[Json], list[Json], list[Json]]:
    """Return the written cases, the partners and the consents of their world."""
    files = sorted(shared_data("world", "partners").glob("*.yaml"))
    entries = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    lines = shared_data("consent-cases.ndjson").read_text(encoding="utf-8").splitlines()
    papers = json.loads(shared_data("world", "resources", "consents.json").read_text(encoding="utf-8"))
    resources = [one["resource"] for one in papers["entry"]]
    return [json.loads(line) for line in lines], entries, [one for one in resources if one["resourceType"] == "Consent"]


def test_they_agree_on_small_changes_of_what_is_written_down() -> None:
    cases, entries, drawer = _written_down()
    short = [case for case in cases if len(case["consents"].get("entry", [])) < 20]
    everybody = [one for entry in entries for one in (entry, *entry.get("units", []))]
    parties = [(one["id"], {"type": "Organization", "identifier": one["identifiers"][0]}) for one in everybody]
    worlds = [a_world(f"{SEED}-{number}", short, parties, drawer) for number in range(EXAMPLES // 2)]

    judged, found = _compared(worlds, entries)

    assert found == []
    assert judged > 0.9 * len(worlds)


def test_it_agrees_with_the_cases_that_are_written_down() -> None:
    cases, entries, _ = _written_down()
    wrong = []

    for case in cases:
        expected = case["expected"]
        verdict = judge(case, entries)
        withheld = frozenset(expected.get("withheld", verdict.withheld))
        owed, absent = set(expected.get("obligations", ())), set(expected.get("obligations_absent") or ())
        if (
            verdict.decision != expected["decision"]
            or expected["reason"] not in (verdict.reasons or {expected["reason"]})
            or verdict.withheld != withheld
            or verdict.obligations & absent
            or verdict.absent & owed
        ):
            wrong.append((case["id"], verdict))

    assert wrong == []


def test_it_shares_no_code_with_what_it_judges() -> None:
    meeting_places = {"comparison.py", "test_oracle.py"}
    makers = {"worlds.py", "scene.py", "changed_facts.py", "changed_papers.py", "changed_requests.py"}
    imported = {}

    for file in Path(__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        ours = [one for one in modules if one.split(".")[0] in ("gateway", "tests") and "tests.oracle" not in one]
        if ours and file.name not in meeting_places | makers:
            imported[file.name] = ours

    assert imported == {}
