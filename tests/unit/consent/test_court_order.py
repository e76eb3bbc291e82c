"""At which step an order of a court ends that lacks something, from when to when it counts, and what it opens."""

from typing import Any

import pytest

from gateway.model.decision import Basis, Verdict
from tests.support.part2_world import T0, ask

Json = dict[str, Any]


class TestCourtOrders:
    ORDER: Json = {
        "id": "o1",
        "kind": "2.64",
        "status": "in_force",
        "verified_by": "counsel",
        "holder": "org:aspen",
        "recipients": ["org:attorneys"],
        "findings": ["no-other-way", "interest-outweighs"],
        "scope": [{"resource_type": "Condition"}],
    }

    def found(self, order: Json | None, process: Json | None) -> Verdict:
        basis = {"type": "court_order", "order": order, "process": process}
        (found,) = ask(recipient="org:attorneys", purpose=["LEGAL"], basis=basis).verdicts
        return found

    @pytest.mark.parametrize(
        ("change", "outcome", "reason", "step"),
        [
            (None, "DENY", "SUBPOENA_ALONE", 1150),
            ({"findings": []}, "DENY", "ORDER_DEFICIENT", 1151),
            ({"holder": "org:mercy"}, "DENY", "ORDER_SCOPE", 1152),
            ({}, "HOLD", "ORDER_NOT_COMPULSORY", 1153),
        ],
    )
    def test_end_where_they_lack_something(self, change: Json | None, outcome: str, reason: str, step: int) -> None:
        found = self.found(None if change is None else {**self.ORDER, **change}, None)

        assert (found.outcome, found.reason, found.step) == (outcome, reason, step)

    @pytest.mark.parametrize(
        ("stated", "reason"),
        [
            ({"issued": T0}, "ORDER_NOT_COMPULSORY"),
            ({"issued": "2026-11-02T18:00:01Z"}, "ORDER_DEFICIENT"),
            ({"expires": "2026-11-02T17:59:59Z"}, "ORDER_DEFICIENT"),
            ({"expires": T0}, "ORDER_NOT_COMPULSORY"),
        ],
    )
    def test_count_from_the_instant_they_are_issued_until_they_have_expired(self, stated: Json, reason: str) -> None:
        assert self.found({**self.ORDER, **stated}, None).reason == reason

    def test_open_what_they_list(self) -> None:
        process = {"verified_by": "counsel"}

        elsewhere = self.found({**self.ORDER, "scope": [{"resource_type": "Observation"}]}, process)

        assert (elsewhere.outcome, elsewhere.reason, elsewhere.step) == ("DENY", "ORDER_SCOPE", 1154)
        assert self.found(self.ORDER, process) == Verdict(
            "Condition/f1120", "PERMIT", "OK_COURT_ORDER", 1150, frozenset({"LABEL", "MIN", "LEGAL_QUEUE"}),
            Basis("court_order", "o1"), "order",
        )  # fmt: skip
