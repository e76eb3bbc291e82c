"""Which step ends an item, in hundredths of the steps of docs/consent-engine.md, and what each permit carries."""

from typing import Any

import pytest

from gateway.model.decision import Basis, Permit, Verdict
from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    a_restriction,
    a_tpo_consent,
    agreed,
    alone,
    ask,
    handed_to,
    labels,
    organization,
    recipient,
    unavailable,
    world,
    written_by,
)

Json = dict[str, Any]
FLU = a_condition("flu", "J10.1")
BY_QUARRY = (FLU, written_by("quarry", FLU))
RECORD = a_condition()
CLAIM = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}
NOTES_LABEL = {"system": OWN + "security-label", "code": "SUDNOTES"}
NOTES = a_condition("notes", meta={"security": [NOTES_LABEL]})
SCAN = {"resourceType": "DocumentReference", "id": "d", "subject": {"reference": "Patient/t1"}}
DUTY = OWN + "purpose|"


def verdict(*consents: Json, **case: Any) -> Verdict:
    (found,) = ask(*consents, **case).verdicts
    return found


def stop(*consents: Json, **case: Any) -> tuple[str, str, int]:
    found = verdict(*consents, **case)
    return found.outcome, found.reason, found.step


class TestTheWholeRequest:
    def test_ends_where_nobody_could_see_it_afterwards(self) -> None:
        assert stop(facts=[unavailable("audit_store")]) == ("DENY", "AUDIT_UNAVAILABLE", 100)

    def test_ends_where_who_asks_is_not_proven_or_not_entitled(self) -> None:
        forged = {"organization": "org:mercy", "authenticated_as": "org:plan"}

        assert stop(requester=forged) == ("DENY", "IDENTITY_MISMATCH", 300)
        assert stop(by="org:quarry") == ("DENY", "IDENTITY_MISMATCH", 350)

    def test_ends_where_the_person_is_nobody_or_more_than_one(self) -> None:
        twin = a_patient(id="t2")

        assert stop(patient="Patient/nobody") == ("DENY", "PATIENT_UNKNOWN", 400)
        assert stop(patient=None) == ("DENY", "PATIENT_UNKNOWN", 400)
        assert stop(facts=[a_patient(), twin], patient="urn:oid:2.999.7|T1") == ("HOLD", "PATIENT_AMBIGUOUS", 400)

    def test_ends_without_a_purpose(self) -> None:
        assert stop(purpose=[]) == ("DENY", "PURPOSE_MISSING", 500)


class TestOrigin:
    def test_of_another_law_waits(self) -> None:
        assert stop(records=(FLU, written_by("veterans", FLU))) == ("HOLD", "OTHER_LAW_38USC7332", 600)

    def test_nobody_knows_waits(self) -> None:
        strange_holder = (*BY_QUARRY, handed_to("nobody", FLU))

        assert stop(records=[FLU]) == ("HOLD", "ORIGIN_UNKNOWN", 601)
        assert stop(records=(FLU, written_by("nobody", FLU))) == ("HOLD", "ORIGIN_UNKNOWN", 601)
        assert stop(records=strange_holder) == ("HOLD", "ORIGIN_UNKNOWN", 601)

    def test_of_a_program_with_a_strange_holder_is_a_matter_of_its_copy(self) -> None:
        copy = (RECORD, written_by("aspen", RECORD), handed_to("nobody", RECORD))

        assert stop(records=copy) == ("DENY", "REDISCLOSURE_BARRED", 1000)

    def test_that_only_a_label_tells_waits(self) -> None:
        stamped = a_condition("flu", "J10.1", meta={"security": labels("42CFRPart2")})

        assert stop(records=(stamped, written_by("quarry", stamped))) == ("HOLD", "ORIGIN_UNKNOWN", 602)


@pytest.mark.parametrize("subject", [{"reference": "Patient/t2"}, {"display": "somebody"}])
def test_what_is_about_somebody_else_does_not_go(subject: Json) -> None:
    foreign = a_condition(subject=subject)

    assert stop(a_consent(), records=(foreign, written_by("aspen", foreign))) == ("DENY", "PATIENT_MISMATCH", 700)


