"""Every example pair of every pack; a new example needs no new test code."""

from pathlib import Path

import pytest

from gateway.catalog.mappings import examples, pack_paths, read_mapping
from gateway.cli.pack_examples import differences, record_example

SOURCES = [(name, source) for name, folder in pack_paths().items() for source, _ in examples(folder)]


@pytest.mark.parametrize(("pack", "source"), SOURCES, ids=[f"{pack}/{one.name}" for pack, one in SOURCES])
def test_an_example_becomes_what_is_written_beside_it(pack: str, source: Path) -> None:
    assert list(differences(record_example(read_mapping(pack_paths()[pack]), source))) == []


@pytest.mark.parametrize("pack", pack_paths())
def test_a_pack_shows_its_quirks_in_at_least_six_examples(pack: str) -> None:
    assert len(list(examples(pack_paths()[pack]))) >= 6
