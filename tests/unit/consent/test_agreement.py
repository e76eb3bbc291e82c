"""The gate before the decision: what counts as a yes, what as a no, and at which step it ends."""

from typing import Any

import pytest

from tests.support.part2_world import (
    REFERRAL,
    T0,
    a_condition,
    a_consent,
    labels,
    recipient,
    stopped_before,
    taken_back,
    unavailable,
)

Json = dict[str, Any]

REPORT = a_condition("report", "I10", meta={"security": labels("HIV")})
NO = ("EXPLICIT_DENY", 50)
NOT_ASKED = ("NO_CONSENT", 50)


def stop(*consents: Json, **case: Any) -> tuple[str, int] | None:
    refusal = stopped_before(*consents, **case)
    return (refusal.verdicts[0].reason, refusal.verdicts[0].step) if refusal else None


def yes(**changes: Any) -> Json:
    return a_consent(**{"provision": {"type": "permit"}, **changes})


class TestAYes:
    def test_opens_the_way(self) -> None:
        assert stop(yes()) is None
        assert stop() == NOT_ASKED

    def test_counts_from_the_instant_it_was_given(self) -> None:
        assert stop(yes(dateTime=T0)) is None
        assert stop(yes(dateTime="2026-11-02T18:00:01Z")) == NOT_ASKED

    def test_that_is_reported_false_is_none(self) -> None:
        false = {"type": "consent_false", "consent": "Consent/paper"}

        assert stop(yes(), facts=(false,)) == NOT_ASKED

    def test_from_elsewhere_counts_while_it_is_confirmed(self) -> None:
        meta = {"versionId": "1", "source": "https://exchange.example/fhir"}
        verified = [{"verified": True}]

        assert stop(yes(meta={**meta, "lastUpdated": "2026-11-02T01:00:00Z"}, verification=verified)) is None
        assert stop(yes(meta={**meta, "lastUpdated": "2026-11-01T01:00:00Z"}, verification=verified)) == NOT_ASKED

    def test_counts_from_the_beginning_of_its_period_and_not_at_its_end(self) -> None:
        period = {"start": "2026-11-02T18:00:00Z", "end": "2026-11-02T18:59:59Z"}
        dated = yes(provision={"type": "permit", "period": period})

        assert stop(dated, at="2026-11-02T17:59:59Z") == NOT_ASKED
        assert stop(dated, at="2026-11-02T18:00:00Z") is None
        assert stop(dated, at="2026-11-02T18:59:59Z") is None
        assert stop(dated, at="2026-11-02T19:00:00Z") == NOT_ASKED

    @pytest.mark.parametrize(("purposes", "found"), [
        (["TREAT"], None), (["ETREAT", "COC"], None), (["TREAT", "HPAYMT"], NOT_ASKED), (["HPAYMT"], NOT_ASKED),
    ])  # fmt: skip
    def test_to_one_purpose_covers_that_and_what_it_includes(
        self, purposes: list[str], found: tuple[str, int] | None
    ) -> None:
        treat = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}

        assert stop(yes(provision={"type": "permit", "purpose": [treat]}), purpose=purposes) == found

    def test_to_somebody_else_is_none(self) -> None:
        assert stop(yes(provision={"type": "permit", "actor": [recipient("plan")]})) == NOT_ASKED


class TestANo:
    def test_to_everything_ends_it_beside_any_yes(self) -> None:
        assert stop(a_consent(id="no", provision={"type": "deny"}), yes()) == NO

    def test_to_a_part_is_left_to_the_decision(self) -> None:
        part = a_consent(id="no", provision={"type": "deny", "securityLabel": labels("HIV")})

        assert stop(part, yes(), items=(REFERRAL, REPORT)) is None
        assert stop(part, yes(), items=(REPORT,)) == NO

    def test_is_a_yes_that_was_taken_back(self) -> None:
        assert stop(yes(extensions=[taken_back()])) == NO
        assert stop(yes(extensions=[taken_back()]), yes(id="other")) is None


def test_consents_nobody_can_rely_on_end_it_at_their_own_step() -> None:
    assert stop(yes(implicitRules="urn:x")) == ("UNPARSEABLE", 1300)
    assert stop(yes(), facts=(unavailable("consent_source"),)) == ("CONSENT_SOURCE_UNAVAILABLE", 1301)


def test_a_request_that_ends_as_a_whole_is_left_to_the_decision() -> None:
    assert stopped_before(patient="Patient/nobody") is None


def test_the_refusal_names_every_item_and_the_instant() -> None:
    refusal = stopped_before(items=(REFERRAL, REPORT))

    assert refusal is not None
    assert (refusal.record.decision, refusal.record.reason) == ("DENY", "NO_CONSENT")
    assert refusal.record.withheld == ("Condition/report", "Task/r")
    assert refusal.record.at == "2026-11-02T18:00:00Z"
