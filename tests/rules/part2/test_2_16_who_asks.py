"""42 CFR 2.2(b), 2.16(a), 2.31(a)(2): who may cause a sending. A consent lets its discloser disclose, no more."""

from typing import Any

import pytest

from gateway.model.decision import Permit
from tests.support.part2_world import (
    ASPEN_RECORD,
    ASPEN_RECORDS,
    EMERGENCY,
    a_class,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    a_tpo_consent,
    alone,
    an_open_visit,
    answer,
    ask,
    handed_to,
    organization,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]

STOPPED = ("DENY", "IDENTITY_MISMATCH")
PERMITTED = ("PERMIT", "OK_CONSENT")
QSOA = [{"id": "q", "type": "qsoa", "with": "org:aspen", "from": "2026-01-01"}]


def test_who_receives_may_ask() -> None:
    assert answer(a_consent(), by="org:mercy") == PERMITTED


def test_who_wrote_it_may_send_it() -> None:
    assert answer(a_consent(), by="org:aspen", role="worker") == PERMITTED
    assert answer(a_consent(), by="org:aspen", role="staff") == PERMITTED


@pytest.mark.parametrize("by", ["org:quarry", "org:police", "org:birch", "org:plan", "org:nobody"])
def test_anybody_else_may_not_send_it_whatever_the_consent_says(by: str) -> None:
    assert answer(a_consent(), by=by) == STOPPED


@pytest.mark.parametrize("patient", ["Patient/t1", "Patient/unheard-of"])
def test_they_are_stopped_before_the_person_is_looked_up(patient: str) -> None:
    assert answer(a_consent(), by="org:quarry", patient=patient) == STOPPED


def test_no_basis_lets_a_stranger_send_it() -> None:
    assert answer(by="org:quarry", basis=EMERGENCY, purpose=["ETREAT"]) == STOPPED
    assert answer(by="org:aspen", basis=EMERGENCY, purpose=["ETREAT"]) == ("PERMIT", "OK_EMERGENCY")


def test_a_holder_may_send_what_it_holds() -> None:
    records = [*ASPEN_RECORDS, handed_to("quarry", ASPEN_RECORD, under="Consent/tpo")]
    paper = a_tpo_consent()

    outcome = answer(paper, records=records, by="org:quarry", facts=[an_open_visit("mercy"), an_open_visit("quarry")])

    assert outcome == ("PERMIT", "OK_HIPAA_REDISCLOSURE")


def test_what_another_wrote_beside_it_stays_here() -> None:
    theirs = a_condition("theirs")
    records = [ASPEN_RECORD, theirs, written_by("aspen", ASPEN_RECORD), written_by("quarry", theirs)]

    record = ask(a_consent(), records=records, by="org:aspen").record

    assert (record.decision, record.reason, record.withheld) == (
        "PERMIT_REDACTED",
        "IDENTITY_MISMATCH",
        ("Condition/theirs",),
    )


def test_our_own_worker_carries_the_whole_record_of_the_agency_it_acts_for() -> None:
    theirs = a_condition("theirs", "J10.1")
    records = [ASPEN_RECORD, theirs, written_by("aspen", ASPEN_RECORD), written_by("quarry", theirs)]

    assert answer(a_consent(), records=records, by="org:aspen", role="worker") == PERMITTED


def test_a_worker_of_nobody_we_know_is_a_stranger() -> None:
    assert answer(a_consent(), by="org:nobody", role="worker") == STOPPED


@pytest.mark.parametrize(
    "registry",
    [
        world(clerks={"agreements": QSOA}),
        world(clerks={"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:aspen"]}]}),
        world(clerks={"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:mercy"]}]}),
    ],
)
def test_a_service_of_the_holder_or_of_the_recipient_acts_for_it(registry: Any) -> None:
    """42 CFR 2.11, qualified service organization; 45 CFR 160.103, business associate."""
    assert answer(a_consent(), by="org:clerks", registry=registry) == PERMITTED
    assert answer(a_consent(), by="org:clerks") == STOPPED


def test_a_service_whose_agreement_has_ended_is_a_stranger() -> None:
    ended = world(clerks={"agreements": [{**QSOA[0], "to": "2026-06-30"}]})

    assert answer(a_consent(), by="org:clerks", registry=ended) == STOPPED


def test_the_whole_may_ask_for_its_unit() -> None:
    unit = {"id": "org:mercy-ed", "name": "Mercy ED", "identifiers": [{"system": "urn:x", "value": "ed"}]}
    registry = world(mercy={"units": [unit]})
    actor = {**recipient("mercy"), "reference": {"identifier": {"system": "urn:x", "value": "ed"}}}

    outcome = answer(a_consent(a_permit(actor=[actor])), recipient="org:mercy-ed", by="org:mercy", registry=registry)

    assert outcome == PERMITTED


def test_an_intermediary_passes_on_to_its_own_participants_only() -> None:
    group, participants = a_class("treating-participants")
    inside = {**a_permit(), "actor": [participants]}
    through_relay = a_consent(a_permit(actor=[recipient("relay")], provision=[inside]), contained=[group])
    asked = {"by": "org:relay", "via": ["org:relay"], "facts": [an_open_visit("mercy"), an_open_visit("quarry")]}

    assert answer(through_relay, **asked) == ("PERMIT", "OK_INTERMEDIARY")
    assert answer(through_relay, recipient="org:quarry", **asked) == STOPPED


def test_the_patient_may_have_it_sent() -> None:
    assert answer(a_consent(), requester=alone("Patient/t1", "patient")) == PERMITTED


def test_the_patient_may_have_copies_sent_too() -> None:
    permit = ask(
        a_consent(a_permit("mercy", "quarry")), requester=alone("Patient/t1", "patient"), copies=["org:quarry"]
    )

    assert isinstance(permit, Permit)
    assert permit.recipients == ("org:mercy", "org:quarry")


def test_nobody_else_alone_may() -> None:
    other = alone("Patient/t2", "patient")
    facts = [a_patient(), a_patient(id="t2", identifier=[{"system": "urn:oid:2.999.7", "value": "T2"}])]

    assert answer(a_consent(), requester=other, facts=facts) == STOPPED


def test_what_has_no_known_author_waits_at_its_own_step() -> None:
    assert answer(a_consent(), records=[ASPEN_RECORD], by="org:aspen") == ("HOLD", "ORIGIN_UNKNOWN")


def test_to_ask_for_nothing_is_to_be_given_nothing() -> None:
    assert answer(a_consent(), by="org:quarry", items=[]) == ("DENY", "NO_CONSENT")


def test_the_organization_that_a_consent_names_as_discloser_may_still_not_send_what_it_does_not_hold() -> None:
    paper = a_consent(organization=[organization("aspen"), organization("quarry")])

    assert answer(paper, by="org:quarry") == STOPPED
