"""A database that does not answer is no fault of the work: it waits and is done later, and nobody finds it dead."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.errors import TryLater
from tests.support.counted import CountedDatabase, FailingDatabase
from tests.support.flow_house import CONTACT, World, a_world, csv_of
from tests.support.hospital_feed import PEER, adt, with_feed

OTHER = {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Example", "phone": ""}


def a_world_with_a_record_and_messages() -> World:
    """A world in which a file waits to be converted, and two messages wait to be read."""
    world = with_feed(a_world())
    Gateway(world.house).accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(CONTACT, OTHER), None)
    for control_id in ("1", "2"):
        message = adt("A01", control_id, number=f"M-9{control_id}", person="Stranger^Zoe||19500101|F")
        assert b"|AA|" in world.gateway.accept_message(message, PEER)
    return world


def work_without(world: World, call: str, turns: int = 3) -> None:
    """Let a worker work while the database does not answer this call."""
    failing = FailingDatabase(world.database, call)
    house = replace(world.house, database=failing, report=lambda work, error: None)
    for _ in range(turns):
        with suppress(TryLater):  # as the loop of the workers does
            work_once(house, "one")


def test_what_the_database_did_not_take_is_done_later() -> None:
    world = a_world_with_a_record_and_messages()
    waiting, counted = world.database.state, CountedDatabase(world.database)
    while work_once(replace(world.house, database=counted), "one"):
        pass
    assert {"handoffs.save", "inputs.put_records", "decisions.intend", "decisions.confirm"} <= set(counted.asked)

    for call in sorted({*counted.asked, "commit"} - {"read", "write"}):
        world.database.state = waiting
        world.transport.sent.clear()
        work_without(world, call)
        for _ in range(3):
            world.clock.advance(timedelta(minutes=1))
            world.work()

        assert [one.state for one in world.database.state.inputs.values()] == ["done"] * 3, call
        assert world.states() == [("create", "delivered", "")] * 2, call
        assert len({envelope.message_id for _, _, envelope in world.transport.sent}) == 2, call


def test_what_was_sent_and_could_not_be_written_down_is_sent_again_as_the_same_message() -> None:
    world = a_world()
    world.gateway.pause("test", "org:demo-hospital/fhir", True)
    world.take(CONTACT)
    world.gateway.pause("test", "org:demo-hospital/fhir", False)

    work_without(world, "decisions.confirm", turns=1)
    world.clock.advance(timedelta(minutes=1))
    world.work()

    first, second = (envelope.message_id for _, _, envelope in world.transport.sent)
    assert first == second
    assert world.states() == [("create", "delivered", "")]


def test_a_lane_rests_longer_each_time_and_starts_anew_once_it_is_through() -> None:
    world = a_world_with_a_record_and_messages()
    lane = next(one.lane for one in world.database.state.work.values() if one.kind == "convert")
    rests = []

    for _ in range(3):
        work_without(world, "handoffs.save")
        due = world.database.state.lanes[lane].due
        assert due is not None
        rests.append((due - world.clock()).total_seconds())
        world.clock.advance(due - world.clock())
    world.work()

    assert rests == [2, 4, 8]
    assert world.database.state.lanes[lane].failures == 0


def test_work_that_the_database_never_takes_comes_before_a_person_and_its_lane_goes_on() -> None:
    world = a_world_with_a_record_and_messages()

    for _ in range(world.house.retry.max_tries):
        work_without(world, "inputs.put_records")
        world.clock.advance(timedelta(hours=1))

    assert [one.state for one in world.database.state.inputs.values()] == ["quarantined"] * 3
