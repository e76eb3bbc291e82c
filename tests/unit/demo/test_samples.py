import re
from collections import Counter

import pytest

from gateway.demo.samples import people, rms
from gateway.demo.samples.files import FILES, FOLDER
from gateway.demo.samples.people import Invented
from gateway.demo.samples.sample import SampleFile


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_shipped_file_is_what_its_builder_writes(file: SampleFile) -> None:
    """Run `python -m gateway.demo.samples` after a change of a builder."""
    assert (FOLDER / file.name).read_bytes() == file.build()


def test_no_shipped_file_is_without_a_builder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file.name for file in FILES}


def test_story_has_sixty_records_of_five_programs_and_more() -> None:
    records = Counter(file.source for file in FILES for _ in range(sum(file.states.values())))

    assert sum(records.values()) >= 60
    assert len(records) == 6


def test_everybody_is_plainly_invented() -> None:
    everybody = [value for value in vars(people).values() if isinstance(value, Invented)]

    assert all(person.family.endswith("-Test") for person in everybody)
    assert all(re.fullmatch(r"(555-01\d\d)?", person.phone) for person in everybody)


def test_police_template_has_its_117_columns_and_its_padding() -> None:
    first = rms.first_export().decode().splitlines()[0].split(",")

    assert len(first) == 117
    assert b",    X," in rms.first_export()
    assert b"  134   " in rms.first_export()
