"""The whole of a decision: which recipients of copies get what the recipient gets, and what is refused as a whole."""

from typing import Any

import pytest

from gateway.model.decision import Permit, Refusal
from tests.support.part2_world import (
    PATIENT_REFERENCE,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    ask,
    labels,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]


def recipients(copies: list[str], *named: str, **case: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Send from the program; return who gets it, and what is withheld."""
    permit = ask(a_consent(a_permit("mercy", *named)), by="org:aspen", copies=copies, **case)
    assert isinstance(permit, Permit), permit.record
    return permit.recipients, permit.record.withheld


class TestCopies:
    def test_go_to_those_who_may_have_all_the_recipient_has(self) -> None:
        assert recipients(["org:plan"], "plan") == (("org:mercy", "org:plan"), ())
        assert recipients(["org:plan", "org:minds"], "plan", "minds") == (("org:mercy", "org:plan", "org:minds"), ())

    def test_stay_here_for_those_who_may_not_and_the_others_get_theirs(self) -> None:
        assert recipients(["org:shelter", "org:plan"], "plan") == (("org:mercy", "org:plan"), ("org:shelter",))

    def test_go_to_who_acts_for_the_recipient_when_the_recipient_asks_and_to_nobody_else(self) -> None:
        ward = world(quarry={"parent": "org:mercy"})
        consent = a_consent(a_permit("mercy", "quarry", "plan"))

        own = ask(consent, copies=["org:quarry"], registry=ward)
        other = ask(consent, copies=["org:quarry", "org:plan"])

        assert isinstance(own, Permit)
        assert isinstance(other, Permit)
        assert own.recipients == ("org:mercy", "org:quarry")
        assert (other.recipients, other.record.reason) == (("org:mercy",), "IDENTITY_MISMATCH")

    def test_say_what_stands_in_the_consents_before_who_may_ask_for_them(self) -> None:
        record = ask(a_consent(a_permit("mercy")), copies=["org:plan"]).record

        assert (record.decision, record.reason, record.withheld) == (
            "PERMIT_REDACTED",
            "RECIPIENT_NOT_NAMED",
            ("org:plan",),
        )

    def test_to_the_person_need_an_address_that_is_the_persons(self) -> None:
        to_both = a_consent(a_permit(actor=[recipient("mercy"), {"reference": PATIENT_REFERENCE}]))

        assert ask(to_both, by="org:aspen", copies=["Patient/t1"]).record.reason == "ENDPOINT_UNVERIFIED"

    def test_there_are_none_where_nobody_asks_for_them(self) -> None:
        assert recipients([]) == (("org:mercy",), ())


def test_what_ends_the_whole_request_withholds_every_item() -> None:
    other = a_condition("other", "I10")
    records = [a_condition(), other, written_by("aspen", a_condition(), other)]

    refusal = ask(a_consent(), records=records, purpose=[])

    assert isinstance(refusal, Refusal)
    assert (refusal.record.decision, refusal.record.reason) == ("DENY", "PURPOSE_MISSING")
    assert refusal.record.withheld == ("Condition/f1120", "Condition/other")
    assert {one.outcome for one in refusal.verdicts} == {"DENY"}


@pytest.mark.parametrize(("items", "withheld"), [(["Condition/f1120"], 1), ([], 0), (["Condition/nobody"], 0)])
def test_only_what_was_asked_for_is_decided(items: list[str], withheld: int) -> None:
    other = a_condition("other", "I10")
    records = [a_condition(), other, written_by("aspen", a_condition(), other)]

    refusal = ask(records=records, items=items)

    assert isinstance(refusal, Refusal)
    assert refusal.record.reason == "NO_CONSENT"
    assert len(refusal.record.withheld) == withheld


def test_an_item_is_of_a_person_by_its_reference_where_its_number_is_nobodys() -> None:
    who = {"reference": "Patient/t1"}
    consent = a_consent(patient=who, performer=[who])
    numbered = a_condition(subject={**who, "identifier": {"system": "urn:x", "value": "9"}})
    records = [numbered, written_by("aspen", numbered)]

    def outcome(*others: Json) -> str:
        return ask(consent, records=records, facts=[a_patient(identifier=[]), *others]).record.reason

    assert outcome() == "OK_CONSENT"
    assert outcome(a_patient(id="t2", identifier=[{"system": "urn:x", "value": "9"}])) == "PATIENT_MISMATCH"


def test_a_document_and_a_record_alike_but_for_their_type_are_refused_each_in_its_way() -> None:
    refusal = a_consent(id="no", provision={"type": "deny", "securityLabel": labels("HIV")})
    security = {"security": labels("HIV")}
    record = a_condition("record", "I10", meta=security)
    scan = {"resourceType": "DocumentReference", "id": "scan", "subject": {"reference": "Patient/t1"}, "meta": security}

    found = ask(a_consent(), refusal, records=[record, scan, written_by("aspen", record, scan)]).verdicts

    assert {one.item: one.reason for one in found} == {
        "Condition/record": "EXPLICIT_DENY",
        "DocumentReference/scan": "UNSEGMENTABLE",
    }
