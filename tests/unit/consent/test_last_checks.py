"""Who may ask as police, and whether what goes reaches a proven address: the borders of each check."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    alone,
    answer,
    ask,
    labels,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]
MONITORING = OWN + "purpose|monitoring"
SISTER = {"resourceType": "RelatedPerson", "id": "s", "identifier": [{"system": "urn:x", "value": "7"}]}
TO_SISTER = a_consent(
    a_permit(actor=[{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": "RelatedPerson/s"}}])
)
WAITS = ("HOLD", "ENDPOINT_UNVERIFIED")


def to_sister(**case: Any) -> tuple[str, str]:
    return answer(TO_SISTER, recipient="RelatedPerson/s", facts=[SISTER], **case)


class TestLawEnforcement:
    @pytest.mark.parametrize("purposes", [["COC"], [MONITORING], ["COC", MONITORING]])
    def test_may_ask_for_coordination_and_for_monitoring(self, purposes: list[str]) -> None:
        consent = a_consent(a_permit("police", purposes=["COC", "own:monitoring"]))

        assert answer(consent, recipient="org:police", purpose=purposes) == ("PERMIT", "OK_CONSENT")

    def test_may_ask_for_a_proceeding_only_where_a_consent_is_for_one(self) -> None:
        case: Json = {"recipient": "org:police", "purpose": ["HLEGAL"]}
        consent = a_consent(a_permit("police", purposes=["HLEGAL"]), kind="proceedings")

        assert answer(consent, **case) == ("PERMIT", "OK_CONSENT")
        assert answer(a_consent(a_permit("police", purposes=["HLEGAL"])), **case) == ("DENY", "LE_NO_BASIS")
        assert answer(consent, **{**case, "purpose": ["HLEGAL", "TREAT"]}) == ("DENY", "LE_NO_BASIS")

    def test_may_still_ask_for_coordination_where_there_is_one(self) -> None:
        proceeding = a_consent(a_permit("police", purposes=["HLEGAL"]), kind="proceedings", id="proceeding")
        consent = a_consent(a_permit("police", purposes=["COC"]))

        assert answer(proceeding, consent, recipient="org:police", purpose=["COC"]) == ("PERMIT", "OK_CONSENT")


class TestAPersonWhoReceives:
    def test_is_reached_where_they_proved_to_be(self) -> None:
        assert to_sister(requester=alone("RelatedPerson/s")) == ("PERMIT", "OK_CONSENT")

    def test_is_not_reached_by_somebody_elses_word(self) -> None:
        assert to_sister(by="org:aspen") == WAITS


class TestAddresses:
    def proven(self, day: str, **case: Any) -> tuple[str, str]:
        endpoint = {"transport": "fhir", "address": "https://mercy.example", "verified": day}
        return answer(a_consent(), registry=world(mercy={"endpoints": [endpoint]}), **case)

    def test_count_from_the_day_they_were_proven_as_their_owner_counts_days(self) -> None:
        assert self.proven("2026-11-02") == ("PERMIT", "OK_CONSENT")
        assert self.proven("2026-11-03") == WAITS
        assert self.proven("2026-11-03", at="2026-11-03T06:00:00Z") == WAITS
        assert self.proven("2026-11-03", at="2026-11-03T09:00:00Z") == ("PERMIT", "OK_CONSENT")

    def test_of_the_first_on_the_way_count_in_place_of_the_recipients(self) -> None:
        through = a_consent(a_permit("mercy", "broker"))

        assert answer(through, via=["org:broker"], registry=world(mercy={"endpoints": []})) == ("PERMIT", "OK_CONSENT")
        assert answer(through, via=["org:broker"], registry=world(broker={"endpoints": []})) == WAITS
        stranger = {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": "org:nobody"}}
        named = a_consent(a_permit(actor=[*a_permit("mercy")["actor"], stranger]))
        assert answer(named, via=["org:nobody"]) == WAITS

    @pytest.mark.parametrize(
        ("transport", "issued_to", "outcome"),
        [
            ("link", "org:mercy", ("PERMIT", "OK_CONSENT")),
            ("link", None, WAITS),
            ("fhir", "org:mercy", WAITS),
            ("session", None, ("PERMIT", "OK_CONSENT")),
            ("file", None, WAITS),
        ],
    )
    def test_are_not_needed_for_a_link_of_theirs_or_a_session(
        self, transport: str, issued_to: str | None, outcome: tuple[str, str]
    ) -> None:
        requester = {"organization": "org:mercy", "authenticated_as": "org:mercy", "person": {"id": "p1"}}
        case: Json = {"requester": {**requester, "link": {"issued_to": issued_to}}, "transport": transport}

        assert answer(a_consent(), registry=world(mercy={"endpoints": []}), **case) == outcome

    def test_are_needed_for_what_another_asks_to_send_in_a_session_of_its_own(self) -> None:
        case: Json = {"by": "org:aspen", "registry": world(mercy={"endpoints": []})}

        assert answer(a_consent(), transport="session", **case) == WAITS


class TestTheNotice:
    def test_holds_nothing_that_owes_none(self) -> None:
        flu = a_condition("flu", "J10.1")

        assert answer(records=(flu, written_by("quarry", flu)), switches={"notice": "another"})[0] == "PERMIT"

    def test_goes_over_hl7v2_where_one_of_the_proven_addresses_keeps_it(self) -> None:
        address = {"transport": "hl7v2", "address": "mllp://mercy.example:2575", "version": "2.5.1"}
        keeps = {**address, "verified": "2026-01-01", "stores_nte": True}
        drops = {**address, "verified": "2026-01-01", "stores_nte": False}

        def over(*endpoints: Json) -> tuple[str, str]:
            return answer(a_consent(), transport="hl7v2", registry=world(mercy={"endpoints": list(endpoints)}))

        assert over(drops, keeps) == ("PERMIT", "OK_CONSENT")
        assert over(drops) == ("HOLD", "NOTICE_UNATTACHABLE")
        assert over(drops, {**keeps, "verified": None}) == ("HOLD", "NOTICE_UNATTACHABLE")

    @pytest.mark.parametrize(
        ("message", "version", "outcome"),
        [
            ("ADT^A01", "2.6", "PERMIT"),
            ("ADT^A01", "2.5.1", "HOLD"),
            ("ADT^A60", "2.6", "HOLD"),
            ("MDM^T02", "2.5.1", "PERMIT"),
            ("MDM^T02^MDM_T02", "2.5.1", "PERMIT"),
            ("MDM^T01", "2.5.1", "HOLD"),
            ("", "2.5.1", "HOLD"),
        ],
    )
    def test_goes_where_the_message_that_is_sent_has_a_place_for_it(
        self, message: str, version: str, outcome: str
    ) -> None:
        address = {"transport": "hl7v2", "address": "mllp://mercy.example:2575", "verified": "2026-01-01"}
        registry = world(mercy={"endpoints": [{**address, "version": version}]})

        assert answer(a_consent(), transport="hl7v2", message=message, registry=registry)[0] == outcome


class TestPassingThroughOtherHands:
    def test_a_consent_that_names_them_lets_it_pass(self) -> None:
        through = a_consent(a_permit("mercy", "broker"))

        assert answer(through, via=["org:broker"]) == ("PERMIT", "OK_CONSENT")

    def test_what_goes_for_treatment_passes_through_those_who_treat(self) -> None:
        flu = a_condition("flu", "J10.1")
        case: Json = {"records": (flu, written_by("quarry", flu))}

        assert answer(via=["org:squad"], **case) == ("PERMIT", "OK_NOT_PART2")
        assert answer(via=["Practitioner/x"], **case)[0] == "DENY"

    def test_whoever_acts_for_the_holder_is_nobody_it_passes_through(self) -> None:
        """45 CFR 160.103, business associate."""
        associate = {"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:aspen"]}
        case: Json = {"basis": EMERGENCY, "purpose": ["ETREAT"], "role": "physician", "via": ["org:broker"]}

        assert answer(**case, registry=world(broker={"legal_class": [associate]})) == ("PERMIT", "OK_EMERGENCY")
        assert answer(**case) == ("DENY", "RECIPIENT_NOT_NAMED")


class TestLabels:
    @pytest.mark.parametrize("code", ["SUD", "HIV", "42CFRPart2"])
    def test_that_are_understood_go_with_a_consent(self, code: str) -> None:
        item = a_condition(meta={"security": labels(code)})

        assert answer(a_consent(), records=(item, written_by("aspen", item))) == ("PERMIT", "OK_CONSENT")

    def test_that_forbid_passing_on_let_it_go_with_a_consent_only(self) -> None:
        item = a_condition(meta={"security": labels("NODSCLCD")})
        flu = a_condition("flu", "J10.1", meta={"security": labels("NODSCLCD")})

        assert answer(a_consent(), records=(item, written_by("aspen", item))) == ("PERMIT", "OK_CONSENT")
        assert answer(records=(flu, written_by("quarry", flu))) == ("HOLD", "LABEL_DOWNGRADE")
        assert answer(records=(item, written_by("aspen", item)), recipient="org:aspen") == ("PERMIT", "OK_INTERNAL")


class TestPayment:
    def test_of_the_patient_alone_is_not_limited(self) -> None:
        basis = {"type": "patient_access", "account": "Patient/t1"}

        found = ask(
            requester=alone(), recipient="Patient/t1", purpose=["HPAYMT"], basis=basis, facts=[a_patient()]
        ).record

        assert (found.decision, found.reason) == ("PERMIT", "OK_PATIENT")

    @pytest.mark.parametrize(
        "words",
        [{"note": []}, {"item": [{"noteNumber": [1]}]}, {"payee": {"type": {"coding": [{"comment": "x"}]}}}],
    )
    def test_gets_no_free_text_however_deep(self, words: Json) -> None:
        claim = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}, **words}
        consent = a_consent(a_permit("plan", purposes=["HPAYMT"]), organization=[organization("aspen")])
        case: Json = {"recipient": "org:plan", "purpose": ["HPAYMT"], "records": (claim, written_by("aspen", claim))}

        assert answer(consent, **case) == ("DENY", "MIN_NECESSARY")
