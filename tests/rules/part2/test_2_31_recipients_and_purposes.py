"""42 CFR 2.31(a)(2), (a)(4), (a)(5): who may disclose, to whom, through whom, and for what."""

from typing import Any

import pytest

from tests.support.part2_world import (
    PARTNER,
    a_class,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    ask,
    organization,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]

COVERAGE = {
    "resourceType": "Coverage",
    "id": "card",
    "status": "active",
    "beneficiary": {"reference": "Patient/t1"},
    "payor": [organization("plan")],
}
CLAIM = {
    "resourceType": "Claim",
    "id": "c1",
    "patient": {"reference": "Patient/t1"},
    "item": [{"sequence": 1, "productOrService": {"coding": [{"code": "H0020"}]}}],
}
CLAIMS = (CLAIM, written_by("aspen", CLAIM))


def test_another_partner_is_not_named() -> None:
    assert answer(a_consent(), recipient="org:quarry") == ("DENY", "RECIPIENT_NOT_NAMED")


def test_a_name_never_matches() -> None:
    actor = {**recipient("quarry"), "reference": {**organization("quarry"), "display": "Mercy of Nowhere"}}

    assert answer(a_consent(a_permit(actor=[actor]))) == ("DENY", "RECIPIENT_NOT_NAMED")


def test_a_unit_is_not_its_parent() -> None:
    unit = {"id": "org:mercy-lab", "name": "Laboratory", "identifiers": [{"system": PARTNER, "value": "mercy-lab"}]}
    registry = world(mercy={"units": [unit]})

    assert answer(a_consent(), recipient="org:mercy-lab", registry=registry) == ("DENY", "RECIPIENT_NOT_NAMED")


def test_who_refuses_an_organization_refuses_its_units() -> None:
    unit = {"id": "org:mercy-lab", "name": "Laboratory", "identifiers": [{"system": PARTNER, "value": "mercy-lab"}]}
    registry = world(mercy={"units": [unit]})
    both = a_consent(a_permit(actor=[recipient("mercy-lab")]))
    refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("mercy")]})

    assert answer(both, recipient="org:mercy-lab", registry=registry) == ("PERMIT", "OK_CONSENT")
    assert answer(both, refusal, recipient="org:mercy-lab", registry=registry) == ("DENY", "EXPLICIT_DENY")


def test_a_condition_at_the_root_binds_everything_inside() -> None:
    root = {**a_permit("quarry"), "period": {"end": "2026-12-31"}, "provision": [a_permit("mercy")]}

    assert answer(a_consent(provision=root)) == ("DENY", "RECIPIENT_NOT_NAMED")


def test_another_program_is_not_the_discloser() -> None:
    record = a_condition()

    assert answer(a_consent(), records=(record, written_by("birch", record))) == ("DENY", "DISCLOSER_NOT_NAMED")


class TestANamedPerson:
    LEE = {"type": "Practitioner", "identifier": {"system": "urn:oid:2.999.8", "value": "lee"}}
    CONSENT = a_consent(a_permit(actor=[{"role": {"coding": [{"code": "IRCP"}]}, "reference": LEE}]))

    def role_of(self, who: str) -> Json:
        identifier = {"system": "urn:oid:2.999.8", "value": who}
        return {
            "resourceType": "PractitionerRole",
            "id": f"{who}-at-mercy",
            "organization": organization("mercy"),
            "practitioner": {"type": "Practitioner", "identifier": identifier},
        }

    def asks(self, who: str) -> tuple[str, str]:
        by = {
            "organization": "org:mercy",
            "authenticated_as": "org:mercy",
            "person": {"id": f"PractitionerRole/{who}-at-mercy", "role": "physician"},
        }
        return answer(self.CONSENT, facts=[self.role_of(who)], requester=by)

    def test_gets_it(self) -> None:
        assert self.asks("lee") == ("PERMIT", "OK_CONSENT")

    def test_a_colleague_does_not(self) -> None:
        assert self.asks("kim") == ("DENY", "RECIPIENT_NOT_NAMED")


