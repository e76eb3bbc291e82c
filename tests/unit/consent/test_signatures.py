"""Who may sign for whom, until when, and what a minor needs beside the own name (42 CFR 2.14, 2.15)."""

from typing import Any

import pytest

from gateway.consent import compile_consents, decide, read_facts, read_request, read_switches
from gateway.labeling import label
from gateway.model.fhir_time import instant
from tests.support.part2_world import (
    ASPEN_RECORDS,
    EXTENSION,
    PATIENT_REFERENCE,
    T0,
    a_consent,
    a_patient,
    a_permit,
    a_request,
    answer,
    bundle,
    world,
    written_by,
)

Json = dict[str, Any]
SIGNED, UNSIGNED = "OK_CONSENT", "CONSENT_DEFICIENT:EL_SIGNATURE"
AT_SIGNING = "2026-09-01T16:00:00Z"
PERIOD: Json = {"start": "2026-01-01", "end": "2026-12-31"}


def by(basis: str, who: str = "RelatedPerson/g", document: bool = True, **period: str) -> Json:
    parts: list[Json] = [{"url": "basis", "valueCode": basis}, {"url": "period", "valuePeriod": period or PERIOD}]
    parts += [{"url": "document", "valueReference": {"reference": "DocumentReference/letters"}}] if document else []
    authority = {"url": EXTENSION + "authority", "extension": parts}
    return {"extension": [authority], **({"reference": who} if who else {})}


def signed(*performers: Json, born: str = "1980-01-31", **case: Any) -> str:
    consent = a_consent(performer=list(performers), **case.pop("consent", {}))
    return answer(consent, facts=[a_patient(birthDate=born), *case.pop("facts", ())], **case)[1]


class TestARepresentative:
    @pytest.mark.parametrize(
        ("performer", "reason"),
        [
            (by("guardian"), SIGNED),
            (by("personal-representative"), SIGNED),
            (by("guardian", document=False), UNSIGNED),
            (by("personal-representative", document=False), UNSIGNED),
            (by("guardian", who=""), UNSIGNED),
            (by("neighbour"), UNSIGNED),
            (by("director-determination"), UNSIGNED),
            (by("parental"), UNSIGNED),
            ({"reference": "RelatedPerson/g"}, UNSIGNED),
        ],
    )
    def test_signs_by_what_the_law_knows_and_has_on_paper(self, performer: Json, reason: str) -> None:
        assert signed(performer) == reason

    def test_and_everybody_who_signed_has_to_be_entitled(self) -> None:
        assert signed(PATIENT_REFERENCE, by("neighbour")) == UNSIGNED
        assert signed(PATIENT_REFERENCE, by("guardian")) == SIGNED

    @pytest.mark.parametrize(
        ("period", "reason"),
        [
            ({"start": AT_SIGNING}, SIGNED),
            ({"start": "2026-09-01T16:00:01Z"}, UNSIGNED),
            ({"end": "2026-09-01T15:59:59Z"}, UNSIGNED),
            ({"end": AT_SIGNING}, SIGNED),
        ],
    )
    def test_signs_while_the_authority_lasts(self, period: Json, reason: str) -> None:
        assert signed(by("guardian", **period)) == reason

    def test_on_a_form_without_a_date_is_looked_at_as_of_now(self) -> None:
        undated = {"dateTime": None}

        assert signed(by("guardian"), consent=undated) == "CONSENT_DEFICIENT:EL_DATE"
        assert signed(by("guardian", end="2026-11-01"), consent=dict(undated)) == UNSIGNED

    def test_on_file_as_somebody_elses_does_not_sign(self) -> None:
        def on_file(patient: Json | None) -> Json:
            return {"resourceType": "RelatedPerson", "id": "g", **({"patient": patient} if patient else {})}

        assert signed(by("guardian"), facts=[on_file({"reference": "Patient/t1"})]) == SIGNED
        assert signed(by("guardian"), facts=[on_file({"reference": "Patient/t2"})]) == UNSIGNED
        assert signed(by("guardian"), facts=[on_file(None)]) == SIGNED

    def test_on_file_beside_the_consent_counts_too(self) -> None:
        registry, when = world(), instant(T0)
        stranger = {"resourceType": "RelatedPerson", "id": "g", "patient": {"reference": "Patient/t2"}}

        record = decide(
            read_request(a_request()),
            label(bundle(*ASPEN_RECORDS), registry, when),
            compile_consents(bundle(a_consent(performer=[by("guardian")]), stranger), registry),
            registry=registry,
            at=when,
            facts=read_facts([a_patient()], registry, when),
            switches=read_switches(None),
        ).record

        assert record.reason == UNSIGNED

    def test_a_directors_word_opens_payment_and_nothing_else(self) -> None:
        """42 CFR 2.15(a)(2)."""
        claim = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}
        case: Json = {"recipient": "org:plan", "records": (claim, written_by("aspen", claim))}

        def form(*purposes: str) -> Json:
            permit = a_permit("plan", purposes=purposes)
            return {"provision": {"type": "deny", "period": PERIOD, "provision": [permit]}}

        def signs(consent: Json, asked: str) -> str:
            return signed(by("director-determination"), purpose=[asked], consent=consent, **case)

        assert signs(form("HPAYMT"), "HPAYMT") == SIGNED
        assert signs(form("HPAYMT", "HOPERAT"), "HPAYMT") == UNSIGNED
        assert signs(form("HPAYMT", "HOPERAT"), "HOPERAT") == UNSIGNED


