"""MSH-11 T and D (training, debugging) say nothing about real people: a production gateway keeps them and does nothing.

HL7 table 0103. The answer stays AA: it means stored. A gateway that is itself for training works with them.
"""

from dataclasses import replace

import pytest

from gateway.flow.gateway import Gateway
from tests.flow import test_inbound, test_inbound_orders
from tests.flow.test_feeds import VISIT
from tests.flow.test_order_answers import number, osu
from tests.support.feed_world import a_feed_world, records, told
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.hospital_feed import PEER, adt, referral_status


def training(message: bytes, processing_id: bytes = b"T") -> bytes:
    return message.replace(b"|P|2.5.1", b"|%b|2.5.1" % processing_id, 1)


@pytest.mark.parametrize("processing_id", [b"T", b"D"])
def test_a_visit_of_training_makes_no_record_and_is_answered_as_received(processing_id: bytes) -> None:
    world = a_feed_world()
    message = training(adt("A01", "E1", rest=VISIT), processing_id)

    answer = world.gateway.accept_message(message, PEER)
    record = told(world, message)

    assert b"MSA|AA|E1" in answer
    assert (record.state, record.reason) == ("skipped", "MSH-11: not of production, so it moves nothing here")
    assert records(world) == []


def test_an_answer_of_training_moves_no_referral_and_waits_for_a_person() -> None:
    world = a_world()
    world.take(CONTACT)

    record = told(world, training(osu(number(world), "IP")))

    assert (record.state, referral_status(world)) == ("quarantined", "requested")


@pytest.mark.parametrize("message", [test_inbound.ref("I12", "T-1"), test_inbound_orders.order("NW", "T-2")])
def test_a_referral_of_training_goes_to_nobody_and_waits_for_a_person(message: bytes) -> None:
    world = test_inbound.a_world()

    record = told(world, training(message))

    assert (record.state, world.transport.sent) == ("quarantined", [])
    assert records(world) == []


def test_a_gateway_for_training_works_with_them() -> None:
    world = as_training(a_feed_world())

    record = told(world, training(adt("A01", "E1", rest=VISIT)))

    assert record.state == "converted"


def as_training(world: World) -> World:
    house = replace(world.house, processing_id="T")
    return replace(world, house=house, gateway=Gateway(house))
