"""42 CFR 2.23: patients have their own records without anybody's consent, and stay protected with them."""

from typing import Any

from tests.support.part2_world import alone, answer, ask

Json = dict[str, Any]


def test_a_patients_own_access_needs_no_consent() -> None:
    case: Json = {"recipient": "Patient/t1", "purpose": ["PATRQT"], "requester": alone("Patient/t1", "patient")}

    record = ask(basis={"type": "patient_access", "account": "Patient/t1"}, **case).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_PATIENT")
    assert answer(basis={"type": "patient_access", "account": "Patient/t9"}, **case)[0] == "DENY"


def test_it_is_the_patients_alone() -> None:
    mother = "RelatedPerson/mother"
    basis = {"type": "patient_access", "account": "Patient/t1"}

    assert answer(recipient=mother, purpose=["FAMRQT"], requester=alone(mother, "relative"), basis=basis) == (
        "DENY",
        "NO_CONSENT",
    )
