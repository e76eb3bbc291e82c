"""42 CFR 2.61 to 2.67: an order authorizes, process compels; both are needed, and only what the order lists goes."""

from typing import Any

import pytest

from tests.support.machines import a_machine_set_to
from tests.support.part2_world import OWN, a_condition, answer, handed_to, world, written_by

Json = dict[str, Any]
RECORD = a_condition()


AGAINST_A_PATIENT = (
    "extremely-serious-crime", "substantial-value", "no-other-way", "interest-outweighs", "holder-had-counsel",
)  # fmt: skip


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
        "findings": ["no-other-way", "interest-outweighs"],
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
        ("at", "reason"),
        [
            ("2026-11-02T07:59:59Z", "ORDER_DEFICIENT"),
            ("2026-11-02T08:00:00Z", "OK_COURT_ORDER"),
            ("2026-11-03T07:59:59Z", "OK_COURT_ORDER"),
            ("2026-11-03T08:00:00Z", "ORDER_DEFICIENT"),
        ],
    )
    def test_the_days_of_an_order_are_those_where_its_holder_is(self, at: str, reason: str) -> None:
        assert self.outcome({**self.ORDER, "issued": "2026-11-02", "expires": "2026-11-02"}, at=at)[1] == reason

    @pytest.mark.parametrize(
        ("at", "reason"),
        [
            ("2026-11-01T23:59:59Z", "ORDER_DEFICIENT"),
            ("2026-11-02T00:00:00Z", "OK_COURT_ORDER"),
            ("2026-11-02T23:59:59Z", "OK_COURT_ORDER"),
            ("2026-11-03T00:00:00Z", "ORDER_DEFICIENT"),
        ],
    )
    def test_where_its_zone_is_not_known_they_are_those_of_utc_whatever_the_machine_is_set_to(
        self, at: str, reason: str
    ) -> None:
        order = {**self.ORDER, "issued": "2026-11-02", "expires": "2026-11-02"}

        with a_machine_set_to("Pacific/Kiritimati"):
            assert self.outcome(order, at=at, registry=world(aspen={"timezone": None}))[1] == reason

    @pytest.mark.parametrize("kind", ["2.64", "2.66"])
    @pytest.mark.parametrize("missing", ["no-other-way", "interest-outweighs"])
    def test_good_cause_is_two_findings(self, kind: str, missing: str) -> None:
        """2.64(d); 2.66(c)."""
        findings = [one for one in self.ORDER["findings"] if one != missing]

        assert self.outcome({**self.ORDER, "kind": kind}) == ("PERMIT", "OK_COURT_ORDER")
        assert self.outcome({**self.ORDER, "kind": kind, "findings": findings}) == ("DENY", "ORDER_DEFICIENT")

    @pytest.mark.parametrize("missing", [None, *AGAINST_A_PATIENT])
    def test_an_order_against_a_patient_rests_on_five_findings(self, missing: str | None) -> None:
        """2.65(d)(1) to (5)."""
        findings = [one for one in AGAINST_A_PATIENT if one != missing]
        found = self.outcome({**self.ORDER, "kind": "2.65", "findings": findings})

        assert found == (("DENY", "ORDER_DEFICIENT") if missing else ("PERMIT", "OK_COURT_ORDER"))

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

    @pytest.mark.parametrize(
        ("holder", "outcome"), [("org:mercy", ("PERMIT", "OK_COURT_ORDER")), ("org:aspen", ("DENY", "ORDER_SCOPE"))]
    )
    def test_a_copy_is_opened_by_an_order_to_who_holds_it_and_by_no_other(
        self, holder: str, outcome: tuple[str, str]
    ) -> None:
        """2.64(a); 2.12(d)(2)."""
        copy = (RECORD, written_by("aspen", RECORD), handed_to("mercy", RECORD, code="referral"))

        assert self.outcome({**self.ORDER, "holder": holder}, records=copy) == outcome

    def test_confidential_communications_need_to_be_named(self) -> None:
        label = {"system": OWN + "security-label", "code": "SUDNOTES"}
        notes = {**RECORD, "meta": {"security": [label]}}
        case: Json = {"records": (notes, written_by("aspen", notes))}

        named = {**self.ORDER, "confidential_communications": True}

        assert self.outcome(self.ORDER, **case) == ("DENY", "ORDER_SCOPE")
        assert self.outcome(named, **case) == ("DENY", "ORDER_SCOPE")
        for why in ("threat-or-serious-crime", "patient-opened-it"):
            opened = {**named, "findings": [*self.ORDER["findings"], why]}
            assert self.outcome(opened, **case)[0] == "PERMIT"

    def test_no_order_turns_a_researchers_copy_against_patients(self) -> None:
        records = (RECORD, written_by("aspen", RECORD), handed_to("campus", RECORD, code="research"))

        assert self.outcome({**self.ORDER, "holder": "org:campus"}, records=records) == ("DENY", "ORDER_SCOPE")
