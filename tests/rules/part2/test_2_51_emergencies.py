"""42 CFR 2.51: to medical personnel, when consent cannot be had, with four facts written down."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_consent,
    a_restriction,
    answer,
    ask,
    disclosed,
    recipient,
    written_by,
)

Json = dict[str, Any]

CASE: Json = {"purpose": ["ETREAT"], "role": "physician", "basis": EMERGENCY}


def test_it_opens_the_record_and_says_what_to_write_down() -> None:
    record = ask(**CASE).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_EMERGENCY")
    assert set(record.obligations) == {"AUDIT", "EMERGENCY_DOC", "LABEL", "PROCEEDINGS_BAR"}
    assert record.basis is not None
    assert record.basis.type == "emergency"


def test_it_opens_no_counseling_notes() -> None:
    note = a_condition("note", meta={"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]})
    record = ask(records=(a_condition(), note, written_by("aspen", a_condition(), note)), **CASE).record

    assert (record.decision, record.reason) == ("PERMIT_REDACTED", "NOTES_NO_SPECIFIC")
    assert record.withheld == ("Condition/note",)


@pytest.mark.parametrize("fact", ["recipient_name", "recipient_affiliation", "disclosed_by", "time", "nature"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_fact_is_asked_for(fact: str, value: str | None) -> None:
    assert answer(**{**CASE, "basis": {**EMERGENCY, fact: value}}) == ("DENY", "EMERGENCY_UNDOCUMENTED")


@pytest.mark.parametrize("obtainable", [True, None])
def test_a_person_who_can_be_asked_is_asked(obtainable: bool | None) -> None:
    basis = {**EMERGENCY, "consent_obtainable": obtainable}

    assert answer(**{**CASE, "basis": basis}) == ("DENY", "EMERGENCY_CONSENT_OBTAINABLE")


@pytest.mark.parametrize(
    ("disaster", "decision"),
    [
        ({"declaration": "WA-1", "program_closed": True}, "PERMIT"),
        ({"declaration": "WA-1", "program_closed": False}, "DENY"),
        ({"program_closed": True}, "DENY"),
    ],
)
def test_a_declared_disaster_that_closed_the_program_counts_too(disaster: Json, decision: str) -> None:
    basis = {**EMERGENCY, "consent_obtainable": None, "disaster": disaster}

    assert answer(**{**CASE, "basis": basis})[0] == decision


@pytest.mark.parametrize("role", ["officer", "detective", "navigator", "case_worker", "billing"])
def test_only_medical_personnel(role: str) -> None:
    assert answer(**{**CASE, "role": role}) == ("DENY", "EMERGENCY_NOT_MEDICAL_PERSONNEL")


def test_a_paramedic_is_and_a_police_officer_is_not() -> None:
    assert answer(**CASE, recipient="org:squad")[1] == "OK_EMERGENCY"
    assert answer(**{**CASE, "role": "paramedic"}, recipient="org:police")[1] == "EMERGENCY_NOT_MEDICAL_PERSONNEL"


def test_it_passes_through_nobody_who_does_not_treat() -> None:
    assert answer(**CASE, via=["org:squad"])[1] == "OK_EMERGENCY"
    assert answer(**CASE, via=["org:police"]) == ("DENY", "RECIPIENT_NOT_NAMED")
    assert answer(**CASE, via=["org:broker"]) == ("DENY", "RECIPIENT_NOT_NAMED")


def test_no_emergency_has_happened_later_than_now() -> None:
    assert answer(**{**CASE, "basis": {**EMERGENCY, "time": "2026-11-02T17:00:00Z"}})[1] == "OK_EMERGENCY"
    assert answer(**{**CASE, "basis": {**EMERGENCY, "time": "2026-11-03T18:00:00Z"}})[1] == "EMERGENCY_UNDOCUMENTED"


@pytest.mark.parametrize(
    ("time", "switches", "reason"),
    [
        ("2026-11-01T18:00:00Z", {}, "OK_EMERGENCY"),
        ("2026-11-01T17:59:59Z", {}, "EMERGENCY_OVER"),
        ("2019-11-02T18:00:00Z", {}, "EMERGENCY_OVER"),
        ("2026-10-31T18:00:00Z", {"emergency_hours": 48}, "OK_EMERGENCY"),
        ("2026-11-02T17:59:59Z", {"emergency_hours": 0}, "EMERGENCY_OVER"),
    ],
)
def test_an_emergency_of_long_ago_is_none(time: str, switches: Json, reason: str) -> None:
    """That consent cannot be had (2.51(a)(1)) is a statement about now; a site says how many hours that is."""
    assert answer(**{**CASE, "basis": {**EMERGENCY, "time": time}}, switches=switches)[1] == reason


def test_a_disaster_needs_facts_of_now_too() -> None:
    basis = {**EMERGENCY, "time": "2026-10-31T18:00:00Z", "disaster": {"declaration": "WA-1", "program_closed": True}}

    assert answer(**{**CASE, "basis": basis}) == ("DENY", "EMERGENCY_OVER")


def test_no_paper_stands_in_its_way() -> None:
    unreadable = a_consent(implicitRules="https://elsewhere.example")
    refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("mercy")]})

    assert answer(unreadable, refusal, **CASE) == ("PERMIT", "OK_EMERGENCY")


def test_it_opens_nothing_but_treatment() -> None:
    assert answer(**{**CASE, "purpose": ["HLEGAL"]}) == ("DENY", "NO_CONSENT")


def test_against_a_restriction_it_asks_for_no_further_use() -> None:
    record = ask(facts=[a_restriction("mercy")], **CASE).record

    assert record.decision == "PERMIT"
    assert "ASK_NO_FURTHER_USE" in record.obligations


def test_an_emergency_purpose_under_a_treatment_consent_needs_no_such_basis() -> None:
    record = ask(a_consent(), purpose=["ETREAT"]).record

    assert record.reason == "OK_CONSENT"
    assert "EMERGENCY_DOC" not in record.obligations


def test_the_request_for_no_further_use_travels_with_the_records() -> None:
    asked = {one["resource"]["id"] for one in disclosed(facts=[a_restriction("mercy")], **CASE).content["entry"]}
    not_asked = {one["resource"]["id"] for one in disclosed(**CASE).content["entry"]}

    assert asked - not_asked == {"part2-no-further-use"}
