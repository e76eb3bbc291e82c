"""Releases at the console: break-glass from the form to the wire, and what a second person has to look at."""

import orjson
import pytest

from gateway.flow.reviews import close_review
from gateway.model.exchange import RequestRefused
from tests.support.flow_house import World, a_world
from tests.support.released import (
    ED,
    NURSE,
    OFFICER,
    break_glass,
)


@pytest.fixture
def world() -> World:
    return a_world()


def test_a_broken_glass_sends_the_record_to_medical_personnel(world: World) -> None:
    release = break_glass(world)
    world.work()

    assert (release.state, release.reason) == ("queued", "OK_EMERGENCY")
    ((disclosure, endpoint, _),) = world.transport.sent
    assert (disclosure.recipient, endpoint.transport) == (ED, "fhir")
    kinds = {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]}
    assert {"Patient", "Condition"} & kinds
    assert not {"Task", "ServiceRequest"} & kinds
    assert "EMERGENCY_DOC" in disclosure.record.obligations
    assert "ACCOUNT" not in disclosure.record.obligations
    assert disclosure.notice == ""


def test_the_four_facts_stay_with_the_record_and_in_the_kept_decision(world: World) -> None:
    release = break_glass(world)

    kept = world.database.state.releases[release.id]
    decision = world.database.state.decisions[kept.decision_id or ""]
    assert kept.evidence["nature"] == "unresponsive after a suspected overdose"
    assert kept.evidence["disclosed_by"] == "Nora Nightdesk"
    assert decision.handoff_id == release.handoff_id
    assert orjson.loads(decision.inputs)["request"]["basis"]["recipient_name"] == "Dr Voe"


def test_a_broken_glass_stands_in_the_queue_until_somebody_else_has_looked(world: World) -> None:
    break_glass(world)
    (review,) = world.database.state.reviews.values()
    assert (review.kind, review.raised_by) == ("second-look", NURSE.id)

    with pytest.raises(RequestRefused):
        close_review(world.house, NURSE, review.id, "it was me")
    close_review(world.house, OFFICER, review.id, "called the emergency department")

    (closed,) = world.database.state.reviews.values()
    assert (closed.closed_by, closed.note) == (OFFICER.id, "called the emergency department")
    kinds = [row.kind for row in world.database.audit]
    assert {"release.requested", "release.decided", "review.opened", "review.closed"} <= set(kinds)
