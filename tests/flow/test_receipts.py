"""What the receipt of a record tells its sender once somebody else has written into the record."""

from dataclasses import replace

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.exchange import Accepted
from gateway.settings import Client
from tests.support.flow_house import CONTACT, World, a_caller, a_world, csv_of

RIDER, PROGRAM, COLLEAGUE = "rider", "program", "colleague"
CORRESPONDERS = "org:demo-corresponders"


def with_three_desks() -> World:
    """A house in which two desks of the co-responders and one of a program hand in what police keep."""
    base = a_world()
    desks = {RIDER: CORRESPONDERS, COLLEAGUE: CORRESPONDERS, PROGRAM: "org:demo-lead"}
    clients = {
        name: Client(id=name, organization=own, scopes=("intake",), submits_for=("org:demo-pd",))
        for name, own in desks.items()
    }
    house = replace(base.house, clients={**base.house.clients, **clients})
    return World(house, Gateway(house), base.clock, base.database, base.transport)


def hand_in(world: World, client: str, row: dict[str, str]) -> str:
    taken = world.gateway.accept("http", "co-responder-contact", client, "text/csv", csv_of(row), None)
    assert isinstance(taken, Accepted)
    world.work()
    return taken.input_id


def ids(world: World, receipt: str) -> list[str]:
    shown = world.gateway.receipt(a_caller(RIDER, CORRESPONDERS), receipt)
    assert shown is not None
    (record,) = shown["records"]
    return list(record["ids"])


def test_a_receipt_names_nothing_of_what_another_organization_wrote_into_the_record_since() -> None:
    world = with_three_desks()
    receipt = hand_in(world, RIDER, CONTACT)
    assert any(one.startswith("Encounter/") for one in ids(world, receipt))

    hand_in(world, PROGRAM, {**CONTACT, "clinician_org": "demo-lead", "suicide": "ideation"})

    assert ids(world, receipt) == []


@pytest.mark.parametrize("client", [RIDER, COLLEAGUE])
def test_a_receipt_names_what_the_same_organization_wrote_since(client: str) -> None:
    world = with_three_desks()
    receipt = hand_in(world, RIDER, CONTACT)
    before = ids(world, receipt)

    hand_in(world, client, {**CONTACT, "suicide": "ideation"})

    assert len(ids(world, receipt)) > len(before)
