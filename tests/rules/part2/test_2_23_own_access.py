"""42 CFR 2.23: patients have their own records without anybody's consent, and stay protected with them."""

from typing import Any

from tests.support.part2_world import answer, ask

Json = dict[str, Any]


def test_a_patients_own_access_needs_no_consent() -> None:
    requester = {
        "organization": None,
        "authenticated_as": "Patient/t1",
        "person": {"id": "Patient/t1", "role": "patient"},
    }
    case: Json = {"recipient": "Patient/t1", "purpose": ["PATRQT"], "requester": requester}

    record = ask(basis={"type": "patient_access", "account": "Patient/t1"}, **case).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_PATIENT")
    assert answer(basis={"type": "patient_access", "account": "Patient/t9"}, **case)[0] == "DENY"


def test_it_is_the_patients_alone() -> None:
    mother = "RelatedPerson/mother"
    requester = {"organization": None, "authenticated_as": mother, "person": {"id": mother, "role": "relative"}}
    basis = {"type": "patient_access", "account": "Patient/t1"}

    assert answer(recipient=mother, purpose=["FAMRQT"], requester=requester, basis=basis) == ("DENY", "NO_CONSENT")
