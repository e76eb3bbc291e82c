"""A relay that waits for a person's word goes on by itself once it is said, and waits on where it settles nothing."""

from dataclasses import replace

import pytest

from gateway.flow.messages.desk import decide_merge, leave, tell_whom
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.handoff import StoredInput
from tests.support.feed_world import told
from tests.support.hospital_feed import adt, person_id
from tests.support.part2_world import a_consent
from tests.support.relay_world import ASPEN, GLUCOSE, Exchange, an_exchange, result

RESEMBLES = "PID|1||M-7^^^HOSPITAL^MR||Sample^Ari||19900102|F"
OF_TWO = "PID|1||M-1^^^HOSPITAL^MR~M-2^^^HOSPITAL^MR||Sample^Ari||19900102|F"


def message_of(exchange: Exchange, control_id: str) -> StoredInput:
    """Return the kept message with this MSH-10."""
    for stored in exchange.world.database.state.inputs.values():
        message = read_message(stored.payload)
        if isinstance(message, Message) and message.text("MSH-10") == control_id:
            return stored
    raise LookupError(control_id)


@pytest.fixture
def exchange() -> Exchange:
    """Two results about somebody who is only possibly known, and one about a stranger, wait."""
    exchange = an_exchange()
    for control_id in ("O1", "O2"):
        told(exchange.world, result(*GLUCOSE, control_id=control_id, person=RESEMBLES))
    stranger = "PID|1||X-9^^^HOSPITAL^MR||Nobody^Noel||20000101|M"
    told(exchange.world, result(*GLUCOSE, control_id="O3", person=stranger))
    assert [state for state, _ in exchange.states()] == ["held"] * 3
    return exchange


def test_once_it_is_said_whom_it_is_about_every_message_of_that_number_goes_on(exchange: Exchange) -> None:
    waiting = message_of(exchange, "O1").id

    assert tell_whom(exchange.world.house, "staff-lee", waiting, person_id(exchange.world))
    exchange.world.work()

    assert [state for state, _ in exchange.states()] == ["delivered", "delivered", "held"]
    assert len(exchange.relay.sent) == 2


def test_the_other_messages_of_the_number_are_read_again_too(exchange: Exchange) -> None:
    waiting = message_of(exchange, "O2").id

    assert tell_whom(exchange.world.house, "staff-lee", waiting, None)

    first = message_of(exchange, "O1")
    assert exchange.world.database.read(lambda tx: tx.inputs.records(first.id))[0].state == "converted"


def test_a_message_that_is_left_goes_nowhere_as_long_as_nobody_knows_whom_it_is_about(exchange: Exchange) -> None:
    assert leave(exchange.world.house, "staff-lee", message_of(exchange, "O1").id)
    exchange.world.work()

    assert exchange.relay.sent == []
    assert [state for state, _ in exchange.states()] == ["held"] * 3


def test_it_is_decided_anew_and_not_merely_sent(exchange: Exchange) -> None:
    """Aspen is a Part 2 program, and nobody has consented to what it tells."""
    told(exchange.world, result(*GLUCOSE, sender=ASPEN, control_id="O4", person=RESEMBLES))
    waiting = message_of(exchange, "O4").id

    assert tell_whom(exchange.world.house, "staff-lee", waiting, person_id(exchange.world))
    exchange.world.work()

    assert exchange.states()[-1] == ("refused", "DISCLOSER_NOT_NAMED (42 CFR 2.31(a)(2))")


def test_what_is_about_somebody_in_doubt_waits_till_it_is_said_who_they_are() -> None:
    """Somebody known may have said no, and nobody knows yet whether it is them."""
    exchange = an_exchange()
    state, person = exchange.world.database.state, person_id(exchange.world)
    record = next(one for one in state.handoffs.values() if one.person_id == person)
    state.handoffs[record.id] = replace(record, state="held", hold_reason="possible match")

    told(exchange.world, result(*GLUCOSE))
    waited = exchange.states()
    exchange.world.gateway.resolve_match("staff-lee", record.id, None)
    exchange.world.work()

    assert waited == [("held", "it is about a person who is only possibly known: decide who it is")]
    assert [state for state, _ in exchange.states()] == ["delivered"]


def test_numbers_of_two_who_become_one_are_no_contradiction_any_more() -> None:
    exchange = an_exchange()
    told(exchange.world, result(*GLUCOSE, person=OF_TWO))
    told(exchange.world, adt("A40", "M1", rest="MRG|M-2^^^HOSPITAL^MR"))
    assert exchange.states()[0][0] == "held"

    assert decide_merge(exchange.world.house, "staff-lee", message_of(exchange, "M1").id, same=True)
    exchange.world.work()

    assert exchange.states()[0][0] == "delivered"


def test_what_its_own_reading_held_goes_on_once_that_is_settled() -> None:
    exchange = an_exchange()
    told(exchange.world, adt("A31", "U1", person="Other^Olga||19700101|F", rest="PD1|"))
    assert exchange.states() == [("held", "its own reading waits for a person")]

    assert leave(exchange.world.house, "staff-lee", message_of(exchange, "U1").id)
    exchange.world.work()

    assert [state for state, _ in exchange.states()] == ["delivered"]


def test_what_a_decision_held_is_sent_again_by_a_person_only(exchange: Exchange) -> None:
    exchange.file(a_consent())
    told(exchange.world, adt("A01", "E1").replace(b"EHR|HOSPITAL", b"LIS|ASPEN", 1))
    assert exchange.states()[-1] == ("held", "NOTICE_UNATTACHABLE (42 CFR 2.32(a))")
    tried = len(exchange.world.database.state.decisions)

    tell_whom(exchange.world.house, "staff-lee", message_of(exchange, "O1").id, None)

    assert exchange.states()[-1] == ("held", "NOTICE_UNATTACHABLE (42 CFR 2.32(a))")
    assert len(exchange.world.database.state.decisions) == tried
