"""42 CFR 2.31(a), (b), (c): what a written consent must say, and what makes it no consent at all."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EXTENSION,
    OWN,
    PATIENT_REFERENCE,
    a_class,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    ask,
    labels,
    organization,
    purpose,
    unavailable,
    written_by,
)

Json = dict[str, Any]

NOTES_LABEL = {"system": OWN + "security-label", "code": "SUDNOTES"}
NOTES = {
    "resourceType": "DocumentReference",
    "id": "notes",
    "status": "current",
    "subject": {"reference": "Patient/t1"},
    "content": [{"attachment": {"contentType": "text/plain"}}],
    "meta": {"security": [NOTES_LABEL]},
}


def without(permit: Json, key: str) -> Json:
    return {name: value for name, value in permit.items() if name != key}


def test_a_complete_consent_permits() -> None:
    assert answer(a_consent()) == ("PERMIT", "OK_CONSENT")


def test_no_consent_permits_nothing() -> None:
    assert answer() == ("DENY", "NO_CONSENT")


@pytest.mark.parametrize(
    ("consent", "element"),
    [
        (a_consent(without=["patient"]), "EL_PATIENT"),
        (a_consent(without=["organization"]), "EL_DISCLOSER"),
        (a_consent(organization=[{"display": "Aspen"}]), "EL_DISCLOSER"),
        (a_consent(without(a_permit(), "securityLabel")), "EL_INFO"),
        (a_consent(without(a_permit(), "actor")), "EL_RECIPIENT"),
        (a_consent(without(a_permit(), "purpose")), "EL_PURPOSE"),
        (a_consent(without=["revocation-right"]), "EL_REVOCATION"),
        (a_consent(without=["sourceReference"]), "EL_SIGNATURE"),
        (a_consent(without=["performer"]), "EL_SIGNATURE"),
        (a_consent(without=["dateTime"]), "EL_DATE"),
        (a_consent(dateTime="2026-11-03T09:00:00-08:00"), "EL_DATE"),
        (a_consent(dateTime="2026-09"), "EL_DATE"),
        (a_consent(dateTime="2026"), "EL_DATE"),
        (a_consent(without=["sourceReference"], extensions=[{"url": EXTENSION + "signature"}]), "EL_SIGNATURE"),
        (a_consent(extensions=[{"url": EXTENSION + "revocation-right", "valueBoolean": False}]), "EL_REVOCATION"),
        (a_consent(without=["ce-redisclosure-statement"]), "EL_CE_STATEMENT"),
        (a_consent(without=["tpo-redisclosure-warning"]), "EL_TPO_STATEMENTS"),
        (a_consent(without=["refusal-consequences"]), "EL_TPO_STATEMENTS"),
        (a_consent(provision={"type": "deny", "provision": [a_permit()]}), "EL_EXPIRY"),
    ],
)
def test_a_missing_element_is_named(consent: Json, element: str) -> None:
    assert answer(consent) == ("DENY", f"CONSENT_DEFICIENT:{element}")


def test_a_class_known_by_its_words_only_is_no_recipient() -> None:
    group, actor = a_class("tpo")
    in_words = {**group, "code": {"text": "my treating providers"}}

    assert answer(a_consent(a_permit(actor=[actor]), contained=[in_words])) == (
        "DENY",
        "CONSENT_DEFICIENT:EL_RECIPIENT",
    )


def test_no_end_is_an_answer_for_treatment_payment_operations() -> None:
    assert answer(a_tpo_consent(), facts=[an_open_visit("mercy")]) == ("PERMIT", "OK_TPO")


def test_no_end_is_no_answer_for_other_purposes() -> None:
    endless = {"type": "deny", "provision": [a_permit("shelter", purposes=["PATRQT"])]}
    never = [{"url": EXTENSION + "expiry", "valueCode": "none"}]

    assert answer(a_consent(provision=endless, extensions=never), recipient="org:shelter", purpose=["PATRQT"]) == (
        "DENY",
        "CONSENT_DEFICIENT:EL_EXPIRY",
    )


def test_what_a_form_must_say_once_goes_by_all_it_permits() -> None:
    for_the_shelter = a_permit("shelter", purposes=["PATRQT"])
    case: Json = {"recipient": "org:shelter", "purpose": ["PATRQT"]}

    assert answer(a_consent(for_the_shelter, without=["refusal-consequences"]), **case) == ("PERMIT", "OK_CONSENT")
    for left_out, element in [
        ("ce-redisclosure-statement", "EL_CE_STATEMENT"),
        ("refusal-consequences", "EL_TPO_STATEMENTS"),
    ]:
        also_for_care = a_consent(for_the_shelter, a_permit(), without=[left_out])

        assert answer(also_for_care, **case) == ("DENY", f"CONSENT_DEFICIENT:{element}")


def test_no_end_is_no_answer_for_a_form_that_is_also_for_something_else() -> None:
    endless = {"type": "deny", "provision": [a_permit(), a_permit("shelter", purposes=["PATRQT"])]}
    never = [{"url": EXTENSION + "expiry", "valueCode": "none"}]

    assert answer(a_consent(provision=endless, extensions=never)) == ("DENY", "CONSENT_DEFICIENT:EL_EXPIRY")


def test_a_consent_to_somebody_outside_hipaa_needs_no_word_on_redisclosure_under_hipaa() -> None:
    consent = a_consent(a_permit("squad"), without=["ce-redisclosure-statement"])

    assert answer(consent, recipient="org:squad") == ("PERMIT", "OK_CONSENT")


def test_fundraisers_need_the_choice_to_opt_out() -> None:
    for_donors = a_permit("donors", purposes=["HOPERAT"])
    choice = [{"url": EXTENSION + "fundraising-opt-out", "valueBoolean": True}]

    assert answer(a_consent(for_donors), recipient="org:donors", purpose=["HOPERAT"])[1] == (
        "CONSENT_DEFICIENT:EL_PURPOSE"
    )
    assert answer(a_consent(for_donors, extensions=choice), recipient="org:donors", purpose=["HOPERAT"]) == (
        "PERMIT",
        "OK_CONSENT",
    )


def test_an_unsigned_paper_is_named_before_anything_else_it_lacks() -> None:
    spoken = a_consent(without=["sourceReference", "revocation-right", "organization"])

    assert answer(spoken) == ("DENY", "CONSENT_DEFICIENT:EL_SIGNATURE")


def test_an_electronic_signature_signs() -> None:
    signature = [{"url": EXTENSION + "signature", "valueSignature": {"who": PATIENT_REFERENCE, "data": "eA=="}}]

    assert answer(a_consent(without=["sourceReference"], extensions=signature)) == ("PERMIT", "OK_CONSENT")


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_only_an_active_consent_counts(status: str) -> None:
    assert answer(a_consent(status=status)) == ("DENY", "CONSENT_NOT_ACTIVE")


def test_a_general_authorization_is_no_part_2_consent() -> None:
    assert answer(a_consent(kind="hipaa-authorization")) == ("DENY", "CONSENT_DEFICIENT")


class TestFormsOfAnEarlierEdition:
    OLD = [{"url": EXTENSION + "form-edition", "valueDate": "2020-08-14"}]
    TODAY = [{"url": EXTENSION + "form-edition", "valueDate": "2024-04-16"}]
    NEW_STATEMENTS = ("ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences")

    def test_they_wait_for_a_person(self) -> None:
        assert answer(a_consent(extensions=self.OLD)) == ("HOLD", "CONSENT_DEFICIENT")

    def test_a_site_may_accept_them_without_the_statements_of_2024(self) -> None:
        old = a_consent(extensions=self.OLD, without=self.NEW_STATEMENTS)

        assert answer(old, switches={"legacy_consent": "accept"}) == ("PERMIT", "OK_CONSENT")

    def test_the_first_current_edition_is_current(self) -> None:
        assert answer(a_consent(extensions=self.TODAY)) == ("PERMIT", "OK_CONSENT")


def test_a_consent_known_to_be_false_is_none() -> None:
    false = {
        "type": "consent_false",
        "consent": "Consent/paper",
        "reported_by": "p1",
        "reported": "2026-10-01T00:00:00Z",
    }

    assert answer(a_consent(), facts=[false]) == ("DENY", "CONSENT_FALSE")


def test_what_is_reported_later_is_not_known_yet() -> None:
    false = {
        "type": "consent_false",
        "consent": "Consent/paper",
        "reported_by": "p1",
        "reported": "2026-12-01T00:00:00Z",
    }

    assert answer(a_consent(), facts=[false]) == ("PERMIT", "OK_CONSENT")


class TestConsentsFromElsewhere:
    ELSEWHERE = {"versionId": "1", "lastUpdated": "2026-09-01T17:00:00Z", "source": "https://exchange.example/fhir"}
    VERIFIED = {"verified": True, "verificationDate": "2026-11-02T10:00:00-08:00"}
    RULE = {"verified_sources": [{"address": "https://exchange.example/fhir/", "verified": "2026-06-01"}]}

    def elsewhere(self, updated: str = "2026-11-01T18:00:00Z", **changes: Any) -> Json:
        return a_consent(meta={**self.ELSEWHERE, "lastUpdated": updated}, **changes)

    def test_an_unverified_one_waits_for_a_person(self) -> None:
        assert answer(self.elsewhere()) == ("HOLD", "CONSENT_UNVERIFIED")

    def test_a_verified_one_counts(self) -> None:
        assert answer(a_consent(meta=self.ELSEWHERE, verification=[self.VERIFIED])) == ("PERMIT", "OK_CONSENT")

    def test_our_own_needs_no_verification_unless_it_failed(self) -> None:
        assert answer(a_consent(verification=[{"verified": False}])) == ("HOLD", "CONSENT_UNVERIFIED")

    @pytest.mark.parametrize(
        ("updated", "outcome"),
        [
            ("2026-11-01T18:00:00Z", ("PERMIT", "OK_CONSENT")),
            ("2026-11-01T17:59:59Z", ("HOLD", "CONSENT_UNVERIFIED")),
        ],
    )
    def test_it_counts_for_a_day_after_its_system_last_confirmed_it(
        self, updated: str, outcome: tuple[str, str]
    ) -> None:
        """42 CFR 2.31(c)(3): what was revoked elsewhere is revoked, and nobody has to tell us."""
        assert answer(self.elsewhere(updated, verification=[{"verified": True}])) == outcome

    def test_the_site_may_choose_another_age(self) -> None:
        paper = self.elsewhere("2026-10-31T18:00:00Z", verification=[{"verified": True}])

        assert answer(paper, switches={"external_consent_max_age": 48}) == ("PERMIT", "OK_CONSENT")
        assert answer(paper, switches={"external_consent_max_age": 47}) == ("HOLD", "CONSENT_UNVERIFIED")

    @pytest.mark.parametrize("dated", [None, "2026-11-03", "2026-11"])
    def test_one_whose_confirmation_is_not_dated_or_lies_ahead_waits(self, dated: str | None) -> None:
        verification = {"verified": True} | ({"verificationDate": dated} if dated else {})
        meta = {"source": self.ELSEWHERE["source"]}

        assert answer(a_consent(meta=meta, verification=[verification])) == ("HOLD", "CONSENT_UNVERIFIED")

    @pytest.mark.parametrize(
        ("dated", "outcome"),
        [
            ("2026-11-02T18:00:00Z", ("PERMIT", "OK_CONSENT")),
            ("2026-11-02T18:00:01Z", ("HOLD", "CONSENT_UNVERIFIED")),
            (["2026-11-01T18:00:00Z", "2026-11-03T18:00:00Z"], ("HOLD", "CONSENT_UNVERIFIED")),
        ],
    )
    def test_nobody_has_verified_one_whose_verification_lies_ahead_however_fresh_it_is(
        self, dated: Any, outcome: tuple[str, str]
    ) -> None:
        paper = self.elsewhere(verification=[{"verified": True, "verificationDate": dated}])

        assert answer(paper) == outcome

    def test_a_verification_that_failed_confirms_nothing(self) -> None:
        failed = {**self.VERIFIED, "verified": False}

        assert answer(self.elsewhere(verification=[failed])) == ("HOLD", "CONSENT_UNVERIFIED")

    def test_a_source_that_was_verified_as_a_whole_vouches_for_its_consents(self) -> None:
        """IHE PCF has no verification on the Consent."""
        assert answer(self.elsewhere(), switches=self.RULE) == ("PERMIT", "OK_CONSENT")

    @pytest.mark.parametrize(
        "rule", [{"address": "https://exchange.example/f", "verified": "2026-06-01"},
                 {"address": "https://exchange.example/fhir", "verified": "2026-12-01"}]
    )  # fmt: skip
    def test_only_that_source_and_only_since_then(self, rule: Json) -> None:
        assert answer(self.elsewhere(), switches={"verified_sources": [rule]}) == ("HOLD", "CONSENT_UNVERIFIED")

    def test_a_refusal_in_it_counts_at_any_age(self) -> None:
        refusal = self.elsewhere("2026-01-01T00:00:00Z", id="no", provision={"type": "deny"})

        assert answer(a_consent(), refusal) == ("DENY", "EXPLICIT_DENY")

    def test_an_old_one_lifts_no_refusal(self) -> None:
        supersedes = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/no"}}]
        refusal = a_consent(id="no", provision={"type": "deny"})
        old = a_consent(meta=self.ELSEWHERE, verification=[{"verified": True}], extensions=supersedes)

        assert answer(old, refusal) == ("DENY", "EXPLICIT_DENY")


class TestCounselingNotes:
    RECORDS = (a_condition(), NOTES, written_by("aspen", a_condition(), NOTES))
    FOR_NOTES = a_consent(a_permit(securityLabel=[NOTES_LABEL]), kind="sud-counseling-notes", id="for-notes")

    def test_an_ordinary_consent_leaves_them_out(self) -> None:
        record = ask(a_consent(), records=self.RECORDS).record

        assert (record.decision, record.reason, record.withheld) == (
            "PERMIT_REDACTED",
            "NOTES_NO_SPECIFIC",
            ("DocumentReference/notes",),
        )

    def test_their_own_consent_opens_them_and_nothing_else(self) -> None:
        record = ask(self.FOR_NOTES, records=self.RECORDS).record

        assert (record.decision, record.reason, record.withheld) == (
            "PERMIT_REDACTED",
            "SCOPE_NOT_COVERED",
            ("Condition/f1120",),
        )

    def test_both_consents_open_both(self) -> None:
        assert answer(a_consent(), self.FOR_NOTES, records=self.RECORDS) == ("PERMIT", "OK_CONSENT")

    def test_one_form_for_both_opens_no_notes_and_holds_the_rest(self) -> None:
        mixed = a_consent(a_permit(), a_permit(securityLabel=[NOTES_LABEL]))

        assert answer(mixed, records=(NOTES, written_by("aspen", NOTES))) == ("DENY", "COMBINED_NOTES")
        assert answer(mixed) == ("HOLD", "COMBINED_NOTES")

    def test_a_form_for_notes_that_names_the_rest_in_the_same_permit_is_one_form_for_both(self) -> None:
        for_both = a_permit(securityLabel=[NOTES_LABEL, *labels("42CFRPart2")])
        mixed = a_consent(for_both, kind="sud-counseling-notes")

        assert answer(mixed, records=(NOTES, written_by("aspen", NOTES))) == ("DENY", "COMBINED_NOTES")
        assert answer(mixed) == ("HOLD", "COMBINED_NOTES")

    def test_notes_of_some_content_are_notes(self) -> None:
        of_some = {"type": "permit", "securityLabel": labels("HIV")}
        consent = a_consent(a_permit(securityLabel=[NOTES_LABEL], provision=[of_some]), kind="sud-counseling-notes")

        assert answer(consent, records=(NOTES, written_by("aspen", NOTES))) == ("PERMIT", "OK_CONSENT")


@pytest.mark.parametrize(
    "change",
    [
        {"modifierExtension": [{"url": "https://elsewhere.example/only-if", "valueBoolean": True}]},
        {"implicitRules": "https://elsewhere.example/rules"},
        {"dateTime": "2026-09-01T09:00:00"},
        {"provision": {"type": "maybe"}},
        {"provision": "permit"},
        {"category": [{"coding": "42CFRPart2CD"}]},
    ],
)
def test_a_consent_nobody_can_read_safely_stops_everything(change: Json) -> None:
    assert answer(a_consent(id="other"), a_consent(**change)) == ("DENY", "UNPARSEABLE")


def test_provisions_nested_without_end_are_unreadable() -> None:
    provision: Json = a_permit()
    for _ in range(10_000):
        provision = {"type": "permit", "provision": [provision]}

    assert answer(a_consent(provision=provision)) == ("DENY", "UNPARSEABLE")


def test_consents_that_replace_each_other_in_a_circle_are_unreadable() -> None:
    def replacing(own: str, other: str) -> Json:
        link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": f"Consent/{other}"}}]
        return a_consent(id=own, extensions=link)

    assert answer(replacing("a", "b"), replacing("b", "a")) == ("DENY", "UNPARSEABLE")


def test_an_unreachable_source_of_consents_stops_everything() -> None:
    assert answer(a_consent(), facts=[unavailable("consent_source")]) == ("DENY", "CONSENT_SOURCE_UNAVAILABLE")


def test_the_one_that_got_farthest_gives_the_reason() -> None:
    foreign = a_consent(id="foreign", organization=[organization("birch")])
    unsigned = a_consent(id="unsigned", without=["sourceReference"])

    assert answer(foreign, unsigned) == ("DENY", "CONSENT_DEFICIENT:EL_SIGNATURE")


def test_two_deficient_forms_never_make_a_good_one() -> None:
    no_purpose = a_consent(without(a_permit(), "purpose"), id="one")
    no_end = a_consent(provision={"type": "deny", "provision": [a_permit()]}, id="two")

    assert answer(no_purpose, no_end)[0] == "DENY"


def test_a_permit_nested_in_an_empty_one_does_not_lend_it_its_words() -> None:
    empty_around = {"type": "permit", "period": {"end": "2026-12-31"}, "provision": [a_permit("quarry")]}

    assert answer(a_consent(provision=empty_around))[0] == "DENY"


def test_scope_by_label_purpose_and_type_is_all_or_nothing() -> None:
    only_medication = {**a_permit(), "class": [{"code": "MedicationRequest"}]}
    other_label = a_permit(securityLabel=labels("HIV"), purpose=[purpose("TREAT")])

    assert answer(a_consent(only_medication)) == ("DENY", "SCOPE_NOT_COVERED")
    assert answer(a_consent(other_label)) == ("DENY", "SCOPE_NOT_COVERED")
