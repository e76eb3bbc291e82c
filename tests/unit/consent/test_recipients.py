"""Whom a permit reaches: who belongs to a class, by what evidence, and who passes on."""

from typing import Any

import pytest

from tests.support.part2_world import (
    a_class,
    a_consent,
    a_permit,
    a_tpo_consent,
    alone,
    an_open_visit,
    answer,
    organization,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]
CLAIM = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}
CLAIMS = (CLAIM, written_by("aspen", CLAIM))
BELONGS = ("PERMIT", "OK_TPO")
DOES_NOT = ("DENY", "RECIPIENT_NOT_TREATING")
ASSOCIATE = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:aspen"]}]}
QSOA = {"agreements": [{"id": "q", "type": "qsoa", "with": "org:aspen", "from": "2026-01-01"}]}
COVERAGE = {
    "resourceType": "Coverage",
    "id": "c",
    "status": "active",
    "beneficiary": {"reference": "Patient/t1"},
    "payor": [organization("plan")],
}


class TestTheClassOfTpo:
    @pytest.mark.parametrize("purpose", ["HPAYMT", "HOPERAT"])
    @pytest.mark.parametrize(
        ("clerks", "outcome"),
        [
            (ASSOCIATE, BELONGS),
            (QSOA, BELONGS),
            ({}, DOES_NOT),
            ({"agreements": [{**QSOA["agreements"][0], "type": "contract"}]}, DOES_NOT),
            ({"agreements": [{**QSOA["agreements"][0], "to": "2026-06-30"}]}, DOES_NOT),
        ],
    )
    def test_has_those_who_help_to_operate_the_program(
        self, purpose: str, clerks: Json, outcome: tuple[str, str]
    ) -> None:
        case: Json = {"recipient": "org:clerks", "purpose": [purpose], "records": CLAIMS}

        assert answer(a_tpo_consent(), registry=world(clerks=clerks), **case) == outcome

    def test_has_the_payer_for_payment_and_for_operations(self) -> None:
        case: Json = {"recipient": "org:plan", "records": CLAIMS}

        for purpose in ("HPAYMT", "HOPERAT"):
            assert answer(a_tpo_consent(), purpose=[purpose], facts=[COVERAGE], **case) == BELONGS
            assert answer(a_tpo_consent(), purpose=[purpose], **case) == DOES_NOT

    def test_has_a_covered_entity_that_treats_for_operations_and_not_for_payment(self) -> None:
        case: Json = {"records": CLAIMS, "facts": [an_open_visit("mercy"), an_open_visit("squad")]}

        assert answer(a_tpo_consent(), purpose=["HOPERAT"], **case) == BELONGS
        assert answer(a_tpo_consent(), purpose=["HPAYMT"], **case) == DOES_NOT
        assert answer(a_tpo_consent(), purpose=["HOPERAT"], recipient="org:squad", **case) == DOES_NOT

    def test_asks_evidence_for_each_of_several_purposes(self) -> None:
        case: Json = {"records": CLAIMS, "purpose": ["TREAT", "HPAYMT"]}

        assert answer(a_tpo_consent(), facts=[an_open_visit("mercy"), COVERAGE], **case) == DOES_NOT

    def test_has_no_police_and_no_person(self) -> None:
        team = {
            "resourceType": "CareTeam",
            "id": "team",
            "subject": {"reference": "Patient/t1"},
            "participant": [{"member": organization("mercy")}],
        }

        assert answer(a_tpo_consent(), facts=[team], role="officer", purpose=["COC"]) == DOES_NOT
        assert answer(a_tpo_consent(), facts=[team], purpose=["COC"]) == BELONGS
        assert answer(a_tpo_consent(), recipient="RelatedPerson/s", requester=alone("RelatedPerson/s")) == DOES_NOT

    def test_has_a_program_that_treats(self) -> None:
        assert answer(a_tpo_consent(), recipient="org:birch", facts=[an_open_visit("birch")]) == BELONGS


