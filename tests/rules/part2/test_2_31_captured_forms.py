"""42 CFR 2.31, 2.35: what a person fills in and signs opens exactly what it says, when the engine reads it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.model.consent_form import ConsentForm, Expiry, Recipients, Signer
from tests.support.consent_forms import a_court_form, a_form, a_tpo_form, as_consent, signed_by
from tests.support.part2_world import (
    ASPEN_RECORD,
    a_condition,
    a_patient,
    an_open_visit,
    answer,
    written_by,
)

NOTES = {
    **a_condition("note"),
    "meta": {
        "security": [{"system": "https://warmhandoff.example/fhir/CodeSystem/security-label", "code": "SUDNOTES"}]
    },
}


def asked(form: ConsentForm, from_paper: bool = False, **case: Any) -> tuple[str, str]:
    return answer(as_consent(form, from_paper=from_paper), **case)


def test_the_ordinary_form_permits() -> None:
    assert asked(a_form()) == ("PERMIT", "OK_CONSENT")


def test_the_form_for_all_treatment_payment_and_operations_permits_whoever_treats() -> None:
    assert asked(a_tpo_form(), facts=[an_open_visit("mercy")]) == ("PERMIT", "OK_TPO")


def test_and_nobody_who_does_not() -> None:
    assert asked(a_tpo_form(), recipient="org:quarry") == ("DENY", "RECIPIENT_NOT_TREATING")


@pytest.mark.parametrize(
    ("participants", "facts"), [(("org:mercy",), []), ((), [an_open_visit("mercy")])], ids=["named", "treating"]
)
def test_an_intermediary_passes_on_to_those_named_or_treating(participants: tuple[str, ...], facts: list[Any]) -> None:
    form = a_form(recipients=Recipients(intermediary="org:relay", participants=participants))

    assert asked(form, via=["org:relay"], facts=facts) == ("PERMIT", "OK_INTERMEDIARY")
    assert asked(form, via=["org:relay"], recipient="org:quarry")[0] == "DENY"


def test_single_kinds_of_information_open_only_those() -> None:
    assert asked(a_form(information=("diagnoses",))) == ("PERMIT", "OK_CONSENT")
    assert asked(a_form(information=("medications",))) == ("DENY", "SCOPE_NOT_COVERED")


def test_everything_leaves_out_counseling_notes() -> None:
    records = (NOTES, ASPEN_RECORD, written_by("aspen", NOTES, ASPEN_RECORD))

    assert asked(a_form(), records=records) == ("PERMIT_REDACTED", "NOTES_NO_SPECIFIC")


def test_the_form_for_counseling_notes_opens_them_and_nothing_else() -> None:
    form = a_form(kind="counseling-notes", information=())

    assert asked(form, records=(NOTES, written_by("aspen", NOTES))) == ("PERMIT", "OK_CONSENT")
    assert asked(form)[0] == "DENY"


def test_the_form_for_a_proceeding_opens_it() -> None:
    form = a_form(
        kind="proceedings",
        purposes=("proceeding",),
        proceeding="Case 99-1-00001-1",
        recipients=Recipients(named=("org:attorneys",)),
    )

    assert asked(form, recipient="org:attorneys", purpose=["HLEGAL"]) == ("PERMIT", "OK_CONSENT")
    assert asked(form, recipient="org:attorneys")[0] == "DENY"


def test_the_form_of_2_35_opens_monitoring_to_the_court() -> None:
    monitoring = "https://warmhandoff.example/fhir/CodeSystem/purpose|monitoring"
    visit = {"resourceType": "Encounter", "id": "visit", "status": "finished", "subject": {"reference": "Patient/t1"}}
    records = (visit, written_by("aspen", visit))
    case = {"recipient": "org:court", "purpose": [monitoring], "records": records}

    assert asked(a_court_form(), **case) == ("PERMIT", "OK_CJ_REFERRAL")
    assert asked(a_court_form(), **case, at="2027-01-02T00:00:00Z") == ("DENY", "CONSENT_EXPIRED")


@pytest.mark.parametrize("form", [a_form(), a_tpo_form(), a_court_form()])
def test_a_paper_waits_for_its_verification(form: ConsentForm) -> None:
    consent = as_consent(replace(form, statements=frozenset({"revocation-right"})), from_paper=True)

    assert consent["verification"] == [{"verified": False}]


def test_a_complete_paper_is_held_and_no_less() -> None:
    stated = frozenset(
        {"revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"}
    )

    assert asked(a_form(statements=stated), from_paper=True) == ("HOLD", "CONSENT_UNVERIFIED")


def test_a_no_beats_the_yes_before_it() -> None:
    no = {**as_consent(a_form(outcome="refused", signatures=())), "id": "no"}

    assert answer(as_consent(a_form()), no) == ("DENY", "EXPLICIT_DENY")


def test_a_no_to_one_leaves_the_yes_to_another() -> None:
    no = a_form(outcome="refused", recipients=Recipients(named=("org:quarry",)), signatures=())

    assert answer(as_consent(a_form()), {**as_consent(no), "id": "no"}) == ("PERMIT", "OK_CONSENT")


def test_a_guardian_signs_with_the_document_that_says_so() -> None:
    signer = Signer("Gus Guardian", "guardian", "letters of guardianship 99-4-00001-1", date(2020, 1, 1))

    assert asked(a_form(signatures=(signed_by(signer=signer),))) == ("PERMIT", "OK_CONSENT")


def test_a_minor_below_the_age_signs_with_a_parent() -> None:
    child = a_patient(birthDate="2015-05-02")
    both = (signed_by(), signed_by(signer=Signer("Pat Testperson", "parental")))

    assert asked(a_form(signatures=both), facts=[child]) == ("PERMIT", "OK_CONSENT")
    assert asked(a_form(), facts=[child]) == ("DENY", "CONSENT_DEFICIENT:EL_SIGNATURE")


def test_a_program_director_opens_payment_only() -> None:
    signatures = (signed_by(signer=Signer("Dee Director", "director-determination")),)
    form = a_form(signatures=signatures, purposes=("payment",), recipients=Recipients(named=("org:plan",)))

    claim = {"resourceType": "Claim", "id": "c", "patient": {"reference": "Patient/t1"}}
    records = (claim, written_by("aspen", claim))

    assert asked(form, recipient="org:plan", purpose=["HPAYMT"], records=records) == ("PERMIT", "OK_CONSENT")


def test_research_ends_with_its_study() -> None:
    form = a_form(
        recipients=Recipients(named=("org:campus",)),
        purposes=("research",),
        expiry=Expiry(event="end-of-research-study"),
    )

    assert asked(form, recipient="org:campus", purpose=["HRESCH"]) == ("PERMIT", "OK_CONSENT")
