"""What a Provenance says of its targets: written, or come into somebody's hands."""

import pytest

from gateway.model.provenance import activity_of, is_hop


def a_provenance(*codes: str) -> dict[str, object]:
    return {"resourceType": "Provenance", "activity": {"coding": [{"code": code} for code in codes]}}


@pytest.mark.parametrize(("codes", "found"), [(("receive",), True), (("originate",), False), ((), False)])
def test_what_was_received_has_changed_hands(codes: tuple[str, ...], found: bool) -> None:
    assert is_hop(a_provenance(*codes)) is found


def test_the_first_code_of_the_activity_counts() -> None:
    assert activity_of(a_provenance("transform", "receive")) == "transform"


@pytest.mark.parametrize("without", [{}, {"activity": None}, {"activity": {"text": "received"}}])
def test_an_activity_without_a_code_says_nothing(without: dict[str, object]) -> None:
    assert activity_of({"resourceType": "Provenance", **without}) is None


def test_a_plan_that_lists_activities_is_none() -> None:
    assert not is_hop({"resourceType": "CarePlan", "activity": [{"detail": {"code": "receive"}}]})
