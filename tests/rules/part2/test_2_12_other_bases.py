"""42 CFR 2.12(c), 2.23, 2.52, 2.53, 2.54, 2.61 to 2.65: what needs no consent, and the evidence each asks for."""

from typing import Any

import pytest

from tests.support.part2_world import OWN, a_condition, a_patient, answer, ask, handed_to, world, written_by

Json = dict[str, Any]
PURPOSE = OWN + "purpose|"
RECORD = a_condition()


def agreed(holder: str, kind: str, **changes: Any) -> Any:
    agreement = {"id": "a1", "type": kind, "with": "org:aspen", "from": "2026-01-01", "to": "2026-12-31", **changes}
    return world(**{holder: {"agreements": [agreement]}})


class TestAgreements:
    CASES = (
        ("campus", "research", {"type": "research", "approval": "a1"}, "HRESCH", "OK_RESEARCH", "RESEARCH_NO_APPROVAL"),
        ("auditors", "audit", {"type": "audit", "agreement": "a1"}, "HCOMPL", "OK_AUDIT", "AUDIT_NO_AGREEMENT"),
        ("clerks", "qsoa", {"type": "qso", "agreement": "a1"}, "HOPERAT", "OK_QSO", "QSOA_NOT_IN_FORCE"),
    )

    @pytest.mark.parametrize(("who", "kind", "basis", "purpose", "good", "bad"), CASES)
    def test_the_registered_one_in_force_counts(
        self, who: str, kind: str, basis: Json, purpose: str, good: str, bad: str
    ) -> None:
        case: Json = {"recipient": f"org:{who}", "purpose": [purpose], "basis": basis}

        assert answer(registry=agreed(who, kind), **case) == ("PERMIT", good)
        assert answer(**case) == ("DENY", bad)
        assert answer(registry=agreed(who, kind, to="2026-11-01"), **case) == ("DENY", bad)
        assert answer(registry=agreed(who, kind, **{"from": "2026-11-03"}), **case) == ("DENY", bad)
        assert answer(registry=agreed(who, kind, **{"with": "org:birch"}), **case) == ("DENY", bad)
        assert answer(registry=agreed(who, kind, id="other"), **case) == ("DENY", bad)

    def test_no_audit_or_service_opens_a_proceeding(self) -> None:
        audit: Json = {"basis": {"type": "audit", "agreement": "a1"}, "registry": agreed("auditors", "audit")}
        service: Json = {"basis": {"type": "qso", "agreement": "a1"}, "registry": agreed("clerks", "qsoa")}

        assert answer(recipient="org:auditors", purpose=["HLEGAL"], **audit) == ("DENY", "AUDIT_NO_AGREEMENT")
        assert answer(recipient="org:clerks", purpose=["HLEGAL"], **service) == ("DENY", "QSOA_NOT_IN_FORCE")

    def test_research_is_for_research_by_its_protocol(self) -> None:
        registry = agreed("campus", "research", protocol="outcomes")
        case: Json = {"recipient": "org:campus", "registry": registry}
        basis = {"type": "research", "approval": "a1", "protocol": "marketing"}

        assert answer(purpose=["HRESCH"], basis=basis, **case) == ("DENY", "RESEARCH_NO_APPROVAL")

    def test_an_audit_undertakes_not_to_use_it_against_patients(self) -> None:
        registry = agreed("auditors", "audit", undertakings=["security"])
        basis = {"type": "audit", "agreement": "a1"}

        assert answer(recipient="org:auditors", purpose=["HCOMPL"], basis=basis, registry=registry)[0] == "DENY"

    def test_research_and_audit_bind_the_recipient(self) -> None:
        basis = {"type": "audit", "agreement": "a1"}
        case: Json = {"recipient": "org:auditors", "purpose": ["HCOMPL"], "registry": agreed("auditors", "audit")}

        assert set(ask(basis=basis, **case).record.obligations) == {
            "AUDIT",
            "LABEL",
            "MIN",
            "NO_REDISCLOSE",
            "PROCEEDINGS_BAR",
        }


