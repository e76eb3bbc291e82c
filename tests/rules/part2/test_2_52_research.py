"""42 CFR 2.52: research by a registered approval, for its protocol, and bound not to pass on."""

from typing import Any

import pytest

from tests.support.part2_world import agreed, answer, ask

Json = dict[str, Any]


CASE: Json = {"recipient": "org:campus", "purpose": ["HRESCH"], "basis": {"type": "research", "approval": "a1"}}
REFUSED = ("DENY", "RESEARCH_NO_APPROVAL")


def test_the_registered_approval_in_force_counts() -> None:
    assert answer(registry=agreed("campus", "research"), **CASE) == ("PERMIT", "OK_RESEARCH")


@pytest.mark.parametrize(
    "change", [{"to": "2026-11-01"}, {"from": "2026-11-03"}, {"with": "org:birch"}, {"id": "other"}]
)
def test_another_one_does_not(change: Json) -> None:
    assert answer(registry=agreed("campus", "research", **change), **CASE) == REFUSED


def test_none_is_no_approval() -> None:
    assert answer(**CASE) == REFUSED


def test_an_agreement_of_another_kind_is_none() -> None:
    assert answer(registry=agreed("campus", "audit"), **CASE) == REFUSED


def test_it_opens_its_own_protocol_only() -> None:
    registry = agreed("campus", "research", protocol="outcomes")
    basis = {"type": "research", "approval": "a1", "protocol": "marketing"}

    assert answer(registry=registry, **{**CASE, "basis": basis}) == REFUSED
    assert answer(registry=registry, **{**CASE, "basis": {**basis, "protocol": "outcomes"}})[0] == "PERMIT"


@pytest.mark.parametrize("purpose", ["TREAT", "HLEGAL", "HMARKT"])
def test_it_opens_research_only(purpose: str) -> None:
    assert answer(registry=agreed("campus", "research"), **{**CASE, "purpose": [purpose]}) == REFUSED


def test_it_binds_whoever_gets_it() -> None:
    obligations = ask(registry=agreed("campus", "research"), **CASE).record.obligations

    assert set(obligations) == {"AUDIT", "LABEL", "MIN", "NO_REDISCLOSE", "PROCEEDINGS_BAR"}
