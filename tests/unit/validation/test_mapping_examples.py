"""What the mapping packs say they emit is held against our profiles, example by example."""

import json
from pathlib import Path

import pytest

from gateway.catalog import shipped
from gateway.validation import Checker

EXAMPLES = sorted(shipped("mappings").glob("*/examples/*.out.ndjson"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]} {path.name.partition('.')[0]}")
def test_every_example_of_a_mapping_pack_meets_our_profiles(path: Path, checker: Checker) -> None:
    bundles = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    errors = [finding for bundle in bundles for finding in checker.check(bundle).errors]

    assert errors == []