class TestTheClassOfTreatmentPaymentOperations:
    def test_a_provider_belongs_by_evidence_of_treatment(self) -> None:
        assert answer(a_tpo_consent(), facts=[an_open_visit("mercy")]) == ("PERMIT", "OK_TPO")
        assert answer(a_tpo_consent()) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_somebody_elses_visit_is_no_evidence(self) -> None:
        visit = {**an_open_visit("mercy"), "subject": {"reference": "Patient/other"}}

        assert answer(a_tpo_consent(), facts=[visit]) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_a_visit_that_is_over_is_no_evidence(self) -> None:
        visit = {**an_open_visit("mercy"), "period": {"end": "2026-10-01"}}

        assert answer(a_tpo_consent(), facts=[visit]) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_a_health_plan_belongs_by_coverage_and_for_payment(self) -> None:
        case: Json = {"recipient": "org:plan", "records": CLAIMS, "facts": [COVERAGE]}

        record = ask(a_tpo_consent(), purpose=["HPAYMT"], **case).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_TPO")
        assert "MIN" in record.obligations
        assert answer(a_tpo_consent(), purpose=["TREAT"], **case) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_a_housing_agency_on_the_care_team_is_no_treating_provider(self) -> None:
        team = {
            "resourceType": "CareTeam",
            "id": "team",
            "status": "active",
            "subject": {"reference": "Patient/t1"},
            "participant": [{"member": organization("shelter")}],
        }

        assert answer(a_tpo_consent(), recipient="org:shelter", facts=[team]) == ("DENY", "RECIPIENT_NOT_TREATING")


class TestIntermediaries:
    def through(self, *participants: Json, contained: list[Json] | None = None) -> Json:
        nested = [{"type": "permit", "actor": list(participants)}] if participants else []
        return a_consent(a_permit("relay", purposes=["TREAT", "HPAYMT"], provision=nested), contained=contained)

    def test_a_named_participant_receives_through_it(self) -> None:
        record = ask(self.through(recipient("mercy")), via=["org:relay"]).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_INTERMEDIARY")
        assert "INTERMEDIARY_LOG" not in record.obligations

    def test_a_treating_participant_receives_through_it_and_is_listed(self) -> None:
        group, actor = a_class("treating-participants")

        record = ask(self.through(actor, contained=[group]), via=["org:relay"], facts=[an_open_visit("mercy")]).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_INTERMEDIARY")
        assert "INTERMEDIARY_LOG" in record.obligations

    def test_a_participant_who_does_not_treat_does_not(self) -> None:
        group, actor = a_class("treating-participants")

        assert answer(self.through(actor, contained=[group]), via=["org:relay"]) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_a_provider_who_is_no_participant_does_not(self) -> None:
        group, actor = a_class("treating-participants")
        case: Json = {"via": ["org:relay"], "recipient": "org:quarry", "facts": [an_open_visit("quarry")]}

        assert answer(self.through(actor, contained=[group]), **case) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_all_participants_is_not_limited_to_those_who_treat(self) -> None:
        group, actor = a_class("all-participants")

        assert answer(self.through(actor, contained=[group]), via=["org:relay"], facts=[an_open_visit("mercy")]) == (
            "DENY",
            "CONSENT_DEFICIENT:EL_INTERMEDIARY",
        )

    def test_naming_it_alone_names_nobody_behind_it(self) -> None:
        assert answer(self.through(), via=["org:relay"]) == ("DENY", "CONSENT_DEFICIENT:EL_INTERMEDIARY")

    def test_somebody_named_beside_it_needs_no_participants(self) -> None:
        assert answer(a_consent(a_permit("relay", "mercy")), via=["org:relay"]) == ("PERMIT", "OK_CONSENT")

    @pytest.mark.parametrize("kind", ["permit", "deny"])
    def test_within_a_provision_for_somebody_else_it_passes_nothing_on(self, kind: str) -> None:
        to_mercy = {"type": "permit", "actor": [recipient("mercy")]}
        around = {"type": kind, "actor": [recipient("broker")], "period": {"end": "2026-12-31"}}
        consent = a_consent(provision={**around, "provision": [a_permit("relay", provision=[to_mercy])]})

        assert answer(consent, via=["org:relay"]) == ("DENY", "RECIPIENT_NOT_NAMED")

    @pytest.mark.parametrize("named", ["relay", "mercy"])
    def test_within_a_provision_for_it_or_its_participant_it_passes_on(self, named: str) -> None:
        to_mercy = {"type": "permit", "actor": [recipient("mercy")]}
        around = {"type": "permit", "actor": [recipient(named)], "period": {"end": "2026-12-31"}}
        consent = a_consent(provision={**around, "provision": [a_permit("relay", provision=[to_mercy])]})

        assert answer(consent, via=["org:relay"]) == ("PERMIT", "OK_INTERMEDIARY")

    def test_its_participants_do_not_receive_past_it(self) -> None:
        assert answer(self.through(recipient("mercy"))) == ("DENY", "RECIPIENT_NOT_NAMED")


