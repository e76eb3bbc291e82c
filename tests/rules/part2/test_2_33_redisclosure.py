"""42 CFR 2.33(b), (c), 2.34(c), 2.35(d): what a holder may pass on, hop by hop."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EXTENSION,
    OWN,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    ask,
    handed_to,
    organization,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]
RECORD = a_condition()
CLAIM = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}


def held_by(custodian: str, record: Json = RECORD, **hop: Any) -> tuple[Json, ...]:
    return record, written_by("aspen", record), handed_to(custodian, record, **hop)


AT_MERCY = held_by("mercy", under="Consent/tpo")


class TestACoveredEntityThatGotItForTreatment:
    def test_passes_it_on_to_another_as_hipaa_allows(self) -> None:
        record = ask(a_tpo_consent(), records=AT_MERCY, recipient="org:quarry").record

        assert (record.decision, record.reason) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")
        assert set(record.obligations) == {"AUDIT", "LABEL", "PROCEEDINGS_BAR"}

    def test_or_to_a_provider_outside_hipaa(self) -> None:
        assert answer(a_tpo_consent(), records=AT_MERCY, recipient="org:squad")[1] == "OK_HIPAA_REDISCLOSURE"

    @pytest.mark.parametrize("to", ["org:shelter", "org:broker", "org:attorneys"])
    def test_but_to_nobody_else(self, to: str) -> None:
        assert answer(a_tpo_consent(), records=AT_MERCY, recipient=to) == ("DENY", "REDISCLOSURE_BARRED")

    def test_and_never_for_a_proceeding(self) -> None:
        case: Json = {"records": AT_MERCY, "recipient": "org:quarry", "purpose": ["HLEGAL"]}

        assert answer(a_tpo_consent(), **case) == ("DENY", "REDISCLOSURE_BARRED")

    def test_and_never_to_police(self) -> None:
        case: Json = {"records": AT_MERCY, "recipient": "org:police", "purpose": ["HLEGAL"]}

        assert answer(a_tpo_consent(), **case) == ("DENY", "LE_NO_BASIS")

    def test_unless_the_patient_refused(self) -> None:
        refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("quarry")]})

        assert answer(a_tpo_consent(), refusal, records=AT_MERCY, recipient="org:quarry")[1] == "EXPLICIT_DENY"

    def test_or_a_consent_that_might_refuse_cannot_be_read(self) -> None:
        unreadable = a_consent(id="x", implicitRules="https://elsewhere.example")

        assert answer(a_tpo_consent(), unreadable, records=AT_MERCY, recipient="org:quarry")[1] == "UNPARSEABLE"

    @pytest.mark.parametrize("by", ["mercy", "birch"])
    def test_what_it_got_under_a_consent_that_nobody_can_read_stays_also_where_another_replaced_that_one(
        self, by: str
    ) -> None:
        """It may have been one to a court (42 CFR 2.35(d)), and nobody can tell that it was one for care."""
        unreadable = a_tpo_consent(modifierExtension=[{"url": "https://elsewhere.example/only-if"}])
        replacing = {"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/tpo"}}
        newer = a_tpo_consent(id="newer", organization=[organization(by)])
        newer["extension"].append(replacing)
        case: Json = {"records": held_by(by, under="Consent/tpo"), "facts": [an_open_visit("quarry")]}

        assert answer(unreadable, newer, recipient="org:quarry", **case) == ("DENY", "REDISCLOSURE_BARRED")

    @pytest.mark.parametrize("code", ["qso", "audit", "research", "emergency", "contract", "referral"])
    def test_a_copy_held_for_something_else_is_not_for_passing_on(self, code: str) -> None:
        records = held_by("mercy", code=code)

        assert answer(records=records, recipient="org:quarry") == ("DENY", "REDISCLOSURE_BARRED")

    def test_a_copy_in_hands_that_nobody_registered_stays_where_it_is(self) -> None:
        records = held_by("stranger", under="Consent/tpo")

        assert answer(a_tpo_consent(), records=records, recipient="org:quarry") == ("DENY", "REDISCLOSURE_BARRED")

    def test_a_copy_that_came_home_is_the_programs_own_record(self) -> None:
        home = handed_to("aspen", RECORD, code="hipaa", recorded="2026-10-20T12:00:00Z")

        assert answer(a_consent(), records=(*AT_MERCY, home)) == ("PERMIT", "OK_CONSENT")


class TestACopyThatWentThroughSeveralHands:
    CASE: Json = {"recipient": "org:quarry"}
    UNDER_TPO: Json = {"under": "Consent/tpo"}

    def through(self, *hops: tuple[str, Json]) -> tuple[Json, ...]:
        handed = [
            handed_to(who, RECORD, id=f"hop-{day}", recorded=f"2026-10-{day}T12:00:00Z", **how)
            for day, (who, how) in enumerate(hops, start=10)
        ]
        return RECORD, written_by("aspen", RECORD), *handed

    def test_goes_on_as_hipaa_allows_from_one_covered_entity_to_the_next(self) -> None:
        records = self.through(("mercy", self.UNDER_TPO), ("plan", {"code": "hipaa", "purpose": "HPAYMT"}))

        assert answer(a_tpo_consent(), records=records, **self.CASE) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")

    def test_a_program_itself_discloses_nothing_as_hipaa_allows(self) -> None:
        records = self.through(("mercy", {"code": "hipaa"}))

        assert answer(a_tpo_consent(), records=records, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    @pytest.mark.parametrize("between", ["birch", "squad", "shelter", "stranger"])
    def test_nor_does_anybody_else_who_had_no_such_freedom(self, between: str) -> None:
        records = self.through((between, self.UNDER_TPO), ("mercy", {"code": "hipaa"}))

        assert answer(a_tpo_consent(), records=records, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    @pytest.mark.parametrize("code", ["research", "audit", "qso", "emergency", "contract"])
    @pytest.mark.parametrize("later", [{"code": "hipaa"}, {"under": "Consent/tpo"}])
    def test_what_was_given_for_something_else_stays_bound_in_later_hands(self, code: str, later: Json) -> None:
        records = self.through(("mercy", {"code": code}), ("mercy", later))

        assert answer(a_tpo_consent(), records=records, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    def test_also_where_a_consent_names_who_holds_it_now(self) -> None:
        onward = a_consent(a_permit("quarry"), organization=[organization("mercy")])
        records = self.through(("campus", {"code": "research"}), ("mercy", {"under": "Consent/paper"}))

        assert answer(onward, records=records, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")


class TestWhatIsMadeOfACopy:
    SUMMARY = a_condition("summary")

    def made_by(self, author: str, entity: Json, **hop: Any) -> tuple[Json, ...]:
        of_the_copy = {"role": "derivation", "what": {"reference": "Condition/f1120"}, **entity}
        made = {**written_by(author, self.SUMMARY, identifier="made"), "activity": {"coding": [{"code": "transform"}]}}
        return *held_by(author, **hop), self.SUMMARY, {**made, "entity": [of_the_copy]}

    @pytest.mark.parametrize("code", ["research", "audit", "emergency", "referral"])
    @pytest.mark.parametrize("entity", [{}, {"agent": written_by("aspen")["agent"]}])
    def test_is_bound_like_the_copy(self, code: str, entity: Json) -> None:
        records = self.made_by("mercy", entity, code=code)
        case: Json = {"recipient": "org:quarry", "items": ["Condition/summary"]}

        assert answer(a_consent(a_permit("quarry")), records=records, **case) == ("DENY", "REDISCLOSURE_BARRED")

    def test_but_not_what_the_program_makes_of_its_own_record_while_a_copy_is_elsewhere(self) -> None:
        records = [*self.made_by("mercy", {}, under="Consent/tpo")[:3], *self.made_by("aspen", {})[-2:]]
        case: Json = {"recipient": "org:quarry", "items": ["Condition/summary"]}

        assert answer(a_consent(a_permit("quarry")), records=records, **case) == ("PERMIT", "OK_CONSENT")

    def test_goes_where_the_copy_goes(self) -> None:
        records = self.made_by("mercy", {}, under="Consent/tpo")
        case: Json = {"recipient": "org:quarry", "items": ["Condition/summary"]}

        assert answer(a_tpo_consent(), records=records, **case) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")


def test_what_one_program_made_of_anothers_record_takes_a_consent_to_disclose_from_both() -> None:
    summary = a_condition("summary")
    made = {**written_by("birch", summary), "activity": {"coding": [{"code": "transform"}]}}
    made["entity"] = [{"role": "derivation", "what": {"reference": "Condition/f1120"}}]
    case: Json = {"records": (RECORD, written_by("aspen", RECORD), summary, made), "items": ["Condition/summary"]}
    from_birch = a_consent(organization=[organization("birch")], id="from-birch")

    assert answer(a_consent(), **case) == ("DENY", "DISCLOSER_NOT_NAMED")
    assert answer(from_birch, **case) == ("DENY", "DISCLOSER_NOT_NAMED")
    assert answer({**from_birch, "status": "inactive"}, **case) == ("DENY", "DISCLOSER_NOT_NAMED")
    assert answer(a_consent(), from_birch, **case) == ("PERMIT", "OK_CONSENT")
    assert answer(a_consent(organization=[organization("birch"), organization("aspen")]), **case)[0] == "PERMIT"


class TestTheConsentItWasReceivedUnder:
    CASE: Json = {"records": AT_MERCY, "recipient": "org:quarry"}

    def test_has_to_be_known_here(self) -> None:
        assert answer(a_consent(id="another"), **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    def test_and_the_persons_own(self) -> None:
        theirs = a_tpo_consent(patient={"identifier": {"system": "urn:oid:2.999.7", "value": "other"}})

        assert answer(theirs, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    @pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "entered-in-error"])
    def test_and_one_that_was_given(self, status: str) -> None:
        assert answer(a_tpo_consent(status=status), **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    def test_what_was_received_before_it_was_taken_back_goes_on(self) -> None:
        assert answer(a_tpo_consent(status="inactive"), **self.CASE) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")

    def test_a_later_one_in_its_place_takes_nothing_back(self) -> None:
        link = {"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/tpo"}}
        newer = a_consent(id="newer", extensions=[link])

        assert answer(a_tpo_consent(), newer, **self.CASE) == ("PERMIT", "OK_HIPAA_REDISCLOSURE")


class TestCounselingNotesInOtherHands:
    NOTE = a_condition(meta={"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]})

    def test_never_go_on_as_hipaa_allows(self) -> None:
        case: Json = {"records": held_by("mercy", self.NOTE, under="Consent/tpo"), "recipient": "org:quarry"}

        assert answer(a_tpo_consent(), **case) == ("DENY", "REDISCLOSURE_BARRED")

    def test_but_by_a_consent_for_them_that_names_the_holder(self) -> None:
        permit = a_permit("quarry", securityLabel=self.NOTE["meta"]["security"])
        notes = a_consent(permit, kind="sud-counseling-notes", id="notes", organization=[organization("mercy")])
        case: Json = {"records": held_by("mercy", self.NOTE, under="Consent/tpo"), "recipient": "org:quarry"}

        assert answer(a_tpo_consent(), notes, **case) == ("PERMIT", "OK_CONSENT")


class TestAProgramUnderASingleConsent:
    AT_BIRCH = held_by("birch", under="Consent/tpo")

    def test_stays_within_that_consent(self) -> None:
        case: Json = {"records": self.AT_BIRCH, "recipient": "org:quarry"}

        assert answer(a_tpo_consent(), facts=[an_open_visit("quarry")], **case) == ("PERMIT", "OK_TPO")
        assert answer(a_tpo_consent(), **case) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_and_no_other_consent_widens_it(self) -> None:
        other = a_consent(a_permit("quarry"), id="other")

        assert answer(a_tpo_consent(), other, records=self.AT_BIRCH, recipient="org:quarry")[0] == "DENY"

    def test_nor_does_somebody_elses_consent(self) -> None:
        theirs = a_tpo_consent(patient={"identifier": {"system": "urn:oid:2.999.7", "value": "other"}})
        case: Json = {"records": self.AT_BIRCH, "recipient": "org:quarry", "facts": [an_open_visit("quarry")]}

        assert answer(theirs, **case) == ("DENY", "REDISCLOSURE_BARRED")


class TestAPayerOutsideHipaa:
    FOR_PAYMENT = a_consent(a_permit("payco", purposes=["HPAYMT"]))
    AT_PAYCO = held_by("payco", CLAIM, under="Consent/paper", purpose="HPAYMT")
    CASE: Json = {"records": AT_PAYCO, "recipient": "org:clerks", "purpose": ["HPAYMT"]}

    def contract(self, **changes: Any) -> Any:
        agreement = {"id": "k1", "type": "contract", "with": "org:payco", "from": "2026-01-01", "to": "2026-12-31"}
        return world(clerks={"agreements": [{**agreement, **changes}]})

    def test_passes_it_to_its_contractor_under_contract(self) -> None:
        record = ask(self.FOR_PAYMENT, registry=self.contract(), **self.CASE).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_CONSENT")
        assert {"NOTICE", "MIN", "LABEL", "NO_REDISCLOSE"} <= set(record.obligations)

    def test_and_to_nobody_without_one(self) -> None:
        assert answer(self.FOR_PAYMENT, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")

    def test_no_counseling_notes(self) -> None:
        note = {**CLAIM, "meta": TestCounselingNotesInOtherHands.NOTE["meta"]}
        case: Json = {**self.CASE, "records": held_by("payco", note, under="Consent/paper", purpose="HPAYMT")}

        assert answer(self.FOR_PAYMENT, registry=self.contract(), **case) == ("DENY", "REDISCLOSURE_BARRED")

    def test_a_contract_that_ended_is_none(self) -> None:
        assert answer(self.FOR_PAYMENT, registry=self.contract(to="2026-11-01"), **self.CASE)[0] == "DENY"
        assert answer(self.FOR_PAYMENT, registry=self.contract(to="2026-11-02"), **self.CASE)[0] == "PERMIT"


class TestANewConsentThatNamesTheHolder:
    ONWARD = a_consent(a_permit("shelter", purposes=["PATRQT"]), id="onward", organization=[organization("mercy")])
    CASE: Json = {"recipient": "org:shelter", "purpose": ["PATRQT"]}

    def test_opens_the_copy(self) -> None:
        record = ask(a_tpo_consent(), self.ONWARD, records=AT_MERCY, **self.CASE).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_CONSENT")
        assert "NO_REDISCLOSE" in record.obligations

    def test_but_not_one_held_for_research(self) -> None:
        records = held_by("mercy", code="research", purpose="HRESCH")

        assert answer(self.ONWARD, records=records, **self.CASE) == ("DENY", "REDISCLOSURE_BARRED")


def test_a_registrys_copy_is_for_the_registry() -> None:
    records = held_by("registry", code="central_registry")

    assert answer(records=records, recipient="org:quarry") == ("DENY", "REGISTRY_USE_BARRED")


def test_a_courts_copy_is_for_the_court() -> None:
    for_court = a_consent(a_permit("court", purposes=["own:monitoring"]), kind="criminal-justice-referral")
    records = held_by("court", under="Consent/paper")

    assert answer(for_court, records=records, recipient="org:police", purpose=["HLEGAL"])[1] == "REDISCLOSURE_BARRED"


def test_what_police_wrote_becomes_a_part_2_record_in_a_programs_hands() -> None:
    report = {"resourceType": "DocumentReference", "id": "report", "subject": {"reference": "Patient/t1"}}
    own = (report, written_by("police", report))
    received = (*own, handed_to("aspen", report, code="referral"))

    assert answer(records=own) == ("PERMIT", "OK_NOT_PART2")
    assert answer(records=received) == ("DENY", "NO_CONSENT")
    assert answer(a_consent(), records=received) == ("PERMIT", "OK_CONSENT")
