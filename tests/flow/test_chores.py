"""What the gateway does for itself: message ids are forgotten when nobody repeats them any more."""

from datetime import timedelta

from tests.support.flow_house import a_world
from tests.support.hospital_feed import PEER, adt, with_feed


def test_a_message_is_known_again_for_thirty_days_and_its_bytes_stay_for_good() -> None:
    world = with_feed(a_world())
    message = adt("A01", "E1", number="M-9", person="Stranger^Max||19700101|M")
    first = world.gateway.accept_message(message, PEER)
    world.work()

    world.gateway.do_chores()
    world.clock.advance(timedelta(days=29, hours=23))
    world.gateway.do_chores()
    known = world.gateway.accept_message(message, PEER)
    world.clock.advance(timedelta(hours=2))
    world.gateway.do_chores()
    anew = world.gateway.accept_message(message, PEER)

    assert (first == known, first == anew) == (True, False)
    assert [one.payload for one in world.database.state.inputs.values()] == [message, message]


def test_a_message_that_waits_for_a_person_stays_known() -> None:
    world = a_world()
    message = adt("A01", "E1").replace(b"PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F", b"PID|1")
    first = world.gateway.accept_message(message, PEER)
    world.work()

    world.clock.advance(timedelta(days=60))
    world.gateway.do_chores()

    assert first == world.gateway.accept_message(message, PEER)