def test_what_is_not_deidentified_does_not_go_as_such() -> None:
    basis = {"type": "deidentified", "method": "164.514(b)(2)"}
    case: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "basis": basis, "patient": None}

    assert stop(by="org:aspen", **case) == ("DENY", "NOT_DEIDENTIFIED", 800)


class TestOutsideOfPart2:
    def test_criminal_history_stays(self) -> None:
        report = {**SCAN, "description": "NCIC hit"}

        assert stop(records=(report, written_by("police", report))) == ("DENY", "CJI_BARRED", 900)

    def test_the_stricter_law_of_a_state_stops_first(self) -> None:
        records = (FLU, written_by("minds", FLU))
        case: Json = {"recipient": "org:police", "purpose": [DUTY + "response"], "records": records}

        assert stop(**case) == ("DENY", "STATE_MH", 901)

    def test_whoever_looks_for_a_person_learns_who_and_where(self) -> None:
        basis = {"type": "hipaa_locate", "subject": "missing"}
        case: Json = {"recipient": "org:police", "purpose": [DUTY + "locate"], "basis": basis}

        assert stop(records=BY_QUARRY, **case) == ("DENY", "MIN_NECESSARY", 902)

    def test_police_get_nothing_else(self) -> None:
        assert stop(records=BY_QUARRY, recipient="org:police", purpose=["COC"]) == ("DENY", "LE_NO_BASIS", 903)

    def test_who_treats_nobody_needs_a_consent(self) -> None:
        assert stop(records=BY_QUARRY, recipient="org:shelter") == ("DENY", "NO_CONSENT", 904)

    def test_a_provider_gets_it_for_treatment(self) -> None:
        assert verdict(records=BY_QUARRY) == Verdict(
            "Condition/flu", "PERMIT", "OK_NOT_PART2", 900, frozenset({"LABEL"}), None, "non_part2", None
        )


