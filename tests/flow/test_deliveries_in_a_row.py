"""Deliveries of one lane follow each other: one commit lies between two, and none loses what became of another."""

from dataclasses import replace

from gateway.flow.gateway import Gateway
from gateway.model.errors import TryLater
from gateway.ports import Transaction
from tests.support.flow_house import CONTACT, World, a_world

PEOPLE = [{**CONTACT, "contact_id": f"C-{n}", "client_id": f"K-{n}", "last_name": f"Sample{n}"} for n in (1, 2, 3)]


def a_world_that_waits_with(*people: dict[str, str]) -> World:
    """A world in which a file of these people is converted, and nothing of it sent yet."""
    world = a_world()
    house = replace(world.house, report=lambda work, error: None)
    world = replace(world, house=house, gateway=Gateway(house))
    world.database.write(lambda tx: tx.outbox.pause("org:demo-hospital/fhir", True))
    world.take(*people)
    return world


def let_go(world: World) -> None:
    """Let the hospital's lane go on."""
    world.database.write(lambda tx: tx.outbox.pause("org:demo-hospital/fhir", False))
    world.work()


def sent(world: World) -> list[int]:
    """Return the work of each sending the audit trail tells of."""
    return [row.data["work"] for row in world.database.audit if row.kind == "delivery.sent"]


def states(world: World) -> list[str]:
    return [one.state for one in world.database.state.work.values() if one.kind == "deliver"]


def damage_the_patient_of_the_second(tx: Transaction) -> None:
    """Write an identifier into it that is none."""
    second = [one for one in tx.outbox.of_states(["ready"]) if one.kind == "deliver"][1]
    referral = tx.referrals.get(second.subject)
    assert referral is not None
    (patient,) = (one for one in tx.handoffs.resources(referral.handoff_id) if one["resourceType"] == "Patient")
    broken = {**patient, "identifier": [5]}
    tx.resources.put(broken, handoff_id=referral.handoff_id, person_id=referral.person_id, at=second.created_at)


def test_each_is_sent_once_and_told_once() -> None:
    world = a_world_that_waits_with(*PEOPLE)

    let_go(world)

    assert states(world) == ["delivered", "delivered", "delivered"]
    assert len(world.transport.sent) == 3
    assert len(sent(world)) == len(set(sent(world))) == 3


def test_one_that_cannot_be_decided_loses_nothing_but_itself() -> None:
    world = a_world_that_waits_with(*PEOPLE)
    world.database.write(damage_the_patient_of_the_second)

    let_go(world)

    assert states(world) == ["delivered", "dead", "delivered"]
    assert len(world.transport.sent) == 2, "what was sent before the fault is not sent again"
    assert len(sent(world)) == len(set(sent(world))) == 2


def test_one_that_gets_no_answer_keeps_those_behind_it_waiting() -> None:
    world = a_world_that_waits_with(*PEOPLE)
    world.transport.failures = [TryLater("down")]

    let_go(world)

    assert states(world) == ["ready", "ready", "ready"]
    assert world.transport.sent == []
    assert sent(world) == []


def test_one_that_was_answered_is_written_down_also_where_the_next_may_not_leave() -> None:
    world = a_world_that_waits_with(PEOPLE[0], {**PEOPLE[1], "consent_status": "refused"}, PEOPLE[2])

    let_go(world)

    assert states(world) == ["delivered", "refused", "delivered"]
    assert len(sent(world)) == 2
