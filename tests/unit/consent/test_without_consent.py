"""The evidence each basis without consent asks for, fact by fact."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_patient,
    a_restriction,
    agreed,
    alone,
    answer,
    ask,
    handed_to,
    written_by,
)

Json = dict[str, Any]
RECORD = a_condition()
PURPOSE = OWN + "purpose|"
LE = ("DENY", "LE_NO_BASIS")


class TestAnEmergency:
    NO = ("DENY", "EMERGENCY_NOT_MEDICAL_PERSONNEL")

    def outcome(self, role: str = "physician", **case: Any) -> tuple[str, str]:
        return answer(**{"purpose": ["ETREAT"], "role": role, "basis": EMERGENCY, **case})

    @pytest.mark.parametrize("role", ["clinician", "physician", "nurse", "paramedic"])
    def test_is_for_those_who_treat(self, role: str) -> None:
        assert self.outcome(role) == ("PERMIT", "OK_EMERGENCY")

    def test_is_for_no_person_without_a_house_and_no_house_that_does_not_treat(self) -> None:
        assert self.outcome(recipient="Person/x", requester=alone("Person/x", "physician")) == self.NO
        assert self.outcome(recipient="org:shelter") == self.NO

    def test_told_by_the_program_asks_the_house_not_the_person(self) -> None:
        assert self.outcome("desk", by="org:aspen") == ("PERMIT", "OK_EMERGENCY")
        assert self.outcome(requester={"organization": "org:mercy", "authenticated_as": "org:mercy"}) == (
            "PERMIT",
            "OK_EMERGENCY",
        )

    def test_opens_nothing_but_treatment(self) -> None:
        assert self.outcome(purpose=["HOPERAT"]) == ("DENY", "NO_CONSENT")

    def test_asks_not_to_use_further_what_was_promised_to_stay(self) -> None:
        """42 CFR 2.26(a)(4)."""
        promised = a_restriction("mercy")
        elsewhere = {**promised, "against": ["org:plan"]}
        other = {**promised, "items": ["Condition/other"]}

        def owed(*facts: Json) -> tuple[str, ...]:
            return ask(purpose=["ETREAT"], role="physician", basis=EMERGENCY, facts=list(facts)).record.obligations

        always = ("AUDIT", "EMERGENCY_DOC", "LABEL", "PROCEEDINGS_BAR")
        assert owed(promised) == ("ASK_NO_FURTHER_USE", *always)
        assert owed(elsewhere, other) == always
        assert owed() == always


class TestACrimeOnThePremises:
    RECORDS = (a_patient(), written_by("aspen", a_patient()))

    def outcome(self, **basis: Any) -> tuple[str, str]:
        return answer(
            recipient="org:police", by="org:aspen", purpose=[PURPOSE + "crime-report"], records=self.RECORDS,
            basis={"type": "crime_on_premises", **basis},
        )  # fmt: skip

    def test_is_one_there_or_against_those_who_work_there(self) -> None:
        assert self.outcome(on_premises=True) == ("PERMIT", "OK_CRIME_PREMISES")
        assert self.outcome(against_personnel=True) == ("PERMIT", "OK_CRIME_PREMISES")
        assert self.outcome() == LE
        assert self.outcome(on_premises="yes") == LE
        assert self.outcome(on_premises=False, against_personnel=False) == LE

    def test_is_told_to_police_alone(self) -> None:
        basis = {"type": "crime_on_premises", "on_premises": True}

        assert answer(by="org:aspen", purpose=[PURPOSE + "crime-report"], records=self.RECORDS, basis=basis) == LE


class TestAReportOfChildAbuse:
    BASIS: Json = {
        "type": "child_abuse_report", "report": "initial", "state_law": "RCW 26.44.030", "content": ["Condition/f1120"],
    }  # fmt: skip

    def outcome(self, to: str = "children", **basis: Any) -> tuple[str, str]:
        case: Json = {"recipient": f"org:{to}", "by": "org:aspen", "purpose": [PURPOSE + "child-abuse-report"]}
        return answer(basis={**self.BASIS, **basis}, **case)

    def test_is_the_first_under_a_law_that_is_named(self) -> None:
        assert self.outcome() == ("PERMIT", "OK_CHILD_ABUSE")
        assert self.outcome(report="followup") == ("DENY", "NO_CONSENT")
        assert self.outcome(state_law="") == ("DENY", "NO_CONSENT")
        assert self.outcome(content=None) == ("DENY", "MIN_NECESSARY")

    def test_is_told_to_those_who_take_reports(self) -> None:
        assert self.outcome("police") == ("PERMIT", "OK_CHILD_ABUSE")
        assert self.outcome("shelter") == ("DENY", "NO_CONSENT")

    def test_of_what_police_wrote_goes_without_their_own_information(self) -> None:
        report = a_condition("f1120", "I10")
        records = (report, written_by("police", report), handed_to("aspen", report))

        record = ask(
            recipient="org:children", by="org:aspen", purpose=[PURPOSE + "child-abuse-report"], basis=self.BASIS,
            records=records,
        ).record  # fmt: skip

        assert (record.decision, record.obligations) == ("PERMIT", ("AUDIT", "CJI_STRIP", "MIN"))


class TestAgreements:
    @pytest.mark.parametrize(
        ("holder", "kind", "basis", "purpose", "refusal"),
        [
            ("campus", "research", {"type": "research", "approval": "a1"}, "HRESCH", "RESEARCH_NO_APPROVAL"),
            ("auditors", "audit", {"type": "audit", "agreement": "a1"}, "HOPERAT", "AUDIT_NO_AGREEMENT"),
            ("clerks", "qsoa", {"type": "qso", "agreement": "a1"}, "HOPERAT", "QSOA_NOT_IN_FORCE"),
        ],
    )
    def test_open_under_their_own_name_and_for_no_proceeding(
        self, holder: str, kind: str, basis: Json, purpose: str, refusal: str
    ) -> None:
        def outcome(purposes: list[str], **change: Any) -> tuple[str, str]:
            return answer(
                recipient=f"org:{holder}", purpose=purposes, registry=agreed(holder, kind), basis={**basis, **change}
            )

        assert outcome([purpose])[0] == "PERMIT"
        assert outcome([purpose], approval="a2", agreement="a2") == ("DENY", refusal)
        assert outcome(["HLEGAL"]) == ("DENY", refusal)

    @pytest.mark.parametrize(
        ("registered", "named", "goes"),
        [("p1", "p1", True), ("p1", None, True), (None, "p1", True), ("p1", "p2", False)],
    )
    def test_of_research_are_for_their_protocol(self, registered: str | None, named: str | None, goes: bool) -> None:
        registry = agreed("campus", "research", **({"protocol": registered} if registered else {}))
        basis = {"type": "research", "approval": "a1", **({"protocol": named} if named else {})}

        outcome = answer(recipient="org:campus", purpose=["HRESCH"], registry=registry, basis=basis)

        assert (outcome[0] == "PERMIT") is goes

    @pytest.mark.parametrize(
        ("undertakings", "goes"),
        [
            (None, True),
            (["security", "return_or_destroy", "no_redisclosure", "no_use_against_patients"], True),
            (["security", "return_or_destroy", "no_redisclosure"], False),
            ([], False),
        ],
    )
    def test_of_an_audit_hold_the_undertakings_where_they_are_listed(
        self, undertakings: list[str] | None, goes: bool
    ) -> None:
        stated = {} if undertakings is None else {"undertakings": undertakings}
        case: Json = {"recipient": "org:auditors", "purpose": ["HOPERAT"]}

        outcome = answer(
            registry=agreed("auditors", "audit", **stated), basis={"type": "audit", "agreement": "a1"}, **case
        )

        assert (outcome[0] == "PERMIT") is goes