class TestBasesWithoutConsent:
    def emergency(self, **changes: Any) -> tuple[str, str, int]:
        role = changes.pop("role", "physician")
        return stop(purpose=["ETREAT"], role=role, basis={**EMERGENCY, **changes})

    def test_an_emergency_asks_who_what_when_and_whether_the_person_can_be_asked(self) -> None:
        assert self.emergency() == ("PERMIT", "OK_EMERGENCY", 1110)
        assert self.emergency(role="billing") == ("DENY", "EMERGENCY_NOT_MEDICAL_PERSONNEL", 1110)
        assert self.emergency(nature="") == ("DENY", "EMERGENCY_UNDOCUMENTED", 1111)
        assert self.emergency(time="2026-10-31T18:00:00Z") == ("DENY", "EMERGENCY_OVER", 1112)
        assert self.emergency(consent_obtainable=True) == ("DENY", "EMERGENCY_CONSENT_OBTAINABLE", 1113)

    @pytest.mark.parametrize(
        ("basis", "to", "reason"),
        [
            ({"type": "research", "approval": "a1"}, "org:campus", "RESEARCH_NO_APPROVAL"),
            ({"type": "audit", "agreement": "a1"}, "org:auditors", "AUDIT_NO_AGREEMENT"),
            ({"type": "qso", "agreement": "a1"}, "org:clerks", "QSOA_NOT_IN_FORCE"),
            ({"type": "crime_on_premises"}, "org:police", "LE_NO_BASIS"),
        ],
    )
    def test_without_its_evidence_each_ends_at_its_step(self, basis: Json, to: str, reason: str) -> None:
        assert stop(recipient=to, purpose=["HOPERAT"], basis=basis) == ("DENY", reason, 1110)

    @pytest.mark.parametrize(
        ("holder", "kind", "purpose", "basis", "reason", "owed"),
        [
            ("campus", "research", "HRESCH", {"approval": "a1"}, "OK_RESEARCH", {"NO_REDISCLOSE", "PROCEEDINGS_BAR"}),
            ("auditors", "audit", "HOPERAT", {"agreement": "a1"}, "OK_AUDIT", {"NO_REDISCLOSE", "PROCEEDINGS_BAR"}),
            ("clerks", "qsoa", "HOPERAT", {"agreement": "a1"}, "OK_QSO", set()),
        ],
    )
    def test_under_an_agreement_it_is_bound(
        self, holder: str, kind: str, purpose: str, basis: Json, reason: str, owed: set[str]
    ) -> None:
        invoked = "qso" if kind == "qsoa" else kind

        found = verdict(
            registry=agreed(holder, kind),
            recipient=f"org:{holder}",
            purpose=[purpose],
            basis={"type": invoked, **basis},
        )

        assert found == Verdict(
            "Condition/f1120", "PERMIT", reason, 1110, frozenset({"LABEL", "MIN"} | owed), Basis(invoked, "a1"), "bound"
        )

    def test_a_crime_on_the_premises_tells_who(self) -> None:
        basis = {"type": "crime_on_premises", "on_premises": True}
        case: Json = {"recipient": "org:police", "by": "org:aspen", "purpose": [DUTY + "crime-report"], "basis": basis}

        assert stop(**case) == ("DENY", "MIN_NECESSARY", 1110)
        assert verdict(records=(a_patient(), written_by("aspen", a_patient())), **case) == Verdict(
            "Patient/t1", "PERMIT", "OK_CRIME_PREMISES", 1110, frozenset({"MIN"}), Basis("crime_on_premises"), "crime"
        )

    def test_a_report_of_child_abuse_tells_what_it_lists(self) -> None:
        basis = {"type": "child_abuse_report", "report": "initial", "state_law": "RCW 26.44.030", "content": []}
        case: Json = {"recipient": "org:children", "by": "org:aspen", "purpose": [DUTY + "child-abuse-report"]}

        assert stop(basis=basis, **case) == ("DENY", "MIN_NECESSARY", 1110)
        assert verdict(basis={**basis, "content": ["Condition/f1120"]}, **case) == Verdict(
            "Condition/f1120", "PERMIT", "OK_CHILD_ABUSE", 1110, frozenset({"MIN"}), Basis("child_abuse_report"),
            "report",
        )  # fmt: skip

    def test_a_patient_gets_the_own_record(self) -> None:
        basis = {"type": "patient_access", "account": "Patient/t1"}
        found = verdict(requester=alone(), recipient="Patient/t1", purpose=["PATRQT"], basis=basis, transport="session")

        owed = frozenset({"LABEL", "PROCEEDINGS_BAR"})
        assert found == Verdict(
            "Condition/f1120", "PERMIT", "OK_PATIENT", 1100, owed, Basis("patient_access"), "patient"
        )

    def test_a_program_reads_its_own(self) -> None:
        assert verdict(recipient="org:aspen") == Verdict(
            "Condition/f1120", "PERMIT", "OK_INTERNAL", 1100, frozenset(), None, "internal"
        )


class TestCopies:
    def test_for_a_registry_or_a_court_or_to_police_stay(self) -> None:
        registry = (RECORD, written_by("aspen", RECORD), handed_to("registry", RECORD, code="central_registry"))
        copy = (RECORD, written_by("aspen", RECORD), handed_to("mercy", RECORD, under="Consent/tpo"))

        assert stop(records=registry) == ("DENY", "REGISTRY_USE_BARRED", 1000)
        assert stop(a_tpo_consent(), records=copy, recipient="org:shelter") == ("DENY", "REDISCLOSURE_BARRED", 1000)
        assert stop(a_tpo_consent(), records=copy, recipient="org:police") == ("DENY", "LE_NO_BASIS", 1000)

    def test_for_treatment_are_passed_on_as_hipaa_allows(self) -> None:
        copy = (RECORD, written_by("aspen", RECORD), handed_to("mercy", RECORD, under="Consent/tpo"))

        assert verdict(a_tpo_consent(), records=copy, recipient="org:quarry") == Verdict(
            "Condition/f1120", "PERMIT", "OK_HIPAA_REDISCLOSURE", 1000, frozenset({"LABEL", "PROCEEDINGS_BAR"}), None,
            "tpo",
        )  # fmt: skip


