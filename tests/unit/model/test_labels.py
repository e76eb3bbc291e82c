"""What a label written in a consent speaks of."""

import pytest

from gateway.model.labels import ACT_CODE, CONFIDENTIALITY, SUBSTANCE_USE, expand, high_water_mark


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
