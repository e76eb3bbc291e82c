"""A police record is no Part 2 record, and still goes nowhere without the person's agreement."""

from typing import Any

import pytest

from tests.support.part2_world import (
    a_condition,
    a_consent,
    purpose,
    recipient,
    stopped_before,
    taken_back,
)

Json = dict[str, Any]

STATED = ("sourceReference", "performer", *("revocation-right", "ce-redisclosure-statement"))


def spoken(**changes: Any) -> Json:
    """What a record states of a verbal yes: that it was given, and when. No paper, no element of 2.31."""
    return a_consent(provision={"type": "permit"}, without=STATED, organization=None, **changes)


def gate(*consents: Json, **case: Any) -> str | None:
    refusal = stopped_before(*consents, **case)
    return refusal.record.reason if refusal else None


def test_a_dated_yes_is_enough() -> None:
    assert gate(spoken()) is None
    assert gate(a_consent()) is None


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (None, "NO_CONSENT"),
        (spoken(status="draft"), "NO_CONSENT"),
        (spoken(dateTime=None), "NO_CONSENT"),
        (spoken(dateTime="2026-11-03T00:00:00Z"), "NO_CONSENT"),
        (a_consent(provision={"type": "deny"}), "EXPLICIT_DENY"),
        (spoken(implicitRules="https://elsewhere.example"), "UNPARSEABLE"),
    ],
)
def test_anything_else_is_not(consent: Json | None, reason: str) -> None:
    assert gate(*([consent] if consent else [])) == reason


def test_a_yes_taken_back_is_a_no() -> None:
    consent = spoken(status="inactive", extensions=[taken_back()])

    assert gate(consent) == "EXPLICIT_DENY"
    assert gate(consent, policy="Policy 7: crisis referrals") == "EXPLICIT_DENY"


def test_a_yes_to_somebody_else_or_something_else_is_none() -> None:
    to_quarry = spoken()
    to_quarry["provision"] = {"type": "permit", "actor": [recipient("quarry")]}
    for_payment = spoken()
    for_payment["provision"] = {"type": "permit", "purpose": [purpose("HPAYMT")]}

    assert gate(to_quarry) == "NO_CONSENT"
    assert gate(for_payment) == "NO_CONSENT"
    assert gate(to_quarry, recipient="org:quarry") is None


@pytest.mark.parametrize("period", [{"end": "2026-11-01"}, {"start": "2026-11-03"}])
def test_a_yes_counts_while_every_part_of_it_is_in_force(period: Json) -> None:
    inside = spoken()
    inside["provision"] = {"type": "deny", "provision": [{"type": "permit", "period": period}]}
    around = spoken()
    around["provision"] = {"type": "permit", "period": period}

    assert gate(inside) == "NO_CONSENT"
    assert gate(around) == "NO_CONSENT"


def test_a_policy_replaces_a_question_never_an_answer() -> None:
    assert gate(policy="Policy 7: crisis referrals") is None
    assert gate(a_consent(provision={"type": "deny"}), policy="Policy 7: crisis referrals") == "EXPLICIT_DENY"


def test_a_program_is_past_this_gate() -> None:
    assert gate(agency="org:aspen") is None


def test_an_agency_nobody_registered_is_not() -> None:
    assert gate(agency="org:nobody") == "NO_CONSENT"


def test_a_no_to_a_part_is_left_to_the_decision() -> None:
    part = a_consent(id="part", provision={"type": "deny", "class": [{"code": "Observation"}]})

    assert gate(spoken(), part) is None


def test_somebody_elses_yes_is_none() -> None:
    theirs = spoken(patient={"identifier": {"system": "urn:oid:2.999.7", "value": "other"}})

    assert gate(theirs) == "NO_CONSENT"


def test_the_record_names_what_was_asked_for() -> None:
    refusal = stopped_before(items=[a_condition()])

    assert refusal is not None
    assert (refusal.record.decision, refusal.record.withheld) == ("DENY", ("Condition/f1120",))
