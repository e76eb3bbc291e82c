"""Messages that wait in one lane are read a few at a time; one that stops the work loses nothing but itself."""

from dataclasses import replace

from gateway.ports import Transaction
from tests.support.flow_house import World
from tests.support.hospital_feed import PEER, a_world_that_knows_two, adt, person_id, referral_status


def test_a_message_that_stops_the_work_is_put_aside_and_its_neighbours_are_read_in_their_order() -> None:
    world = a_world_that_knows_two()
    world.house = replace(world.house, report=lambda work, error: None)
    damage_the_task_of_the_second(world)
    for event, control_id, number in (("A01", "E1", "M-1"), ("A01", "E2", "M-2"), ("A03", "E3", "M-1")):
        world.gateway.accept_message(adt(event, control_id, number=number), PEER)

    world.work()

    states = [one.state for one in list(world.database.state.inputs.values())[-3:]]
    taken = [row.data["input"] for row in world.database.audit if row.kind == "message.taken"]
    assert states == ["done", "quarantined", "done"]
    assert (referral_status(world, 1), referral_status(world, 2)) == ("completed", "accepted")
    assert len(taken) == len(set(taken)), "what was read again left one trace"


def damage_the_task_of_the_second(world: World) -> None:
    """Write an instant into it that is none."""

    def damage(tx: Transaction) -> None:
        referral = tx.referrals.of_person(person_id(world, 2))[0]
        task = tx.resources.get("Task", referral.id)
        assert task is not None
        broken = {**task.body, "lastModified": "Today"}
        tx.resources.put(broken, handoff_id=task.handoff_id, person_id=task.person_id, at=world.clock())

    world.database.write(damage)