class TestConsents:
    def test_nobody_can_rely_on_end_everything(self) -> None:
        assert stop(a_consent(dateTime="2026-09-01T09:00:00")) == ("DENY", "UNPARSEABLE", 1300)
        assert stop(a_consent(), facts=[unavailable("consent_source")]) == ("DENY", "CONSENT_SOURCE_UNAVAILABLE", 1301)

    def test_that_are_not_there_or_of_others_end_it(self) -> None:
        others = a_consent(patient={"type": "Patient", "identifier": {"system": "urn:oid:2.999.7", "value": "T2"}})

        assert stop() == ("DENY", "NO_CONSENT", 1302)
        assert stop(others) == ("DENY", "PATIENT_MISMATCH", 1303)

    def test_that_refuse_come_before_all_that_permit(self) -> None:
        refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("mercy")]})
        part = a_consent(provision={"type": "deny", "provision": [
            a_permit(), {"type": "deny", "securityLabel": labels("HIV")},
        ]})  # fmt: skip
        scan = {**SCAN, "meta": {"security": labels("HIV")}}

        assert stop(a_consent(), refusal) == ("DENY", "EXPLICIT_DENY", 1304)
        assert stop(part, records=(scan, written_by("aspen", scan)))[0::2] == ("DENY", 1304)

    @pytest.mark.parametrize(
        ("consent", "case", "reason", "step"),
        [
            (a_consent(organization=[organization("birch")]), {}, "DISCLOSER_NOT_NAMED", 1305),
            (a_consent(a_permit("court"), kind="criminal-justice-referral"), {"recipient": "org:court"},
             "CJ_NOT_ELIGIBLE", 1306),
            (a_consent(a_permit("plan")), {}, "RECIPIENT_NOT_NAMED", 1307),
            (a_consent(), {"purpose": ["HLEGAL"]}, "PROCEEDING_NO_SPECIFIC", 1308),
            (a_consent(), {"purpose": ["HPAYMT"]}, "PURPOSE_NOT_COVERED", 1309),
            (a_consent(status="inactive"), {}, "CONSENT_NOT_ACTIVE", 1312),
            (a_consent(), {"facts": [{"type": "consent_false", "consent": "Consent/paper"}]}, "CONSENT_FALSE", 1313),
            (a_consent(kind="hipaa-authorization"), {}, "CONSENT_DEFICIENT", 1314),
            (a_consent(without=["revocation-right"]), {}, "CONSENT_DEFICIENT:EL_REVOCATION", 1315),
            (a_consent(verification=[{"verified": False}]), {}, "CONSENT_UNVERIFIED", 1317),
            (a_consent(provision={"type": "deny", "period": {"start": "2027-01-01", "end": "2027-12-31"},
                                  "provision": [a_permit()]}), {}, "CONSENT_NOT_YET_EFFECTIVE", 1318),
            (a_consent(), {"at": "2027-01-02T12:00:00Z"}, "CONSENT_EXPIRED", 1319),
        ],
    )  # fmt: skip
    def test_end_at_the_check_that_the_best_of_them_fails(
        self, consent: Json, case: Json, reason: str, step: int
    ) -> None:
        assert stop(consent, **case)[1:] == (reason, step)

    @pytest.mark.parametrize(
        ("consent", "item", "outcome", "reason", "step"),
        [
            (a_consent(a_permit(), a_permit(securityLabel=[NOTES_LABEL])), NOTES, "DENY", "COMBINED_NOTES", 1355),
            (a_consent(a_permit(), a_permit(securityLabel=[NOTES_LABEL])), RECORD, "HOLD", "COMBINED_NOTES", 1355),
            (a_consent(a_permit(securityLabel=[NOTES_LABEL]), kind="sud-counseling-notes"), RECORD, "DENY",
             "SCOPE_NOT_COVERED", 1356),
            (a_consent(), NOTES, "DENY", "NOTES_NO_SPECIFIC", 1356),
            (a_consent(a_permit(securityLabel=labels("HIV"))), RECORD, "DENY", "SCOPE_NOT_COVERED", 1356),
        ],
    )  # fmt: skip
    def test_end_at_the_item_they_do_not_cover(
        self, consent: Json, item: Json, outcome: str, reason: str, step: int
    ) -> None:
        assert stop(consent, records=(item, written_by("aspen", item))) == (outcome, reason, step)

    def test_of_several_the_one_that_gets_farthest_says_why(self) -> None:
        mixed = a_consent(a_permit(), a_permit(securityLabel=[NOTES_LABEL]))

        assert stop(mixed, a_consent(a_permit("plan"), id="other")) == ("HOLD", "COMBINED_NOTES", 1355)

    def test_that_permit_say_which_and_what_is_owed(self) -> None:
        owed = {"NOTICE", "CONSENT_COPY", "LABEL", "ACCOUNT", "PROCEEDINGS_BAR", "RECHECK"}

        assert verdict(a_consent()) == Verdict(
            "Condition/f1120", "PERMIT", "OK_CONSENT", 1300, frozenset(owed), Basis("Consent", "paper", "1"), "tpo"
        )


