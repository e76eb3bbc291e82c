"""42 CFR 2.53: audit and evaluation under a written agreement with its undertakings."""

from typing import Any

import pytest

from tests.support.part2_world import agreed, answer, ask, world

Json = dict[str, Any]


CASE: Json = {"recipient": "org:auditors", "purpose": ["HCOMPL"], "basis": {"type": "audit", "agreement": "a1"}}
REFUSED = ("DENY", "AUDIT_NO_AGREEMENT")
UNDERTAKINGS = ["security", "return_or_destroy", "no_redisclosure", "no_use_against_patients"]


def test_the_registered_agreement_in_force_counts() -> None:
    assert answer(registry=agreed("auditors", "audit"), **CASE) == ("PERMIT", "OK_AUDIT")


@pytest.mark.parametrize(
    "change", [{"to": "2026-11-01"}, {"from": "2026-11-03"}, {"with": "org:birch"}, {"id": "other"}]
)
def test_another_one_does_not(change: Json) -> None:
    assert answer(registry=agreed("auditors", "audit", **change), **CASE) == REFUSED


def test_none_is_no_agreement() -> None:
    assert answer(**CASE) == REFUSED


@pytest.mark.parametrize("left_out", UNDERTAKINGS)
def test_each_undertaking_is_needed(left_out: str) -> None:
    some = [one for one in UNDERTAKINGS if one != left_out]

    assert answer(registry=agreed("auditors", "audit", undertakings=some), **CASE) == REFUSED
    assert answer(registry=agreed("auditors", "audit", undertakings=UNDERTAKINGS), **CASE)[0] == "PERMIT"


@pytest.mark.parametrize("via", ["org:broker", "org:quarry"])
def test_it_opens_nothing_for_those_on_the_way(via: str) -> None:
    assert answer(registry=agreed("auditors", "audit"), via=[via], **CASE) == ("DENY", "RECIPIENT_NOT_NAMED")


@pytest.mark.parametrize("purpose", ["HLEGAL", "TREAT", "HMARKT", "HRESCH", "PATRQT"])
def test_it_opens_nothing_else_than_payment_and_operations(purpose: str) -> None:
    assert answer(registry=agreed("auditors", "audit"), **{**CASE, "purpose": [purpose]}) == REFUSED
    assert answer(registry=agreed("auditors", "audit"), **{**CASE, "purpose": ["HCOMPL", purpose]}) == REFUSED


@pytest.mark.parametrize("roles", [["police"], ["auditor", "prosecutor"]])
def test_police_are_no_auditors(roles: list[str]) -> None:
    agreement = {"id": "a1", "type": "audit", "with": "org:aspen", "from": "2026-01-01"}

    assert answer(registry=world(auditors={"roles": roles, "agreements": [agreement]}), **CASE) == REFUSED
    assert answer(registry=agreed("auditors", "audit"), role="officer", **CASE) == REFUSED


def test_it_binds_whoever_gets_it() -> None:
    obligations = ask(registry=agreed("auditors", "audit"), **CASE).record.obligations

    assert set(obligations) == {"AUDIT", "LABEL", "MIN", "NO_REDISCLOSE", "PROCEEDINGS_BAR"}
