"""Somebody else commits before the lock or the turn is had: what is moved, closed or taken back is what stands then."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.house import House
from gateway.flow.messages.desk import leave, take_as, tell_whom
from gateway.flow.messages.outcomes import A_WORD, put_outcome
from gateway.flow.moves import move
from gateway.flow.releases.reviews import close_review
from gateway.model.exchange import RequestRefused
from gateway.ports import Transaction
from gateway.tracking.status import StatusEvent
from tests.flow.test_held_relays import RESEMBLES, message_of
from tests.flow.test_inbound import a_world as a_world_referred_to
from tests.flow.test_inbound import ref, the_record, the_referral
from tests.flow.test_meanwhile import interrupted
from tests.flow.test_order_answers import number, osu
from tests.flow.test_review_queue import orphan_an_observation, the_review
from tests.support.feed_world import told
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.hospital_feed import person_id, referral_status, take, with_feed
from tests.support.relay_world import GLUCOSE, an_exchange, result
from tests.support.released import OFFICER


def test_of_two_who_settle_a_review_at_once_only_the_first_has_it_sent_again() -> None:
    world = a_world()
    world.gateway.pause("test", "org:demo-hospital/fhir", True)
    world.take(CONTACT)
    world.database.write(orphan_an_observation)
    world.gateway.pause("test", "org:demo-hospital/fhir", False)
    world.work()
    review = the_review(world)
    closed = replace(review, closed_at=world.clock(), closed_by="staff-lee", note="looked at")
    later, database = interrupted(world, f"review {review.id}", lambda tx: tx.reviews.save(closed))

    with pytest.raises(RequestRefused):
        close_review(later.house, OFFICER, review.id, "the author is registered now", again=True)

    assert database.is_done
    assert [action for action, _, _ in world.states()] == ["create"]


def test_a_referral_that_was_sent_before_its_cancellation_had_the_lock_is_taken_back_from_its_recipient() -> None:
    world = a_world_referred_to()
    lane = the_lane(world)
    told(world, ref("I12", "Q1"))
    (work,) = world.database.read(lambda tx: tx.outbox.of_subject(the_referral(world).id))
    later, database = interrupted(
        world, str(the_record(world).person_id),
        lambda tx: tx.outbox.set_state(work.id, "delivered", None, world.clock()),
    )  # fmt: skip

    told(later, ref("I14", "Q3", at="20261102140000-0800"))

    assert (work.lane, work.state, database.is_done) == (lane, "ready", True)
    assert [action for action, _, _ in world.states()] == [
        "create",
        "create",
        "create",
        "cancel",
    ]  # the first two are of others


def the_lane(world: World) -> str:
    """Stop what goes to the crisis team, as if its turn had not come, and name its lane."""
    lane = "org:demo-corresponders/fhir"
    world.gateway.pause("test", lane, True)
    return lane


def completed(world: World) -> Callable[[Transaction], object]:
    """Let the recipient complete the referral by its Task."""
    (referral,) = world.database.state.referrals.values()
    event = StatusEvent("completed", "recipient", world.clock(), has_output=True)
    return lambda tx: move(world.house, tx, referral, event, by="test", implied=True)


def test_an_answer_takes_nothing_back_that_its_recipient_has_said_meanwhile() -> None:
    world = with_feed(a_world())
    world.take(CONTACT)
    later, database = interrupted(world, person_id(world), completed(world))

    take(later, osu(number(world), "IP"))

    assert (database.is_done, referral_status(world)) == (True, "completed")


@pytest.mark.parametrize(
    "say",
    [
        lambda house, waiting: leave(house, "staff-kim", waiting),
        lambda house, waiting: tell_whom(house, "staff-kim", waiting, None),
        lambda house, waiting: take_as(house, "staff-kim", waiting, "org:demo-hospital"),
    ],
    ids=["left", "told whom", "told whose"],
)
def test_of_two_who_say_what_is_open_of_a_message_only_the_first_is_heard(say: Callable[[House, str], bool]) -> None:
    exchange = an_exchange()
    told(exchange.world, result(*GLUCOSE, control_id="O1", person=RESEMBLES))
    waiting = message_of(exchange, "O1").id
    people = len(exchange.world.database.state.people)
    settled = ("skipped", "somebody else has looked at it", None)
    later, database = interrupted(exchange.world, A_WORD, lambda tx: put_outcome(tx, waiting, settled))

    assert not say(later.house, waiting)
    assert (database.is_done, len(exchange.world.database.state.people)) == (True, people)


def test_what_has_been_put_in_the_place_of_a_refused_delivery_is_not_sent_beside_it() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "refused"})
    refused = next(one for one in world.database.state.work.values() if one.kind == "deliver")
    later, database = interrupted(
        world, str(next(iter(world.database.state.people))),
        lambda tx: tx.outbox.set_state(refused.id, "superseded", None, world.clock()),
    )  # fmt: skip

    answer = Gateway(later.house).replay("staff-kim", refused.id)

    assert (answer, database.is_done) == (False, True)
    assert world.states()[-1][1] == "superseded"
