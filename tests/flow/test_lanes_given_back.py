"""A lane goes back with the commit of the last work that was leased with it, whatever became of that work."""

from dataclasses import replace

from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from tests.support.counted import CountedDatabase, FailingDatabase
from tests.support.flow_house import CONTACT, World, a_world, csv_of
from tests.support.hospital_feed import PEER, adt, with_feed


def states_of_messages(world: World) -> list[str]:
    return [one.state for one in world.database.state.inputs.values() if one.channel == "mllp"]


def told(world: World, *control_ids: str) -> None:
    """Let the hospital tell of admissions of nobody we know."""
    for one in control_ids:
        assert b"|AA|" in world.gateway.accept_message(adt("A01", one), PEER)


def leased(world: World) -> list[str]:
    return [name for name, lane in world.database.state.lanes.items() if lane.owner is not None]


def test_reading_messages_takes_a_commit_to_lease_their_lane_and_one_for_all_the_rest() -> None:
    world = with_feed(a_world())
    told(world, "1", "2", "3")
    counted = CountedDatabase(world.database)

    work_once(replace(world.house, database=counted), "one")

    assert counted.asked.count("write") == 2
    assert states_of_messages(world) == ["done", "done", "done"]
    assert leased(world) == []


def test_a_lane_whose_last_message_cannot_be_read_is_free_at_once() -> None:
    world = with_feed(a_world())
    told(world, "1", "2")
    failing = FailingDatabase(world.database, "inputs.put_records", KeyError("nobody foresaw it"))

    work_once(replace(world.house, database=failing, report=lambda work, error: None), "one")

    assert states_of_messages(world) == ["quarantined", "quarantined"]
    assert leased(world) == []


def test_the_lane_of_a_file_is_given_back_once_and_with_its_reading() -> None:
    world = a_world()
    content = csv_of(CONTACT)
    Gateway(world.house).accept("http", "co-responder-contact", "demo-agency", "text/csv", content, None)
    counted = CountedDatabase(world.database)

    work_once(replace(world.house, database=counted), "one")

    assert counted.asked.count("outbox.release") == 1
    assert leased(world) == []


def test_the_lane_of_a_delivery_is_given_back_after_the_answer() -> None:
    world = a_world()
    world.take(CONTACT)

    assert world.states() == [("create", "delivered", "")]
    assert leased(world) == []
