"""What a label written in a consent speaks of."""

import pytest

from gateway.model.labels import (
    ACT_CODE,
    CONFIDENTIALITY,
    COUNSELING_NOTES,
    PART2,
    SUBSTANCE_USE,
    expand,
    foreign_to,
    high_water_mark,
)


@pytest.mark.parametrize("code", ["ETH", "SUD", "ETHUD", "OPIOIDUD", "DRGIS"])
def test_all_words_for_substance_use_are_one(code: str) -> None:
    assert expand((ACT_CODE, code)) == SUBSTANCE_USE


def test_behavioral_health_includes_substance_use() -> None:
    assert expand((ACT_CODE, "BH")) >= SUBSTANCE_USE | {(ACT_CODE, "BH"), (ACT_CODE, "MH")}


def test_a_code_of_another_system_speaks_of_itself() -> None:
    assert expand(("urn:x", "SUD")) == {("urn:x", "SUD")}


def test_the_highest_confidentiality_is_that_of_the_whole() -> None:
    assert high_water_mark({(CONFIDENTIALITY, "N"), (CONFIDENTIALITY, "V"), (CONFIDENTIALITY, "R")}) == "V"
    assert high_water_mark(set()) == "N"


def test_foreign_is_every_other_sensitivity_and_every_higher_level() -> None:
    foreign = set(foreign_to({PART2, (ACT_CODE, "SUD"), (CONFIDENTIALITY, "R")}))

    assert {(ACT_CODE, "HIV"), (CONFIDENTIALITY, "V"), COUNSELING_NOTES} <= foreign
    assert foreign.isdisjoint({PART2, (CONFIDENTIALITY, "R"), (CONFIDENTIALITY, "N"), *SUBSTANCE_USE})
    assert {PART2, *SUBSTANCE_USE} <= set(foreign_to({(CONFIDENTIALITY, "N")}))
