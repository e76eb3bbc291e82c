"""Is one consent good for one request: the borders of each check, and which of several failures is told."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EXTENSION,
    OWN,
    T0,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    alone,
    an_open_visit,
    answer,
    ask,
    handed_to,
    organization,
    recipient,
    taken_back,
    written_by,
)

Json = dict[str, Any]
LATER = {"url": EXTENSION + "revocable-from", "valueDateTime": "2026-12-01T00:00:00Z"}
TAKEN_BACK = taken_back("2026-10-01T00:00:00Z")
GOOD = ("PERMIT", "OK_CONSENT")


def test_a_form_signed_at_this_instant_is_signed_and_one_of_the_next_is_not() -> None:
    assert answer(a_consent(dateTime=T0)) == GOOD
    assert answer(a_consent(dateTime="2026-11-02T18:00:01Z")) == ("DENY", "CONSENT_DEFICIENT:EL_DATE")


class TestStatus:
    MONITORED: Json = {
        "recipient": "org:court",
        "purpose": ["https://warmhandoff.example/fhir/CodeSystem/purpose|monitoring"],
    }

    def to_the_court(self, *extensions: Json, **changes: Any) -> tuple[str, str]:
        condition = {"url": EXTENSION + "condition-of", "valueCode": "parole"}
        consent = a_consent(
            a_permit("court", purposes=["own:monitoring"]),
            kind="criminal-justice-referral",
            extensions=[condition, *extensions],
            **changes,
        )
        return answer(consent, **self.MONITORED)

    @pytest.mark.parametrize(
        ("status", "extensions", "outcome"),
        [
            ("inactive", [TAKEN_BACK, LATER], ("PERMIT", "OK_CJ_REFERRAL")),
            ("inactive", [LATER], ("DENY", "CONSENT_NOT_ACTIVE")),
            ("inactive", [TAKEN_BACK], ("DENY", "CONSENT_REVOKED")),
            ("rejected", [TAKEN_BACK, LATER], ("DENY", "CONSENT_NOT_ACTIVE")),
        ],
    )
    def test_a_consent_that_cannot_be_taken_back_yet_still_stands(
        self, status: str, extensions: list[Json], outcome: tuple[str, str]
    ) -> None:
        """42 CFR 2.35(c)."""
        assert self.to_the_court(*extensions, status=status) == outcome

    @pytest.mark.parametrize("status", ["active", "inactive"])
    def test_any_other_consent_can_be_taken_back_at_once_whatever_it_says(self, status: str) -> None:
        """42 CFR 2.31(a)(6)."""
        assert answer(a_consent(status=status, extensions=[TAKEN_BACK, LATER])) == ("DENY", "CONSENT_REVOKED")

    def test_one_that_can_be_taken_back_from_now_on_does_not(self) -> None:
        from_now = {**LATER, "valueDateTime": T0}
        for_the_plan = {**TAKEN_BACK, "extension": [*TAKEN_BACK["extension"], {
            "url": "recipient", "valueReference": organization("plan")}]}  # fmt: skip

        for extensions in ([for_the_plan, from_now], [for_the_plan, LATER]):
            assert self.to_the_court(*extensions, status="inactive") == ("DENY", "CONSENT_NOT_ACTIVE")


class TestTreatmentThatIsOver:
    """42 CFR 2.31(a)(7): an end by event."""

    CONSENT = a_consent(
        provision={"type": "deny", "provision": [a_permit()]},
        extensions=[{"url": EXTENSION + "expiry", "valueCode": "end-of-treatment"}],
    )

    def outcome(self, episode: Json | None = None, **consent: Any) -> str:
        finished = {
            "resourceType": "EpisodeOfCare",
            "id": "e",
            "status": "finished",
            "patient": {"reference": "Patient/t1"},
            "managingOrganization": organization("aspen"),
            **(episode or {}),
        }
        return answer({**self.CONSENT, **consent}, facts=[finished])[1]

    def test_ends_the_consent_whenever_it_ended_after_the_signature(self) -> None:
        assert self.outcome({"period": {"end": "2026-09-02"}}) == "CONSENT_EXPIRED"
        assert self.outcome() == "CONSENT_EXPIRED"

    def test_ends_no_consent_signed_later_or_at_that_instant(self) -> None:
        assert self.outcome({"period": {"end": "2026-08-30"}}) == "OK_CONSENT"
        assert self.outcome({"period": {"end": "2026-08-31"}}, dateTime="2026-09-01T07:00:00Z") == "OK_CONSENT"

    def test_of_somebody_else_or_somewhere_else_ends_nothing(self) -> None:
        assert self.outcome({"patient": {"reference": "Patient/t2"}}) == "OK_CONSENT"
        assert self.outcome({"managingOrganization": organization("mercy")}) == "OK_CONSENT"
        assert self.outcome({"managingOrganization": {"display": "?"}}) == "CONSENT_EXPIRED"


class TestAStudyThatIsOver:
    @pytest.mark.parametrize(
        ("status", "expiry", "reason"),
        [
            ("completed", "end-of-research-study", "CONSENT_EXPIRED"),
            ("withdrawn", "end-of-research-study", "CONSENT_EXPIRED"),
            ("active", "end-of-research-study", "OK_CONSENT"),
        ],
    )
    def test_ends_the_consent_to_it(self, status: str, expiry: str, reason: str) -> None:
        consent = a_consent(
            provision={"type": "deny", "provision": [a_permit("campus", purposes=["HRESCH"])]},
            extensions=[{"url": EXTENSION + "expiry", "valueCode": expiry}],
        )
        study = {"resourceType": "ResearchStudy", "id": "s", "status": status}

        assert answer(consent, recipient="org:campus", purpose=["HRESCH"], facts=[study])[1] == reason


class TestPeriods:
    def within(self, period: Json, at: str) -> str:
        consent = a_consent(provision={"type": "deny", "period": period, "provision": [a_permit()]})
        return answer(consent, at=at)[1]

    def test_begin_with_their_first_instant_and_end_after_their_last(self) -> None:
        period = {"start": "2026-10-01T12:00:00Z", "end": "2026-11-01T12:00:00Z"}

        assert self.within(period, "2026-10-01T11:59:59Z") == "CONSENT_NOT_YET_EFFECTIVE"
        assert self.within(period, "2026-10-01T12:00:00Z") == "OK_CONSENT"
        assert self.within(period, "2026-11-01T12:00:00Z") == "OK_CONSENT"
        assert self.within(period, "2026-11-01T12:00:01Z") == "CONSENT_EXPIRED"

    def test_of_a_permit_count_beside_those_of_the_form(self) -> None:
        early = a_consent(a_permit(period={"start": "2026-12-01"}))
        late = a_consent(a_permit(period={"end": "2026-10-01"}))

        assert answer(early)[1] == "CONSENT_NOT_YET_EFFECTIVE"
        assert answer(late)[1] == "CONSENT_EXPIRED"


class TestSeveral:
    def test_the_one_that_got_farthest_says_why(self) -> None:
        other_purpose = a_consent(a_permit(purposes=["HPAYMT"]), id="a")
        other_party = a_consent(a_permit("plan"), id="b")
        expired = a_consent(a_permit(period={"end": "2026-10-01"}), id="c")

        assert answer(other_purpose, other_party) == ("DENY", "PURPOSE_NOT_COVERED")
        assert answer(other_party, other_purpose) == ("DENY", "PURPOSE_NOT_COVERED")
        assert answer(expired, other_purpose, other_party) == ("DENY", "CONSENT_EXPIRED")

    def test_one_that_does_not_cover_the_item_got_farther_than_one_that_is_not_good(self) -> None:
        for_hiv = a_consent(a_permit(securityLabel=[{"system": "urn:x", "code": "other"}]), id="z")
        expired = a_consent(a_permit(period={"end": "2026-10-01"}), id="a")

        assert answer(for_hiv, expired)[1] == "SCOPE_NOT_COVERED"

    def test_of_two_that_got_as_far_the_same_is_told_in_whatever_order(self) -> None:
        label = {"system": OWN + "security-label", "code": "SUDNOTES"}
        notes = a_condition("notes", meta={"security": [label]})
        records = (notes, written_by("aspen", notes))
        elsewhere = a_permit(securityLabel=[label], **{"class": [{"code": "Observation"}]})

        for ordinary, for_notes in (("a", "b"), ("b", "a")):
            consents = (a_consent(id=ordinary), a_consent(elsewhere, id=for_notes, kind="sud-counseling-notes"))
            assert answer(*consents, records=records) == ("DENY", "SCOPE_NOT_COVERED")

    def test_each_is_read_for_the_discloser_of_the_item(self) -> None:
        theirs, birchs = a_condition("aspen"), a_condition("birch")
        records = (theirs, birchs, written_by("aspen", theirs), written_by("birch", birchs))

        record = ask(a_consent(), records=records).record

        assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Condition/birch",))
        assert record.reason == "DISCLOSER_NOT_NAMED"

    def test_one_bound_to_its_own_consent_is_read_by_that_alone(self) -> None:
        kept, passed_on = a_condition("kept"), a_condition("passed-on")
        records = (
            kept, passed_on, written_by("aspen", kept, passed_on), handed_to("birch", passed_on, under="Consent/tpo"),
        )  # fmt: skip
        named = a_consent(a_permit("quarry"), id="named")

        record = ask(
            a_tpo_consent(), named, records=records, recipient="org:quarry", facts=[an_open_visit("mercy")]
        ).record

        assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Condition/passed-on",))


class TestWhoMayPassOnWhatItGets:
    """42 CFR 2.33(b)."""

    def owed(self, consent: Json, to: str, **case: Any) -> set[str]:
        return set(ask(consent, recipient=f"org:{to}", **case).record.obligations)

    def test_a_covered_entity_may_that_got_it_for_treatment(self) -> None:
        assert "NO_REDISCLOSE" not in self.owed(a_consent(), "mercy")
        assert "NO_REDISCLOSE" in self.owed(a_consent(a_permit("squad")), "squad")
        assert "NO_REDISCLOSE" in self.owed(a_consent(a_permit(purposes=["PATRQT"])), "mercy", purpose=["PATRQT"])

    def test_a_program_may_under_a_single_consent_only(self) -> None:
        visit = an_open_visit("birch")

        assert "NO_REDISCLOSE" not in self.owed(a_tpo_consent(), "birch", facts=[visit])
        assert "NO_REDISCLOSE" in self.owed(a_consent(a_permit("birch")), "birch")

    def test_a_person_may_not(self) -> None:
        actor = {**recipient("mercy"), "reference": {"reference": "RelatedPerson/s"}}

        owed = set(
            ask(
                a_consent(a_permit(actor=[actor])), recipient="RelatedPerson/s", requester=alone("RelatedPerson/s")
            ).record.obligations
        )

        assert "NO_REDISCLOSE" in owed
