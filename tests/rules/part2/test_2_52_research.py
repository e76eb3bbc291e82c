"""42 CFR 2.52: research by a registered approval, for its protocol, and bound not to pass on."""

from typing import Any

import pytest

from tests.support.part2_world import OWN, a_condition, agreed, answer, ask, handed_to, world, written_by

Json = dict[str, Any]


CASE: Json = {"recipient": "org:campus", "purpose": ["HRESCH"], "basis": {"type": "research", "approval": "a1"}}
REFUSED = ("DENY", "RESEARCH_NO_APPROVAL")


def test_the_registered_approval_in_force_counts() -> None:
    assert answer(registry=agreed("campus", "research"), **CASE) == ("PERMIT", "OK_RESEARCH")


@pytest.mark.parametrize(
    "change", [{"to": "2026-11-01"}, {"from": "2026-11-03"}, {"with": "org:birch"}, {"id": "other"}]
)
def test_another_one_does_not(change: Json) -> None:
    assert answer(registry=agreed("campus", "research", **change), **CASE) == REFUSED


def test_none_is_no_approval() -> None:
    assert answer(**CASE) == REFUSED


def test_an_agreement_of_another_kind_is_none() -> None:
    assert answer(registry=agreed("campus", "audit"), **CASE) == REFUSED


def test_it_opens_its_own_protocol_only() -> None:
    registry = agreed("campus", "research", protocol="outcomes")
    basis = {"type": "research", "approval": "a1", "protocol": "marketing"}

    assert answer(registry=registry, **{**CASE, "basis": basis}) == REFUSED
    assert answer(registry=registry, **{**CASE, "basis": {**basis, "protocol": "outcomes"}})[0] == "PERMIT"


@pytest.mark.parametrize("purpose", ["TREAT", "HLEGAL", "HMARKT"])
def test_it_opens_research_only(purpose: str) -> None:
    assert answer(registry=agreed("campus", "research"), **{**CASE, "purpose": [purpose]}) == REFUSED


def test_it_opens_no_counseling_notes() -> None:
    note = a_condition("note", meta={"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]})
    records = (note, written_by("aspen", note))

    assert answer(registry=agreed("campus", "research"), records=records, **CASE) == ("DENY", "NOTES_NO_SPECIFIC")


@pytest.mark.parametrize("roles", [["police"], ["research", "prosecutor"]])
def test_police_are_no_researchers(roles: list[str]) -> None:
    approval = {"id": "a1", "type": "research", "with": "org:aspen", "from": "2026-01-01"}

    assert answer(registry=world(campus={"roles": roles, "agreements": [approval]}), **CASE) == REFUSED
    assert answer(registry=agreed("campus", "research"), role="detective", **CASE) == REFUSED


class TestACopyInOtherHands:
    """42 CFR 2.52(a): a program or another lawful holder may disclose; (b): what was got for research stays there."""

    def at_mercy(self, **hop: str) -> tuple[Json, ...]:
        record = a_condition()
        return record, written_by("aspen", record), handed_to("mercy", record, **hop)

    def test_is_disclosed_by_who_holds_it_and_under_their_approval(self) -> None:
        records = self.at_mercy(under="Consent/tpo")

        assert answer(registry=agreed("campus", "research", **{"with": "org:mercy"}), records=records, **CASE) == (
            "PERMIT",
            "OK_RESEARCH",
        )
        assert answer(registry=agreed("campus", "research"), records=records, **CASE) == REFUSED

    @pytest.mark.parametrize("code", ["research", "audit", "qso", "emergency", "contract", "central_registry"])
    def test_stays_where_it_is_when_it_was_given_for_something_else(self, code: str) -> None:
        registry = agreed("campus", "research", **{"with": "org:mercy"})

        assert answer(registry=registry, records=self.at_mercy(code=code), **CASE) == REFUSED


def test_it_binds_whoever_gets_it() -> None:
    obligations = ask(registry=agreed("campus", "research"), **CASE).record.obligations

    assert set(obligations) == {"AUDIT", "LABEL", "MIN", "NO_REDISCLOSE", "PROCEEDINGS_BAR"}