class TestLawEnforcement:
    def test_asks_for_nothing_but_coordination(self) -> None:
        assert stop(recipient="org:police", purpose=["TREAT"]) == ("DENY", "LE_NO_BASIS", 1200)

    def test_a_subpoena_is_no_basis_for_anybody(self) -> None:
        assert stop(a_consent(), purpose=["LEGAL"]) == ("DENY", "SUBPOENA_ALONE", 1201)


class TestLastChecks:
    def test_what_needs_no_consent_passes_through_nobody_else(self) -> None:
        assert stop(recipient="org:aspen", via=["org:broker"]) == ("DENY", "RECIPIENT_NOT_NAMED", 1190)

    @pytest.mark.parametrize(
        ("kind", "reason"), [("agreed", "RESTRICTION_AGREED"), ("self_pay", "RESTRICTION_SELF_PAY")]
    )
    def test_a_restriction_stands_over_the_consent(self, kind: str, reason: str) -> None:
        consent = a_consent(a_permit("plan", purposes=["HPAYMT"]))
        case: Json = {"recipient": "org:plan", "purpose": ["HPAYMT"], "records": (CLAIM, written_by("aspen", CLAIM))}

        assert stop(consent, facts=[a_restriction("plan", kind)], **case) == ("DENY", reason, 1400)

    def test_payment_gets_no_more_than_it_needs(self) -> None:
        consent = a_consent(a_permit("plan", purposes=["HPAYMT"]))

        assert stop(consent, recipient="org:plan", purpose=["HPAYMT"]) == ("DENY", "MIN_NECESSARY", 1401)

    def test_a_label_nobody_understands_waits(self) -> None:
        strange = a_condition(meta={"security": labels("STRANGE")})

        assert stop(a_consent(), records=(strange, written_by("aspen", strange))) == ("HOLD", "LABEL_DOWNGRADE", 1450)

    def test_a_person_who_did_not_prove_to_be_there_waits(self) -> None:
        actor = {**recipient("mercy"), "reference": {"reference": "RelatedPerson/s"}}

        found = stop(a_consent(a_permit(actor=[actor])), recipient="RelatedPerson/s", by="org:aspen")

        assert found == ("HOLD", "ENDPOINT_UNVERIFIED", 1500)

    def test_an_address_nobody_proved_waits(self) -> None:
        registry = world(mercy={"endpoints": []})

        assert stop(a_consent(), registry=registry) == ("HOLD", "ENDPOINT_UNVERIFIED", 1500)

    def test_a_notice_that_cannot_travel_waits(self) -> None:
        assert stop(a_consent(), switches={"notice": "another"}) == ("HOLD", "NOTICE_UNATTACHABLE", 1501)


def test_a_permit_of_everything_has_a_verdict_for_each_item() -> None:
    other = a_condition("other", "I10")

    permit = ask(a_consent(), records=(RECORD, other, written_by("aspen", RECORD, other)))

    assert isinstance(permit, Permit)
    assert [(one.item, one.step) for one in permit.verdicts] == [("Condition/f1120", 1300), ("Condition/other", 1300)]
