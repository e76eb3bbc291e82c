"""One partner does not answer for another, and who is in nobody's registry answers for nobody."""

from dataclasses import replace

from gateway.flow.gateway import Gateway
from gateway.model.partner import Feed, Registry
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.hospital_feed import rri, take

CERTIFICATE = "ab" * 32


def a_world_where(owner: str, certificates: frozenset[str] = frozenset()) -> World:
    """One referral was sent to the hospital; EHR^HOSPITAL is registered as the system of `owner`."""
    world = a_world()
    known = {one.id: one for one in world.house.registry}
    feed = Feed("EHR", "HOSPITAL", certificates=certificates)
    known[owner] = replace(known[owner], feeds=(feed,))
    world.house = replace(world.house, registry=Registry(known.values()))
    world.gateway = Gateway(world.house)
    world.take(CONTACT)
    return world


def number_of(world: World) -> str:
    (disclosure, _, _), *_ = world.transport.sent
    tasks = [e["resource"] for e in disclosure.content["entry"] if e["resource"]["resourceType"] == "Task"]
    return str(tasks[0]["identifier"][0]["value"])


def test_the_recipient_answers_for_itself() -> None:
    world = a_world_where("org:demo-hospital")

    assert take(world, rri(number_of(world), "M-1", "R1"))[0] == "converted"


def test_an_exchange_passes_on_the_answers_of_others() -> None:
    world = a_world_where("org:demo-exchange")

    assert take(world, rri(number_of(world), "M-1", "R1"))[0] == "converted"


def test_another_partner_does_not_answer_in_its_place() -> None:
    world = a_world_where("org:demo-clinic")

    state, reason = take(world, rri(number_of(world), "M-1", "R1"))

    assert (state, reason.partition(":")[0]) == ("quarantined", "MSH-3, MSH-4")
    assert {one.status for one in world.database.state.referrals.values()} == {"requested"}


def test_nobody_answers_in_the_name_of_a_partner_without_its_certificate() -> None:
    world = a_world_where("org:demo-hospital", frozenset({CERTIFICATE}))

    state, reason = take(world, rri(number_of(world), "M-1", "R1"))

    assert (state, "without a certificate" in reason) == ("quarantined", True)


def test_what_nobody_registered_sends_waits_for_a_person_whatever_number_it_knows() -> None:
    world = a_world()
    world.take(CONTACT)

    state, reason = take(world, rri(number_of(world), "M-1", "R1"))

    assert (state, "no partner sends under these names" in reason) == ("quarantined", True)
    assert {one.status for one in world.database.state.referrals.values()} == {"requested"}
