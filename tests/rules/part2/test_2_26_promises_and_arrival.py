"""42 CFR 2.13(a), 2.16, 2.26, 2.32: restrictions, payment's least, proven addresses, a notice that can travel."""

from typing import Any

import pytest

from tests.support.part2_world import PARTNER, a_condition, a_consent, a_permit, answer, ask, world, written_by

Json = dict[str, Any]

CLAIM: Json = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}


def restriction(kind: str, against: str, **more: Any) -> Json:
    return {"type": "restriction", "kind": kind, "against": [f"org:{against}"], **more}


class TestRestrictions:
    def test_an_agreed_one_binds(self) -> None:
        assert answer(a_consent(), facts=[restriction("agreed", "mercy")]) == ("DENY", "RESTRICTION_AGREED")

    def test_against_whom_it_was_agreed_and_for_what(self) -> None:
        assert answer(a_consent(), facts=[restriction("agreed", "quarry")])[0] == "PERMIT"
        assert answer(a_consent(), facts=[restriction("agreed", "mercy", items=["Condition/other"])])[0] == "PERMIT"

    def test_it_binds_the_units_of_whom_it_names_and_those_on_the_way(self) -> None:
        unit = {"id": "org:mercy-ward", "name": "Ward of Mercy", "identifiers": [{"system": PARTNER, "value": "ward"}]}
        registry = world(mercy={"units": [unit]})
        consent = a_consent(a_permit("mercy", "ward"))
        through = {"via": ["org:exchange"]}

        assert answer(consent, recipient="org:mercy-ward", registry=registry)[1] == "OK_CONSENT"
        assert answer(
            consent, recipient="org:mercy-ward", registry=registry, facts=[restriction("agreed", "mercy")]
        ) == ("DENY", "RESTRICTION_AGREED")
        assert answer(consent, **through)[1] == "OK_CONSENT"
        assert answer(consent, **through, facts=[restriction("agreed", "exchange")])[1] == "RESTRICTION_AGREED"

    def test_it_binds_what_needs_no_consent_too(self) -> None:
        flu = a_condition("flu", "J10.1")

        assert answer(records=(flu, written_by("quarry", flu)), facts=[restriction("agreed", "mercy")])[1] == (
            "RESTRICTION_AGREED"
        )

    def test_what_was_paid_out_of_pocket_stays_from_the_plan(self) -> None:
        consent = a_consent(a_permit("plan", purposes=["HPAYMT"]))
        case: Json = {"recipient": "org:plan", "purpose": ["HPAYMT"], "records": (CLAIM, written_by("aspen", CLAIM))}

        assert answer(consent, facts=[restriction("self_pay", "plan", items=["Claim/c1"])], **case) == (
            "DENY",
            "RESTRICTION_SELF_PAY",
        )

    @pytest.mark.parametrize("purpose", ["TREAT", "PATRQT"])
    def test_a_second_purpose_does_not_lift_one(self, purpose: str) -> None:
        of_mercy = a_consent(a_permit("mercy", purposes=["TREAT", "PATRQT"]))
        of_plan = a_consent(a_permit("plan", purposes=["HPAYMT", "TREAT", "PATRQT"]))
        bill: Json = {"recipient": "org:plan", "records": (CLAIM, written_by("aspen", CLAIM))}

        agreed = answer(of_mercy, purpose=["TREAT", purpose], facts=[restriction("agreed", "mercy")])
        paid = answer(of_plan, purpose=["HPAYMT", purpose], facts=[restriction("self_pay", "plan")], **bill)

        assert (agreed, paid) == (("DENY", "RESTRICTION_AGREED"), ("DENY", "RESTRICTION_SELF_PAY"))

    def test_what_is_for_nothing_of_that_kind_it_does_not_stop(self) -> None:
        consent = a_consent(a_permit("shelter", purposes=["PATRQT"]))
        case: Json = {"recipient": "org:shelter", "purpose": ["PATRQT"]}

        assert answer(consent, facts=[restriction("agreed", "shelter")], **case) == ("PERMIT", "OK_CONSENT")


