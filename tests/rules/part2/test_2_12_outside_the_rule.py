"""42 CFR 2.12(c): use inside the program, qualified services, crimes on the premises, reports of child abuse."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_patient,
    agreed,
    alone,
    answer,
    ask,
    handed_to,
    world,
    written_by,
)

Json = dict[str, Any]
PURPOSE = OWN + "purpose|"
RECORD = a_condition()


def test_inside_the_program_treatment_needs_no_consent() -> None:
    assert answer(recipient="org:aspen") == ("PERMIT", "OK_INTERNAL")
    assert answer(recipient="org:aspen", purpose=["HRESCH"]) == ("DENY", "NO_CONSENT")


def test_inside_the_program_an_emergency_needs_no_record_of_one() -> None:
    undocumented = {**EMERGENCY, "nature": ""}

    assert answer(recipient="org:aspen", basis=undocumented) == ("PERMIT", "OK_INTERNAL")


def test_through_a_stranger_it_is_not_inside() -> None:
    case: Json = {"recipient": "org:aspen", "via": ["org:broker"]}

    assert answer(**case) == ("DENY", "RECIPIENT_NOT_NAMED")


class TestAQualifiedService:
    """42 CFR 2.11, 2.12(c)(4): the agreement acknowledges the rule, and is registered and in force."""

    CASE: Json = {"recipient": "org:clerks", "purpose": ["HOPERAT"], "basis": {"type": "qso", "agreement": "a1"}}
    REFUSED = ("DENY", "QSOA_NOT_IN_FORCE")

    def test_under_a_registered_agreement_gets_what_it_needs(self) -> None:
        record = ask(registry=agreed("clerks", "qsoa"), **self.CASE).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_QSO")
        assert set(record.obligations) == {"AUDIT", "LABEL", "MIN"}

    @pytest.mark.parametrize(
        "change",
        [{"to": "2026-11-01"}, {"from": "2026-11-03"}, {"with": "org:birch"}, {"id": "other"}, {"kind": "contract"}],
    )
    def test_under_none_in_force_gets_nothing(self, change: Json) -> None:
        registry = agreed("clerks", **{"kind": "qsoa", **change})

        assert answer(registry=registry, **self.CASE) == self.REFUSED

    def test_without_one_gets_nothing(self) -> None:
        assert answer(**self.CASE) == self.REFUSED

    def test_is_no_single_person(self) -> None:
        person = "Practitioner/x"

        assert answer(**{**self.CASE, "recipient": person}, requester=alone(person)) == self.REFUSED

    @pytest.mark.parametrize("purpose", ["HLEGAL", "HMARKT", "HRESCH", "PATRQT", PURPOSE + "tenancy"])
    def test_serves_in_treatment_payment_and_operations_alone(self, purpose: str) -> None:
        assert answer(registry=agreed("clerks", "qsoa"), **{**self.CASE, "purpose": [purpose]}) == self.REFUSED

    @pytest.mark.parametrize("roles", [["police"], ["contractor", "prosecutor"]])
    def test_is_no_police(self, roles: list[str]) -> None:
        agreement = {"id": "a1", "type": "qsoa", "with": "org:aspen", "from": "2026-01-01"}

        assert answer(registry=world(clerks={"roles": roles, "agreements": [agreement]}), **self.CASE) == self.REFUSED

    def test_serves_a_program_and_not_who_got_a_copy(self) -> None:
        registry = agreed("clerks", "qsoa", **{"with": "org:mercy"})
        at_mercy = (RECORD, written_by("aspen", RECORD), handed_to("mercy", RECORD, under="Consent/tpo"))

        assert answer(registry=registry, records=at_mercy, **self.CASE) == self.REFUSED


class TestCrimeOnThePremises:
    BASIS: Json = {"type": "crime_on_premises", "on_premises": True, "incident": "assault"}
    RECORDS = (a_patient(), RECORD, written_by("aspen", a_patient(), RECORD))
    CASE: Json = {
        "recipient": "org:police",
        "by": "org:aspen",
        "purpose": [PURPOSE + "crime-report"],
        "records": RECORDS,
    }

    def test_tells_who_and_nothing_more(self) -> None:
        record = ask(basis=self.BASIS, **self.CASE).record

        assert (record.decision, record.reason) == ("PERMIT_REDACTED", "MIN_NECESSARY")
        assert record.withheld == ("Condition/f1120",)

    def test_is_the_programs_to_tell(self) -> None:
        assert answer(basis=self.BASIS, **{**self.CASE, "by": "org:police"}) == ("DENY", "LE_NO_BASIS")

    def test_and_no_other_crime(self) -> None:
        assert answer(basis={**self.BASIS, "on_premises": False}, **self.CASE) == ("DENY", "LE_NO_BASIS")


class TestReportsOfChildAbuse:
    CASE: Json = {"recipient": "org:children", "by": "org:aspen", "purpose": [PURPOSE + "child-abuse-report"]}
    BASIS: Json = {
        "type": "child_abuse_report",
        "report": "initial",
        "state_law": "RCW 26.44.030",
        "content": ["Condition/f1120"],
    }

    def test_the_first_report_may_be_made(self) -> None:
        assert answer(basis=self.BASIS, **self.CASE) == ("PERMIT", "OK_CHILD_ABUSE")

    def test_with_what_it_needs(self) -> None:
        assert answer(basis={**self.BASIS, "content": []}, **self.CASE) == ("DENY", "MIN_NECESSARY")

    def test_the_chart_stays_protected_afterwards(self) -> None:
        assert answer(basis={**self.BASIS, "report": "followup"}, **self.CASE) == ("DENY", "NO_CONSENT")
