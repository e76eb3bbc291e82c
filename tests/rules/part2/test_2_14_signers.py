"""42 CFR 2.14, 2.15: minors, guardians, representatives; who signs so that it counts."""

from typing import Any

import pytest

from tests.support.part2_world import EXTENSION, PATIENT_REFERENCE, a_consent, a_patient, a_permit, answer, written_by

Json = dict[str, Any]
MINOR = a_patient(birthDate="2011-03-09")
CHILD = a_patient(birthDate="2015-03-09")


def signing(basis: str, document: bool = True, start: str = "2026-01-01", end: str | None = None) -> Json:
    parts: list[Json] = [{"url": "basis", "valueCode": basis}]
    if document:
        parts.append({"url": "document", "valueReference": {"reference": "DocumentReference/letters"}})
    parts.append({"url": "period", "valuePeriod": {"start": start, **({"end": end} if end else {})}})
    return {"reference": "RelatedPerson/other", "extension": [{"url": EXTENSION + "authority", "extension": parts}]}


PARENT = signing("parental", document=False)


def outcome(*performers: Json, patient: Json | None = None, switches: Json | None = None, **consent: Any) -> str:
    facts = [patient] if patient else []
    return answer(a_consent(performer=list(performers), **consent), facts=facts, switches=switches)[1]


DEFICIENT = "CONSENT_DEFICIENT:EL_SIGNATURE"
BOTH = {"minor_consent": "parental"}


@pytest.mark.parametrize(
    ("performers", "patient", "switches", "reason"),
    [
        ([PATIENT_REFERENCE], MINOR, None, "OK_CONSENT"),
        ([PARENT], MINOR, None, DEFICIENT),
        ([PATIENT_REFERENCE], CHILD, None, DEFICIENT),
        ([PARENT], CHILD, None, DEFICIENT),
        ([PATIENT_REFERENCE, PARENT], CHILD, None, "OK_CONSENT"),
        ([PATIENT_REFERENCE], MINOR, BOTH, DEFICIENT),
        ([PATIENT_REFERENCE, PARENT], MINOR, BOTH, "OK_CONSENT"),
        ([PATIENT_REFERENCE], MINOR, {"minor_consent": 16}, DEFICIENT),
        ([PARENT], None, None, DEFICIENT),
        ([signing("guardian")], None, None, "OK_CONSENT"),
        ([signing("guardian", document=False)], None, None, DEFICIENT),
        ([signing("guardian", start="2025-01-01", end="2026-05-31")], None, None, DEFICIENT),
        ([signing("guardian", start="2026-10-01")], None, None, DEFICIENT),
        ([signing("personal-representative")], None, None, "OK_CONSENT"),
        ([signing("director-determination")], None, None, DEFICIENT),
        ([signing("somebody")], None, None, DEFICIENT),
        ([{"reference": "RelatedPerson/other"}], None, None, DEFICIENT),
        ([PATIENT_REFERENCE, {"reference": "RelatedPerson/other"}], None, None, DEFICIENT),
        ([PATIENT_REFERENCE, signing("personal-representative")], MINOR, None, "OK_CONSENT"),
        ([PATIENT_REFERENCE, signing("personal-representative")], CHILD, None, DEFICIENT),
    ],
)
def test_who_may_sign(performers: list[Json], patient: Json | None, switches: Json | None, reason: str) -> None:
    assert outcome(*performers, patient=patient, switches=switches) == reason


CLAIM = {"resourceType": "Claim", "id": "c", "patient": {"reference": "Patient/t1"}}
BILLED: Json = {"recipient": "org:plan", "purpose": ["HPAYMT"], "records": (CLAIM, written_by("aspen", CLAIM))}
DIRECTOR = signing("director-determination")


def test_a_directors_determination_opens_payment() -> None:
    consent = a_consent(a_permit("plan", purposes=["HPAYMT"]), performer=[DIRECTOR])

    assert answer(consent, **BILLED) == ("PERMIT", "OK_CONSENT")


def test_but_nobody_determines_that_a_minor_cannot_sign() -> None:
    """42 CFR 2.15(a)(2): a patient other than a minor."""
    consent = a_consent(a_permit("plan", purposes=["HPAYMT"]), performer=[PATIENT_REFERENCE, DIRECTOR])

    assert answer(consent, facts=[MINOR], **BILLED) == ("DENY", DEFICIENT)
    assert answer(consent, facts=[a_patient(birthDate="2008-09-01")], **BILLED) == ("PERMIT", "OK_CONSENT")


@pytest.mark.parametrize(
    ("signed", "reason"), [("2026-09-01T06:59:59Z", "CONSENT_UNVERIFIED"), ("2026-09-01T07:00:00Z", DEFICIENT)]
)
def test_a_parent_signs_for_a_minor_until_midnight_where_the_installation_is(signed: str, reason: str) -> None:
    turned = a_patient(birthDate="2008-09-01")

    assert outcome(PATIENT_REFERENCE, PARENT, patient=turned, dateTime=signed, switches=BOTH) == reason


def test_a_minor_who_came_of_age_is_asked_again() -> None:
    consent = a_consent(performer=[PATIENT_REFERENCE, PARENT])
    patient = a_patient(birthDate="2008-10-01")

    assert answer(consent, facts=[patient], switches=BOTH) == ("HOLD", "CONSENT_UNVERIFIED")


def test_somebody_elses_relative_signs_nothing() -> None:
    other = {"resourceType": "RelatedPerson", "id": "other", "patient": {"reference": "Patient/somebody"}}

    assert answer(a_consent(performer=[signing("guardian")]), facts=[other])[1] == DEFICIENT