class TestPayment:
    CONSENT = a_consent(a_permit("plan", purposes=["HPAYMT"]))

    @pytest.mark.parametrize(
        ("item", "reason"),
        [
            (CLAIM, "OK_CONSENT"),
            ({**CLAIM, "item": [{"noteNumber": [1]}]}, "MIN_NECESSARY"),
            (a_condition(), "MIN_NECESSARY"),
        ],
    )
    def test_gets_the_claim_and_no_free_text(self, item: Json, reason: str) -> None:
        case: Json = {"recipient": "org:plan", "purpose": ["HPAYMT"], "records": (item, written_by("aspen", item))}

        assert answer(self.CONSENT, **case)[1] == reason

    def test_beside_another_purpose_it_is_payment_still(self) -> None:
        consent = a_consent(a_permit("plan", purposes=["HPAYMT", "HOPERAT"]))
        case: Json = {"recipient": "org:plan", "purpose": ["HPAYMT", "HOPERAT"]}

        assert answer(consent, **case) == ("DENY", "MIN_NECESSARY")
        assert "MIN" in ask(consent, records=(CLAIM, written_by("aspen", CLAIM)), **case).record.obligations

    def test_beside_treatment_it_takes_nothing_from_who_treats(self) -> None:
        consent = a_consent(a_permit("mercy", purposes=["TREAT", "HPAYMT"]))

        assert answer(consent, purpose=["TREAT", "HPAYMT"]) == ("PERMIT", "OK_CONSENT")


class TestTheAddress:
    @pytest.mark.parametrize("verified", [None, "2026-11-03"])
    def test_nobody_has_proven_waits(self, verified: str | None) -> None:
        endpoint = {"transport": "fhir", "address": "https://mercy.example", "verified": verified}

        assert answer(a_consent(), registry=world(mercy={"endpoints": [endpoint]})) == ("HOLD", "ENDPOINT_UNVERIFIED")

    def test_of_another_transport_waits(self) -> None:
        assert answer(a_consent(), transport="hl7v2") == ("HOLD", "ENDPOINT_UNVERIFIED")


class TestTheNotice:
    def over_hl7v2(self, **endpoint: Any) -> tuple[str, str]:
        stated = {"transport": "hl7v2", "address": "mllp://mercy.example:2575", "verified": "2026-01-01", **endpoint}
        return answer(a_consent(), transport="hl7v2", registry=world(mercy={"endpoints": [stated]}))

    @pytest.mark.parametrize(
        ("endpoint", "reason"),
        [
            ({"version": "2.5.1", "stores_nte": True}, "OK_CONSENT"),
            ({"version": "2.5.1", "stores_nte": False}, "NOTICE_UNATTACHABLE"),
            ({"version": "2.5.1"}, "NOTICE_UNATTACHABLE"),
            ({"version": "2.8"}, "NOTICE_UNATTACHABLE"),
            ({}, "NOTICE_UNATTACHABLE"),
            ({"stores_nte": True, "message": "OMG"}, "OK_CONSENT"),
            ({"stores_nte": False, "message": "OMG"}, "NOTICE_UNATTACHABLE"),
            ({"stores_nte": False, "message": "MDM"}, "OK_CONSENT"),
            ({"stores_nte": False, "notice_field": "ZNT-1"}, "OK_CONSENT"),
        ],
    )
    def test_travels_or_nothing_does(self, endpoint: Json, reason: str) -> None:
        assert self.over_hl7v2(**endpoint)[1] == reason

    def test_of_an_earlier_year_is_no_notice(self) -> None:
        old = "42 CFR part 2 prohibits unauthorized disclosure of these records."

        assert answer(a_consent(), switches={"notice": old}) == ("HOLD", "NOTICE_UNATTACHABLE")

    def test_is_owed_with_every_consent_and_only_with_consent(self) -> None:
        flu = a_condition("flu", "J10.1")

        assert "NOTICE" in ask(a_consent()).record.obligations
        assert "NOTICE" not in ask(records=(flu, written_by("quarry", flu))).record.obligations
