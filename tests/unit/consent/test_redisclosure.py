"""What a holder may pass on: what each way of it owes and rests on (42 CFR 2.33)."""

from typing import Any

import pytest

from gateway.model.decision import Basis, Verdict
from tests.support.part2_world import (
    a_condition,
    a_consent,
    a_permit,
    a_restriction,
    a_tpo_consent,
    answer,
    ask,
    handed_to,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]
RECORD = a_condition()
CLAIM = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}
CONTRACT = {"id": "k1", "type": "contract", "with": "org:payco", "from": "2026-01-01", "to": "2026-12-31"}


def copy(holder: str, item: Json = RECORD, **hop: Any) -> tuple[Json, ...]:
    return item, written_by("aspen", item), handed_to(holder, item, **hop)


class TestAsHipaaAllows:
    @pytest.mark.parametrize(
        ("hop", "outcome"),
        [
            ({"under": "Consent/tpo"}, ("PERMIT", "OK_HIPAA_REDISCLOSURE")),
            ({"code": "hipaa"}, ("DENY", "REDISCLOSURE_BARRED")),
            ({"code": "referral"}, ("DENY", "REDISCLOSURE_BARRED")),
            ({"under": "Consent/tpo", "purpose": "PATRQT"}, ("DENY", "REDISCLOSURE_BARRED")),
            ({"under": "Consent/tpo", "reason": []}, ("DENY", "REDISCLOSURE_BARRED")),
        ],
    )
    def test_a_covered_entity_passes_on_what_it_got_for_treatment(self, hop: Json, outcome: tuple[str, str]) -> None:
        assert answer(a_tpo_consent(), records=copy("mercy", **hop), recipient="org:quarry") == outcome

    def test_who_is_no_covered_entity_does_not(self) -> None:
        assert answer(a_tpo_consent(), records=copy("squad", under="Consent/tpo"), recipient="org:quarry") == (
            "DENY",
            "REDISCLOSURE_BARRED",
        )

    def test_it_yields_to_a_restriction(self) -> None:
        case: Json = {"records": copy("mercy", under="Consent/tpo"), "recipient": "org:quarry"}

        assert answer(a_tpo_consent(), facts=[a_restriction("quarry")], **case) == ("DENY", "RESTRICTION_AGREED")

    def test_it_passes_through_those_only_who_may_receive(self) -> None:
        case: Json = {"records": copy("mercy", under="Consent/tpo"), "recipient": "org:quarry"}

        assert answer(a_tpo_consent(), via=["org:squad"], **case) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")
        assert answer(a_tpo_consent(), via=["org:broker"], **case) == ("DENY", "REDISCLOSURE_BARRED")

    def test_an_associate_of_the_holder_on_the_way_acts_for_it(self) -> None:
        of_mercy = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:mercy"]}]}
        case: Json = {"records": copy("mercy", under="Consent/tpo"), "recipient": "org:quarry"}

        outcome = answer(a_tpo_consent(), via=["org:broker"], registry=world(broker=of_mercy), **case)

        assert outcome == ("PERMIT", "OK_HIPAA_REDISCLOSURE")


class TestToAContractor:
    FOR_PAYMENT = a_consent(a_permit("payco", purposes=["HPAYMT"]))
    CASE: Json = {
        "records": copy("payco", CLAIM, under="Consent/paper", purpose="HPAYMT"),
        "recipient": "org:clerks",
        "purpose": ["HPAYMT"],
        "registry": world(clerks={"agreements": [CONTRACT]}),
    }

    def test_it_goes_under_the_consent_it_was_received_under(self) -> None:
        (found,) = ask(self.FOR_PAYMENT, **self.CASE).verdicts

        owed = {"NOTICE", "MIN", "LABEL", "PROCEEDINGS_BAR", "NO_REDISCLOSE", "ACCOUNT", "RECHECK"}
        assert found == Verdict(
            "Claim/c1", "PERMIT", "OK_CONSENT", 1000, frozenset(owed), Basis("Consent", "paper", "1"), "consent"
        )

    def test_it_does_not_go_where_the_person_refused(self) -> None:
        refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("clerks")]})

        assert answer(self.FOR_PAYMENT, refusal, **self.CASE) == ("DENY", "EXPLICIT_DENY")

    def test_it_yields_to_a_restriction(self) -> None:
        assert answer(self.FOR_PAYMENT, facts=[a_restriction("clerks")], **self.CASE) == ("DENY", "RESTRICTION_AGREED")

    def test_it_goes_by_the_hands_of_who_acts_for_the_payer(self) -> None:
        of_payer = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:payco"]}]}
        registry = world(clerks={"agreements": [CONTRACT]}, broker=of_payer)

        outcome = answer(self.FOR_PAYMENT, **{**self.CASE, "registry": registry}, via=["org:broker"])

        assert outcome == ("PERMIT", "OK_CONSENT")

    @pytest.mark.parametrize(
        "change",
        [
            {"purpose": ["TREAT"]},
            {"records": copy("mercy", CLAIM, under="Consent/paper", purpose="HPAYMT")},
            {"records": copy("payco", CLAIM, code="referral", purpose="HPAYMT")},
            {"records": copy("payco", CLAIM, under="Consent/paper", purpose="PATRQT")},
            {"via": ["org:broker"]},
        ],
    )
    def test_it_goes_for_payment_from_a_payer_directly_and_no_other_way(self, change: Json) -> None:
        assert answer(self.FOR_PAYMENT, **{**self.CASE, **change}) == ("DENY", "REDISCLOSURE_BARRED")
