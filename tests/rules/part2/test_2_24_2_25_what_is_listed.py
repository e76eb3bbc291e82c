"""42 CFR 2.24, 2.25: which decisions owe a row in the accounting of disclosures, and one in an intermediary's list."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    a_class,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    agreed,
    an_open_visit,
    ask,
    recipient,
    written_by,
)

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")


def through_relay(*classes: str) -> Json:
    groups, actors = zip(*map(a_class, classes), strict=True)
    inside = {**a_permit(), "actor": list(actors)}
    return a_consent(a_permit(actor=[recipient("relay")], provision=[inside]), contained=list(groups))


@pytest.mark.parametrize("paper", [a_consent(), a_tpo_consent()])
def test_every_disclosure_with_consent_stands_in_the_accounting(paper: Json) -> None:
    assert "ACCOUNT" in ask(paper, facts=[an_open_visit("mercy")]).record.obligations


@pytest.mark.parametrize(
    "case",
    [
        {"basis": EMERGENCY, "purpose": ["ETREAT"]},
        {"recipient": "org:aspen"},
        {"records": [FLU, written_by("quarry", FLU)]},
        {
            "recipient": "org:auditors",
            "purpose": ["HCOMPL"],
            "basis": {"type": "audit", "agreement": "a1"},
            "registry": agreed("auditors", "audit"),
        },
    ],
)
def test_what_goes_without_consent_owes_no_row(case: Json) -> None:
    """2.25(a). Of it, what 45 CFR 164.528 counts is told beside, as the other part (docs/accounting.md)."""
    record = ask(**case).record

    assert record.decision == "PERMIT"
    assert "ACCOUNT" not in record.obligations


def test_a_refusal_is_in_the_audit_trail_only() -> None:
    assert ask().record.obligations == ("AUDIT",)


def test_what_passes_through_an_intermediary_under_a_class_stands_in_its_list() -> None:
    record = ask(
        through_relay("treating-participants"), by="org:relay", via=["org:relay"], facts=[an_open_visit("mercy")]
    ).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_INTERMEDIARY")
    assert "INTERMEDIARY_LOG" in record.obligations


def test_what_goes_through_it_to_somebody_named_does_not() -> None:
    named = a_consent(a_permit("relay", provision=[a_permit("mercy")]))

    assert "INTERMEDIARY_LOG" not in ask(named, by="org:relay", via=["org:relay"]).record.obligations
