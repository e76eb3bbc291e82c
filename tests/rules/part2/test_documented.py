"""The pages of docs/part2 say what the tests prove, no more and no less."""

import pytest

from tests.rules.part2.document import PAGES, pages, sentence


def test_every_page_is_as_its_tests_make_it() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}

    assert kept == pages(), "run: python -m tests.rules.part2.document"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("another_persons_item_stays_here", "Another person's item stays here"),
        ("somebody_elses_yes_is_none", "Somebody else's yes is none"),
        ("what_programs_of_part_2_wrote", "What programs of Part 2 wrote"),
        ("it_is_the_patients_alone", "It is the patient's alone"),
        ("the_form_for_treatment_payment_and_operations", "The form for treatment, payment and operations"),
        ("the_form_of_2_35", "The form of 2.35"),
    ],
)
def test_the_name_of_a_test_becomes_a_sentence(name: str, written: str) -> None:
    assert sentence(name) == written
