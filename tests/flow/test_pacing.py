"""How a destination is spared: its pace, its back-off, and the breaker that leaves it alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.house import RetryPolicy
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.partner import Breaker, Registry
from tests.support.flow_house import CONTACT, NOW, World, a_world

LANE = "org:demo-hospital/fhir"
DOWN = TryLater("down")


def a_world_with(*, pace_s: float = 0.0, breaker: Breaker | None = None, max_tries: int = 20) -> World:
    """The starter, whose hospital bears so much."""
    world = a_world()
    organizations = [
        replace(one, endpoints=tuple(replace(end, pace_s=pace_s, breaker=breaker) for end in one.endpoints))
        if one.id == "org:demo-hospital"
        else one
        for one in world.house.registry
    ]
    house = replace(world.house, registry=Registry(organizations), retry=RetryPolicy(max_tries=max_tries))
    return replace(world, house=house, gateway=Gateway(house))


def contacts(count: int) -> list[dict[str, str]]:
    return [{**CONTACT, "contact_id": f"C-{n}", "client_id": f"K-{n}", "last_name": f"Sample{n}"} for n in range(count)]


def lane(world: World) -> tuple[datetime | None, int]:
    """When the hospital's lane is due, and how often it failed in a row."""
    kept = world.database.state.lanes[LANE]
    return kept.due, kept.failures


def test_a_paced_destination_gets_one_message_an_interval() -> None:
    world = a_world_with(pace_s=20)
    world.take(*contacts(3))
    counts = [len(world.transport.sent)]

    for seconds in (19, 1, 19, 1):
        world.clock.advance(timedelta(seconds=seconds))
        world.work()
        counts.append(len(world.transport.sent))

    assert counts == [1, 1, 2, 2, 3]


def test_a_refusal_counts_for_the_pace_like_any_answer() -> None:
    world = a_world_with(pace_s=20)
    world.transport.failures = [WillNeverWork("the receiver refused the transaction with 422")]
    world.take(*contacts(2))

    assert world.transport.sent == []
    world.clock.advance(timedelta(seconds=20))
    world.work()
    assert len(world.transport.sent) == 1


@pytest.mark.parametrize(
    ("asked_s", "rests_s"), [(120, 120), (1, 2), (99999, 900)], ids=["longer", "shorter", "longer than we ever rest"]
)
def test_a_receiver_that_asks_to_be_left_alone_is(asked_s: int, rests_s: int) -> None:
    world = a_world()
    world.transport.failures = [TryLater("the receiver answered 503", asked_s)]

    world.take(CONTACT)

    assert lane(world) == (NOW + timedelta(seconds=rests_s), 1)


def test_a_back_off_is_never_shorter_than_the_pace() -> None:
    world = a_world_with(pace_s=300)
    world.transport.failures = [DOWN]

    world.take(CONTACT)

    assert lane(world) == (NOW + timedelta(seconds=300), 1)


def test_a_destination_without_limits_gets_all_at_once() -> None:
    world = a_world_with()

    world.take(*contacts(3))

    assert len(world.transport.sent) == 3


def test_the_breaker_opens_after_its_failures_and_lets_one_probe_through() -> None:
    world = a_world_with(breaker=Breaker(failures=3, rest_s=600))
    world.transport.failures = [DOWN] * 4
    world.take(*contacts(2))
    for _ in range(2):
        world.clock.advance(timedelta(seconds=60))
        world.work()
    opened = lane(world)

    world.clock.advance(timedelta(seconds=599))
    world.work()
    while_open = len(world.transport.failures)
    world.clock.advance(timedelta(seconds=1))
    world.work()
    after_probe = lane(world)

    assert opened == (NOW + timedelta(seconds=720), 3)
    assert while_open == 1
    assert (world.transport.failures, world.transport.sent) == ([], [])
    assert after_probe == (NOW + timedelta(seconds=1320), 4)


def test_a_probe_that_is_answered_closes_the_breaker() -> None:
    world = a_world_with(breaker=Breaker(failures=1, rest_s=600))
    world.transport.failures = [DOWN]
    world.take(*contacts(3))

    world.clock.advance(timedelta(seconds=600))
    world.work()

    assert len(world.transport.sent) == 3
    assert lane(world)[1] == 0


def test_a_refused_probe_closes_the_breaker_too() -> None:
    world = a_world_with(breaker=Breaker(failures=1, rest_s=600))
    world.transport.failures = [DOWN, WillNeverWork("the receiver refused the transaction with 422")]
    world.take(*contacts(2))

    world.clock.advance(timedelta(seconds=600))
    world.work()

    assert len(world.transport.sent) == 1
    assert lane(world)[1] == 0


def test_failures_add_up_over_messages_that_are_given_up() -> None:
    world = a_world_with(breaker=Breaker(failures=3, rest_s=600), max_tries=2)
    world.transport.failures = [DOWN] * 3
    world.take(*contacts(2))
    for _ in range(2):
        world.clock.advance(timedelta(seconds=60))
        world.work()

    assert [state for _, state, _ in world.states()] == ["dead", "ready"]
    assert lane(world)[1] == 3
    assert lane(world)[0] == NOW + timedelta(seconds=720)


def test_without_a_breaker_the_lane_goes_on_behind_what_was_given_up() -> None:
    world = a_world_with(max_tries=1)
    world.transport.failures = [DOWN]

    world.take(*contacts(2))

    assert [state for _, state, _ in world.states()] == ["dead", "delivered"]
