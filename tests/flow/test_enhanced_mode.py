"""Enhanced acknowledgement mode, both ways: the answer we owe, and the answer we are owed (HL7 v2.5.1 ch. 2.9.3)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.errors import TryLater
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Endpoint, Registry
from tests.support.flow_house import CONTACT, World, a_world

PEER = PeerAddress("127.0.0.1", 5000)
LINK = Endpoint("hl7v2", "mllp://127.0.0.1:2595", application="EHR", facility="HOSPITAL")


def a_world_with_a_reply_link() -> World:
    """The hospital takes FHIR, and acknowledgements over MLLP."""
    world = a_world()
    registry = Registry(
        replace(one, endpoints=(*one.endpoints, LINK)) if one.id == "org:demo-hospital" else one
        for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))


def an_admission(accept: str, application: str, sender: str = "EHR|HOSPITAL") -> bytes:
    return (
        f"MSH|^~\\&|{sender}|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^A01|E1|P|2.5.1|||{accept}|{application}\r"
        "EVN|A01|20261102120000-0800\rPID|1||M-1^^^HOSPITAL^MR||Sample^Ari\rPV1|1|E\r"
    ).encode()


def an_application_answer(code: str, control_id: str) -> bytes:
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ACK^I12^ACK|K-{code}|P|2.5.1\r"
        f"MSA|{code}|{control_id}\r"
    ).encode()


def test_the_application_answer_goes_back_over_the_reply_link_once() -> None:
    world = a_world_with_a_reply_link()

    first = world.gateway.accept_message(an_admission("AL", "AL"), PEER)
    again = world.gateway.accept_message(an_admission("AL", "AL"), PEER)
    world.work()

    assert b"MSA|CA|E1" in first
    assert first == again
    assert [(received, endpoint) for received, endpoint, _ in world.transport.acknowledged] == [
        (an_admission("AL", "AL"), LINK)
    ]


@pytest.mark.parametrize(("accept", "application"), [("AL", "NE"), ("AL", "ER"), ("NE", "AL"), ("", "")])
def test_nothing_goes_back_where_no_second_answer_is_owed(accept: str, application: str) -> None:
    world = a_world_with_a_reply_link()

    world.gateway.accept_message(an_admission(accept, application), PEER)
    world.work()

    assert world.transport.acknowledged == []


def test_a_sender_without_a_reply_link_has_its_accept_answer_and_nothing_is_stuck() -> None:
    world = a_world_with_a_reply_link()

    answer = world.gateway.accept_message(an_admission("AL", "AL", "UNKNOWN|WARD"), PEER)
    world.work()

    assert b"MSA|CA|E1" in answer
    assert world.transport.acknowledged == []
    assert world.database.read(lambda tx: tx.outbox.of_states(["ready", "dead"])) == []


def test_an_answer_that_does_not_get_through_is_tried_again_with_the_same_id() -> None:
    world = a_world_with_a_reply_link()
    world.transport.failures.append(TryLater("no connection"))

    world.gateway.accept_message(an_admission("AL", "AL"), PEER)
    world.work()
    world.clock.advance(timedelta(minutes=1))
    world.work()

    assert len(world.transport.acknowledged) == 1


def a_world_that_waits() -> tuple[World, str]:
    """A referral was sent and its receiver said CA; returned is the MSH-10 it was sent with."""
    world = a_world_with_a_reply_link()
    world.transport.awaits_application = True
    world.take(CONTACT)
    return world, world.transport.sent[0][2].message_id[:20]


def test_ca_alone_is_a_state_of_its_own() -> None:
    world, _ = a_world_that_waits()

    assert world.states() == [("create", "awaiting", "CA; its application has not answered yet")]


def test_the_application_answer_makes_it_delivered() -> None:
    world, control_id = a_world_that_waits()

    world.gateway.accept_message(an_application_answer("AA", control_id), PEER)
    world.work()

    assert world.states() == [("create", "delivered", "")]


@pytest.mark.parametrize("code", ["AE", "AR"])
def test_an_application_that_refuses_makes_it_a_matter_for_a_person(code: str) -> None:
    world, control_id = a_world_that_waits()

    world.gateway.accept_message(an_application_answer(code, control_id), PEER)
    world.work()

    assert world.states() == [("create", "dead", f"its application refused: the receiver answered {code}")]


def test_an_application_that_says_nothing_in_time_is_a_matter_for_a_person() -> None:
    world, _ = a_world_that_waits()

    world.clock.advance(timedelta(hours=23, minutes=59))
    world.work()
    before = world.states()
    world.clock.advance(timedelta(minutes=2))
    world.work()

    assert before[0][1] == "awaiting"
    assert world.states() == [("create", "dead", "CA, and no application answer within 24 hours")]


def test_an_answer_that_comes_after_the_time_still_counts() -> None:
    world, control_id = a_world_that_waits()
    world.clock.advance(timedelta(hours=25))
    world.work()

    world.gateway.accept_message(an_application_answer("AA", control_id), PEER)
    world.work()

    assert world.states() == [("create", "delivered", "")]


def test_a_changed_record_goes_out_as_an_update_while_its_first_sending_waits() -> None:
    world, _ = a_world_that_waits()

    world.take({**CONTACT, "self_harm": "Y"})
    before = [(action, state) for action, state, _ in world.states()]
    world.clock.advance(timedelta(hours=25))
    world.work()

    assert before == [("create", "awaiting"), ("update", "awaiting")]
    assert [(action, state) for action, state, _ in world.states()] == [("create", "dead"), ("update", "dead")]


def test_what_its_system_has_and_nobody_answered_is_changed_and_taken_back_like_what_was_delivered() -> None:
    world, _ = a_world_that_waits()
    world.clock.advance(timedelta(hours=25))
    world.work()
    world.transport.awaits_application = False

    world.take({**CONTACT, "self_harm": "Y"})
    world.take({**CONTACT, "client_id": "K-7", "last_name": "Other", "dob": "1970-05-05"})

    actions = [(action, state) for action, state, _ in world.states()]
    assert actions[:3] == [("create", "dead"), ("update", "delivered"), ("cancel", "delivered")]
    assert len({envelope.message_id for _, _, envelope in world.transport.sent}) == len(world.transport.sent)


@pytest.mark.parametrize("control_id", ["", "nobody-sent-this-one-", "idaa"])
def test_an_answer_to_nothing_moves_nothing(control_id: str) -> None:
    world, _ = a_world_that_waits()

    world.gateway.accept_message(an_application_answer("AA", control_id), PEER)
    world.work()

    assert world.states()[0][1] == "awaiting"