class TestRelays:
    def test_an_exchange_that_serves_the_recipient_only_passes_on(self) -> None:
        record = ask(a_tpo_consent(), via=["org:exchange"], facts=[an_open_visit("mercy")]).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_TPO")
        assert "INTERMEDIARY_LOG" not in record.obligations

    def test_one_that_serves_neither_side_is_a_recipient(self) -> None:
        assert answer(a_consent(), via=["org:broker"]) == ("DENY", "RECIPIENT_NOT_NAMED")

    def test_one_nobody_knows_is_a_recipient(self) -> None:
        assert answer(a_consent(), via=["org:nobody"]) == ("DENY", "RECIPIENT_NOT_NAMED")

    def test_a_named_one_may_pass_on(self) -> None:
        assert answer(a_consent(a_permit("mercy", "broker")), via=["org:broker"]) == ("PERMIT", "OK_CONSENT")


class TestCopies:
    def test_a_copy_to_somebody_not_named_stays_here(self) -> None:
        record = ask(a_consent(), copies=["org:quarry"]).record

        assert (record.decision, record.reason) == ("PERMIT_REDACTED", "RECIPIENT_NOT_NAMED")
        assert record.withheld == ("org:quarry",)

    def test_a_copy_to_somebody_named_goes_too(self) -> None:
        paper = a_consent(a_permit("mercy", "quarry"))

        assert answer(paper, by="org:aspen", copies=["org:quarry"]) == ("PERMIT", "OK_CONSENT")

    def test_whoever_receives_cannot_order_copies_for_others(self) -> None:
        record = ask(a_consent(a_permit("mercy", "quarry")), copies=["org:quarry"]).record

        assert (record.decision, record.reason, record.withheld) == (
            "PERMIT_REDACTED",
            "IDENTITY_MISMATCH",
            ("org:quarry",),
        )


@pytest.mark.parametrize(
    ("stated", "asked", "reason"),
    [
        (["TREAT"], ["ETREAT"], "OK_CONSENT"),
        (["TREAT"], ["COC"], "OK_CONSENT"),
        (["ETREAT"], ["TREAT"], "PURPOSE_NOT_COVERED"),
        (["TREAT"], ["HPAYMT"], "PURPOSE_NOT_COVERED"),
        (["TREAT"], ["CAREMGT"], "PURPOSE_NOT_COVERED"),
        (["HOPERAT"], ["CAREMGT"], "OK_CONSENT"),
        (["HOPERAT"], ["FRAUD"], "PURPOSE_NOT_COVERED"),
        (["TREAT"], ["TREAT", "HPAYMT"], "PURPOSE_NOT_COVERED"),
        (["TREAT"], ["HMARKT"], "PURPOSE_NOT_COVERED"),
        (["PATRQT"], ["PATRQT"], "OK_CONSENT"),
        (["TREAT"], [], "PURPOSE_MISSING"),
        (["HOPERAT"], ["HLEGAL"], "PROCEEDING_NO_SPECIFIC"),
        (["TREAT"], ["CLINTRL"], "PURPOSE_NOT_COVERED"),
    ],
)
def test_every_purpose_asked_must_be_covered(stated: list[str], asked: list[str], reason: str) -> None:
    assert answer(a_consent(a_permit(purposes=stated)), purpose=asked)[1] == reason


class TestProceedings:
    CONSENT = a_consent(a_permit("attorneys", purposes=["HLEGAL"]), kind="proceedings")

    def test_a_consent_for_one_proceeding_stands_alone(self) -> None:
        record = ask(self.CONSENT, recipient="org:attorneys", purpose=["HLEGAL"]).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_CONSENT")
        assert {"NO_REDISCLOSE", "LEGAL_QUEUE"} <= set(record.obligations)

    def test_combined_with_another_purpose_it_is_none(self) -> None:
        combined = a_consent(a_permit("attorneys", purposes=["HLEGAL", "TREAT"]), kind="proceedings")

        assert answer(combined, recipient="org:attorneys", purpose=["HLEGAL"]) == ("DENY", "COMBINED_PROCEEDING")

    def test_a_consent_to_something_else_ends_a_request_for_one_and_makes_nobody_wait(self) -> None:
        """42 CFR 2.12(d)(1)."""
        treatment = a_consent(a_permit("attorneys"))

        assert answer(treatment, recipient="org:attorneys", purpose=["HLEGAL"]) == ("DENY", "PROCEEDING_NO_SPECIFIC")

    def test_a_subpoena_is_no_consent(self) -> None:
        assert answer(self.CONSENT, recipient="org:attorneys", purpose=["LEGAL"]) == ("DENY", "SUBPOENA_ALONE")