class TestIntermediaries:
    def through(self, *participants: Json, contained: list[Json] | None = None, **permit: Any) -> Json:
        nested = [{"type": "permit", "actor": list(participants)}] if participants else []
        return a_consent(a_permit("relay", provision=nested, **permit), contained=contained)

    def test_that_name_nobody_behind_them_lack_an_element(self) -> None:
        """42 CFR 2.31(a)(4)(ii)."""
        lacking = ("DENY", "CONSENT_DEFICIENT:EL_INTERMEDIARY")

        assert answer(self.through(), via=["org:relay"]) == lacking
        assert answer(self.through(), recipient="org:relay") == lacking

    @pytest.mark.parametrize("nested", [{"type": "permit"}, {"type": "deny", "actor": [recipient("plan")]}])
    def test_have_no_participants_in_what_names_nobody_or_refuses_somebody(self, nested: Json) -> None:
        consent = a_consent(a_permit("relay", provision=[nested]))

        assert answer(consent, via=["org:relay"]) == ("DENY", "CONSENT_DEFICIENT:EL_INTERMEDIARY")

    def test_are_needed_to_name_those_who_treat_as_participants(self) -> None:
        group, actor = a_class("treating-participants")
        beside_a_plan = a_consent(a_permit(actor=[actor, recipient("plan")]), contained=[group])
        beside_a_stranger = a_consent(a_permit(actor=[actor, {"reference": {"display": "?"}}]), contained=[group])

        for consent in (beside_a_plan, beside_a_stranger):
            outcome = answer(consent, facts=[an_open_visit("mercy")])
            assert outcome == ("DENY", "CONSENT_DEFICIENT:EL_INTERMEDIARY")

    @pytest.mark.parametrize("facts", [[], [an_open_visit("mercy")]])
    def test_may_not_name_all_their_participants_whether_they_treat_or_not(self, facts: list[Json]) -> None:
        group, actor = a_class("all-participants")

        outcome = answer(self.through(actor, contained=[group]), via=["org:relay"], facts=facts)

        assert outcome == ("DENY", "CONSENT_DEFICIENT:EL_INTERMEDIARY")

    def test_reach_only_whom_the_permit_names_behind_them(self) -> None:
        consent = self.through(recipient("mercy"))

        assert answer(consent, via=["org:relay"]) == ("PERMIT", "OK_INTERMEDIARY")
        assert answer(consent, via=["org:relay"], recipient="org:plan", records=CLAIMS) == (
            "DENY",
            "RECIPIENT_NOT_NAMED",
        )
        assert answer(consent, recipient="org:plan", records=CLAIMS) == ("DENY", "RECIPIENT_NOT_NAMED")

    def test_are_themselves_named_recipients(self) -> None:
        assert answer(self.through(recipient("mercy")), recipient="org:relay") == ("PERMIT", "OK_CONSENT")

    def test_are_found_wherever_the_permit_names_them(self) -> None:
        nested = [{"type": "permit", "actor": [recipient("mercy")]}]

        for names in (("plan", "relay"), ("relay", "plan"), ("broker", "relay")):
            assert answer(a_consent(a_permit(*names, provision=nested)), via=["org:relay"]) == (
                "PERMIT",
                "OK_INTERMEDIARY",
            )

    def test_are_not_needed_by_who_is_named_beside_them(self) -> None:
        both = a_consent(a_permit("mercy", "relay", provision=[{"type": "permit", "actor": [recipient("plan")]}]))

        assert answer(both, via=["org:relay"]) == ("PERMIT", "OK_CONSENT")
        assert answer(a_consent(a_permit("mercy", "relay")), via=["org:relay"]) == ("PERMIT", "OK_CONSENT")

    def test_nobody_else_on_the_way_is_one(self) -> None:
        through_broker = a_consent(a_permit("broker", provision=[{"type": "permit", "actor": [recipient("mercy")]}]))

        of_mercy = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:mercy"]}]}

        for registry in (world(), world(broker=of_mercy)):
            outcome = answer(through_broker, via=["org:broker"], registry=registry)
            assert outcome == ("DENY", "RECIPIENT_NOT_NAMED")

    def test_are_found_behind_others_on_the_way_who_only_pass_on(self) -> None:
        consent = a_consent(
            a_permit("exchange", "relay", provision=[{"type": "permit", "actor": [recipient("mercy")]}])
        )

        assert answer(consent, via=["org:exchange", "org:relay"]) == ("PERMIT", "OK_INTERMEDIARY")


class TestOnTheWay:
    def test_an_associate_of_the_program_acts_for_it_and_is_no_recipient(self) -> None:
        registry = world(broker=ASSOCIATE)

        assert answer(a_consent(), via=["org:broker"], registry=registry) == ("PERMIT", "OK_CONSENT")
        assert answer(a_consent(), via=["org:broker"]) == ("DENY", "RECIPIENT_NOT_NAMED")

    def test_an_associate_of_the_recipient_only_passes_on(self) -> None:
        of_mercy = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:mercy"]}]}

        assert answer(a_consent(), via=["org:broker"], registry=world(broker=of_mercy)) == ("PERMIT", "OK_CONSENT")
        assert answer(a_consent(), via=["org:exchange"]) == ("PERMIT", "OK_CONSENT")
