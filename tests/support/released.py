"""A record that a Part 2 program wrote, and the people at the console who may release it."""

from typing import Any

from gateway.flow.releases.release import request_release
from gateway.model.exchange import Accepted
from gateway.model.release import Release, ReleaseRequest
from gateway.model.staff import Member
from tests.support.flow_house import World, csv_of
from tests.support.two_worlds import GOOD_RELEASE, PEOPLE, Row, case

PROGRAM, OPERATOR, ED, POLICE_DEPARTMENT = "org:demo-lead", "org:operator", "org:demo-hospital", "org:demo-pd"

NURSE = Member("staff-nurse", "Nora Nightdesk", "clinician", OPERATOR)
OFFICER = Member("staff-privacy", "Pia Privacy", "privacy-officer", OPERATOR)
LAWYER = Member("staff-legal", "Lex Counsel", "legal", OPERATOR)
CASE_WORKER = Member("staff-case", "Kim Caseworker", "staff", PROGRAM)
OUTSIDER = Member("staff-out", "Otto Outside", "admin", "org:demo-shelter")

FOUR_FACTS: dict[str, Any] = {
    "recipient_name": "Dr Voe", "recipient_affiliation": "Exampleville General, emergency department",
    "time": "2026-11-02T10:00:00-08:00", "nature": "unresponsive after a suspected overdose",
    "consent_obtainable": False,
}  # fmt: skip


def take_case(world: World, release: Row | None = None, needs: str = "SUD treatment") -> str:
    """Hand in a program's case (with a consent for the hospital only where one is given), return the record's id."""
    row = case(1, 0, "demo-lead", needs, "stay sober until winter", release or {}).full
    taken = world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    assert isinstance(taken, Accepted)
    world.work()
    (record,) = world.house.database.read(lambda tx: tx.inputs.records(taken.input_id))
    assert record.handoff_id is not None
    return record.handoff_id


def an_emergency(handoff_id: str, way: str = "send", recipient: str = ED, **facts: Any) -> ReleaseRequest:
    """Return a request with the four facts of 42 CFR 2.51(c); a fact given as None is left out."""
    stated = {name: value for name, value in {**FOUR_FACTS, **facts}.items() if value is not None}
    return ReleaseRequest("emergency", handoff_id, recipient, way, stated)


def break_glass(world: World, way: str = "send", actor: Member = NURSE, **facts: Any) -> Release:
    """Break the glass on a fresh case and return the release."""
    return request_release(world.house, actor, an_emergency(take_case(world), way, **facts))


__all__ = ["GOOD_RELEASE", "PEOPLE"]
