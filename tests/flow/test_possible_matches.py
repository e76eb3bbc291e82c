"""A record that may be about somebody known: nothing of it goes before a person has said whom it is about."""

from gateway.flow.replays import replay
from tests.support.flow_house import CONTACT, World, a_world

DOUBT = ("held", "possible match: it may be about somebody who is known already")
LOOK_ALIKE = {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "phone": ""}


def a_world_in_doubt() -> tuple[World, str, str]:
    """Somebody is known, and a record waits that may be about them; the ids of that person and record."""
    world = a_world()
    world.take(CONTACT)
    (known,) = world.database.state.people
    world.take(LOOK_ALIKE)
    return world, known, newest_record(world)


def newest_record(world: World) -> str:
    return list(world.database.state.handoffs)[-1]


def record_states(world: World) -> list[tuple[str, str | None]]:
    return [(one.state, one.hold_reason) for one in world.database.state.handoffs.values()]


def test_a_delivery_of_a_held_record_that_is_decided_again_goes_on_waiting() -> None:
    world, _, _ = a_world_in_doubt()
    before = len(world.transport.sent)
    (held,) = (one for one in world.database.read(lambda tx: tx.outbox.of_states(["held"])))

    replayed = world.database.write(lambda tx: replay(tx, held.id, "staff-kim", world.clock()))
    world.work()

    assert replayed is None
    assert len(world.transport.sent) == before
    assert world.states()[-1][1:] == DOUBT


def test_its_next_version_waits_too() -> None:
    world, _, _ = a_world_in_doubt()

    world.take({**LOOK_ALIKE, "primary_issue": "substance_use"})

    assert (record_states(world)[-1], world.states()[-1][1:]) == (DOUBT, DOUBT)
    assert len(world.transport.sent) == 1


def test_another_record_of_somebody_in_doubt_waits_too() -> None:
    world, _, _ = a_world_in_doubt()

    world.take({**LOOK_ALIKE, "contact_id": "C-3"})

    assert [state for state, _ in record_states(world)] == ["active", "held", "held"]
    assert len(world.transport.sent) == 1


def test_who_is_said_to_be_another_is_so_in_every_record_and_in_later_ones() -> None:
    world, _, record = a_world_in_doubt()
    world.take({**LOOK_ALIKE, "contact_id": "C-3"})

    resolved = world.gateway.resolve_match("staff", record, None)
    world.work()
    world.take({**LOOK_ALIKE, "contact_id": "C-4"})

    assert resolved
    assert [state for state, _ in record_states(world)] == ["active"] * 4
    assert len(world.transport.sent) == 4


def test_who_is_said_to_be_the_same_is_so_in_every_record() -> None:
    world, known, record = a_world_in_doubt()
    world.take({**LOOK_ALIKE, "contact_id": "C-3"})

    world.gateway.resolve_match("staff", record, known)
    world.work()

    assert {one.person_id for one in world.database.state.handoffs.values()} == {known}
    assert len(world.transport.sent) == 3


def test_who_is_said_to_be_somebody_in_doubt_waits_with_them() -> None:
    world, known, first = a_world_in_doubt()
    world.take({**LOOK_ALIKE, "contact_id": "C-3", "client_id": "K-3"})
    second = newest_record(world)
    doubtful = str(world.database.state.handoffs[first].person_id)

    joined = world.gateway.resolve_match("staff", second, doubtful)
    states = [state for state, _ in record_states(world)]
    world.gateway.resolve_match("staff", second, known)
    world.work()

    assert joined
    assert states == ["active", "held", "held"]
    assert len(world.transport.sent) == 3


def test_a_referral_without_a_route_waits_for_one_once_it_is_known_whom_it_is_about() -> None:
    world = a_world()
    world.take(CONTACT)
    world.take({**LOOK_ALIKE, "referral_service": "housing"})

    world.gateway.resolve_match("staff", newest_record(world), None)

    assert record_states(world)[-1] == ("unrouted", "no route covers 1 of its referrals: add one to routes.yaml")