class TestCourtOrders:
    ORDER: Json = {
        "id": "o1",
        "kind": "2.64",
        "issued": "2026-10-01",
        "expires": "2026-12-01",
        "status": "in_force",
        "verified_by": "counsel",
        "holder": "org:aspen",
        "recipients": ["org:attorneys"],
        "findings": ["good cause"],
        "scope": [{"resource_type": "Condition"}],
    }
    PROCESS: Json = {"kind": "subpoena", "issued": "2026-10-02", "verified_by": "counsel"}

    def outcome(self, order: Json | None, process: Json | None = PROCESS, **case: Any) -> tuple[str, str]:
        basis = {"type": "court_order", "order": order, "process": process}
        return answer(**{"recipient": "org:attorneys", "purpose": ["LEGAL"], "basis": basis, **case})

    def test_an_order_and_process_together_open_what_it_lists(self) -> None:
        assert self.outcome(self.ORDER) == ("PERMIT", "OK_COURT_ORDER")

    def test_process_alone_opens_nothing(self) -> None:
        assert self.outcome(None) == ("DENY", "SUBPOENA_ALONE")

    @pytest.mark.parametrize("process", [None, {"kind": "subpoena", "verified_by": None}])
    def test_an_order_alone_compels_nobody(self, process: Json | None) -> None:
        assert self.outcome(self.ORDER, process) == ("HOLD", "ORDER_NOT_COMPULSORY")

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "vacated"},
            {"expires": "2026-11-01"},
            {"issued": "2026-11-03"},
            {"verified_by": None},
            {"findings": []},
            {"issued": "yesterday"},
        ],
    )
    def test_a_deficient_one_opens_nothing(self, change: Json) -> None:
        assert self.outcome({**self.ORDER, **change}) == ("DENY", "ORDER_DEFICIENT")

    @pytest.mark.parametrize(
        "change",
        [
            {"holder": "org:mercy"},
            {"recipients": ["org:police"]},
            {"scope": [{"resource_type": "Encounter"}]},
            {"kind": "2.67"},
        ],
    )
    def test_one_for_something_else_opens_nothing(self, change: Json) -> None:
        assert self.outcome({**self.ORDER, **change}) == ("DENY", "ORDER_SCOPE")

    def test_confidential_communications_need_to_be_named(self) -> None:
        label = {"system": OWN + "security-label", "code": "SUDNOTES"}
        notes = {**RECORD, "meta": {"security": [label]}}
        case: Json = {"records": (notes, written_by("aspen", notes))}

        assert self.outcome(self.ORDER, **case) == ("DENY", "ORDER_SCOPE")
        assert self.outcome({**self.ORDER, "confidential_communications": True}, **case)[0] == "PERMIT"

    def test_no_order_turns_a_researchers_copy_against_patients(self) -> None:
        records = (RECORD, written_by("aspen", RECORD), handed_to("campus", RECORD, code="research"))

        assert self.outcome({**self.ORDER, "holder": "org:campus"}, records=records) == ("DENY", "ORDER_SCOPE")


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


class TestThePatientsOwnAccess:
    def test_needs_no_consent(self) -> None:
        requester = {
            "organization": None,
            "authenticated_as": "Patient/t1",
            "person": {"id": "Patient/t1", "role": "patient"},
        }
        case: Json = {"recipient": "Patient/t1", "purpose": ["PATRQT"], "requester": requester}

        record = ask(basis={"type": "patient_access", "account": "Patient/t1"}, **case).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_PATIENT")
        assert answer(basis={"type": "patient_access", "account": "Patient/t9"}, **case)[0] == "DENY"

    def test_is_the_patients_alone(self) -> None:
        mother = "RelatedPerson/mother"
        requester = {"organization": None, "authenticated_as": mother, "person": {"id": mother, "role": "relative"}}
        basis = {"type": "patient_access", "account": "Patient/t1"}

        assert answer(recipient=mother, purpose=["FAMRQT"], requester=requester, basis=basis) == ("DENY", "NO_CONSENT")


def test_inside_the_program_treatment_needs_no_consent() -> None:
    assert answer(recipient="org:aspen") == ("PERMIT", "OK_INTERNAL")
    assert answer(recipient="org:aspen", purpose=["HRESCH"]) == ("DENY", "NO_CONSENT")


class TestDeidentified:
    BASIS: Json = {"type": "deidentified", "method": "164.514(b)(2)"}
    CASE: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "patient": None, "basis": BASIS}

    def outcome(self, item: Json, **case: Any) -> str:
        return answer(records=(item, written_by("aspen", item)), **{**self.CASE, **case})[1]

    @pytest.mark.parametrize(
        ("item", "reason"),
        [
            (
                {"gender": "female", "birthDate": "1980", "address": [{"state": "WA", "postalCode": "985"}]},
                "OK_DEIDENT",
            ),
            ({"birthDate": "1980-01"}, "NOT_DEIDENTIFIED"),
            ({"birthDate": "1930"}, "NOT_DEIDENTIFIED"),
            ({"name": [{"family": "Testperson"}]}, "NOT_DEIDENTIFIED"),
            ({"identifier": [{"value": "1"}]}, "NOT_DEIDENTIFIED"),
            ({"address": [{"postalCode": "98501"}]}, "NOT_DEIDENTIFIED"),
            ({"address": [{"postalCode": "036"}]}, "NOT_DEIDENTIFIED"),
            ({"address": [{"city": "Nowhere"}]}, "NOT_DEIDENTIFIED"),
        ],
    )
    def test_the_engine_looks_itself(self, item: Json, reason: str) -> None:
        assert self.outcome({"resourceType": "Patient", "id": "x", **item}) == reason

    @pytest.mark.parametrize(
        ("count", "reason"), [(0, "OK_DEIDENT"), (1, "NOT_DEIDENTIFIED"), (10, "NOT_DEIDENTIFIED"), (11, "OK_DEIDENT")]
    )
    def test_small_cells_identify(self, count: int, reason: str) -> None:
        report = {
            "resourceType": "MeasureReport",
            "id": "m",
            "type": "summary",
            "group": [{"population": [{"count": count}]}],
        }

        assert self.outcome(report) == reason

    def test_a_person_of_the_index_is_somebody(self) -> None:
        assert self.outcome(a_condition(onsetDateTime="2026")) == "NOT_DEIDENTIFIED"