class TestAMinor:
    """42 CFR 2.14; the age is that of the day of signing."""

    THIRTEEN, TWELVE, EIGHTEEN = "2013-09-01", "2013-09-02", "2008-09-01"

    @pytest.mark.parametrize(
        ("born", "performers", "reason"),
        [
            (THIRTEEN, (PATIENT_REFERENCE,), SIGNED),
            (TWELVE, (PATIENT_REFERENCE,), UNSIGNED),
            (TWELVE, (by("parental"),), UNSIGNED),
            (TWELVE, (PATIENT_REFERENCE, by("parental")), SIGNED),
            (TWELVE, (PATIENT_REFERENCE, by("guardian")), SIGNED),
            (TWELVE, (PATIENT_REFERENCE, by("personal-representative")), UNSIGNED),
            (THIRTEEN, (by("parental"),), UNSIGNED),
            (EIGHTEEN, (by("parental"),), UNSIGNED),
            (EIGHTEEN, (PATIENT_REFERENCE,), SIGNED),
        ],
    )
    def test_signs_alone_from_thirteen_and_with_a_parent_before(
        self, born: str, performers: tuple[Json, ...], reason: str
    ) -> None:
        assert signed(*performers, born=born) == reason

    @pytest.mark.parametrize(
        ("rule", "born", "reason"),
        [
            (14, THIRTEEN, UNSIGNED),
            (12, TWELVE, SIGNED),
            ("parental", "2009-01-01", UNSIGNED),
            ("parental", EIGHTEEN, SIGNED),
            (0, TWELVE, SIGNED),
        ],
    )
    def test_signs_alone_from_when_the_state_says(self, rule: int | str, born: str, reason: str) -> None:
        assert signed(PATIENT_REFERENCE, born=born, switches={"minor_consent": rule}) == reason

    def test_who_is_of_age_by_now_decides_alone(self) -> None:
        born = "2008-10-01"
        both = (PATIENT_REFERENCE, by("parental"))

        assert signed(*both, born=born, at="2026-09-30T12:00:00Z") == SIGNED
        assert signed(*both, born=born, at="2026-10-01T12:00:00Z") == "CONSENT_UNVERIFIED"
        assert signed(PATIENT_REFERENCE, by("guardian"), born=born, at="2026-10-01T12:00:00Z") == SIGNED


def test_a_paper_without_a_name_on_it_is_not_signed() -> None:
    assert signed() == UNSIGNED
    assert signed({"reference": "Patient/t2"}) == UNSIGNED
    assert signed(PATIENT_REFERENCE, consent={"sourceReference": None}) == UNSIGNED
