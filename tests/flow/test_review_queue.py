"""What holds reaches a person: an item whose author nobody knows waits in the queue while the rest is sent."""

import pytest

from gateway.flow.releases.reviews import close_review
from gateway.model.exchange import RequestRefused
from gateway.model.release import Review
from gateway.model.staff import Member
from gateway.ports import Transaction
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.released import NURSE, OFFICER

LANE = "org:demo-hospital/fhir"
PARTNER = Member("staff-kim", "Kim", "privacy-officer", "org:demo-lead")


def orphan_an_observation(tx: Transaction) -> None:
    """Take one Observation out of its Provenance, so that nobody says who wrote it."""
    (handoff_id,) = {one.handoff_id for one in tx.referrals.of_recipient("org:demo-hospital", None, None)}
    orphaned = False
    for resource in tx.handoffs.resources(handoff_id):
        if resource["resourceType"] != "Provenance" or orphaned:
            continue
        kept = [one for one in resource["target"] if not one["reference"].startswith("Observation/")]
        orphaned = len(kept) < len(resource["target"])
        stored = tx.resources.get("Provenance", resource["id"])
        assert stored is not None
        tx.resources.put(
            {**resource, "target": kept}, handoff_id=handoff_id, person_id=stored.person_id, at=stored.updated_at
        )


@pytest.fixture
def world() -> World:
    world = a_world()
    world.gateway.pause("test", LANE, True)
    world.take(CONTACT)
    world.database.write(orphan_an_observation)
    world.gateway.pause("test", LANE, False)
    world.work()
    return world


def the_review(world: World) -> Review:
    (review,) = world.database.state.reviews.values()
    return review


def test_the_rest_goes_and_what_holds_is_put_before_a_person(world: World) -> None:
    assert world.states() == [("create", "delivered", "")]
    review = the_review(world)
    assert (review.kind, review.reason, review.raised_by) == ("held", "ORIGIN_UNKNOWN", "worker")
    assert {reference.partition("/")[0] for reference in review.items} == {"Observation"}


def test_a_second_sending_opens_no_second_review(world: World) -> None:
    world.gateway.replay("test", 2)
    (work,) = [one for one in world.database.state.work.values() if one.kind == "deliver"]
    world.database.write(lambda tx: tx.outbox.set_state(work.id, "ready", None, world.clock()))
    world.work()

    assert len(world.transport.sent) == 2
    assert len(world.database.state.reviews) == 1


def test_who_settled_it_has_it_decided_and_sent_again(world: World) -> None:
    close_review(world.house, OFFICER, the_review(world).id, "the author is registered now", again=True)
    world.work()

    assert world.states() == [("create", "delivered", ""), ("update", "delivered", "")]
    first, second = world.database.state.reviews.values()
    assert first.closed_by == OFFICER.id
    assert second.closed_at is None  # nobody has registered the author, so it holds again


@pytest.mark.parametrize("stranger", [NURSE, PARTNER], ids=["role", "organization"])
def test_only_the_operators_reviewers_close_it(world: World, stranger: Member) -> None:
    with pytest.raises(RequestRefused):
        close_review(world.house, stranger, the_review(world).id, "fine")

    assert the_review(world).closed_at is None
