"""How long a message is known again by its MSH-10: for as long as anybody would repeat it."""

from dataclasses import replace
from datetime import timedelta

from gateway.model.hl7_header import PeerAddress
from tests.support.flow_house import a_world
from tests.support.hospital_feed import FEED, PEER, adt, with_feed


def test_a_message_is_known_again_for_thirty_days_and_its_bytes_stay_for_good() -> None:
    world = with_feed(a_world())
    message = adt("A01", "E1", number="M-9", person="Stranger^Max||19700101|M")
    first = world.gateway.accept_message(message, PEER)
    world.work()

    world.clock.advance(timedelta(days=29, hours=23))
    known = world.gateway.accept_message(message, PEER)
    world.clock.advance(timedelta(hours=2))
    anew = world.gateway.accept_message(message, PEER)

    assert (first == known, first == anew) == (True, False)
    assert [one.payload for one in world.database.state.inputs.values()] == [message, message]


def test_a_message_that_waits_for_a_person_stays_known() -> None:
    world = a_world()
    message = adt("A01", "E1").replace(b"PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F", b"PID|1")
    first = world.gateway.accept_message(message, PEER)
    world.work()

    world.clock.advance(timedelta(days=60))

    assert first == world.gateway.accept_message(message, PEER)


def test_who_writes_a_partners_names_without_its_certificate_takes_none_of_its_numbers() -> None:
    world = with_feed(a_world(), feed=replace(FEED, certificates=frozenset({"ab" * 32})))
    impostor, partner = PeerAddress("10.0.0.9", 5000, "cd" * 32), PeerAddress("10.0.0.7", 5000, "ab" * 32)

    forged = world.gateway.accept_message(adt("A01", "E1", person="Somebody^Else"), impostor)
    again = world.gateway.accept_message(adt("A01", "E1", person="Somebody^Else"), impostor)
    meant = world.gateway.accept_message(adt("A01", "E1"), partner)
    other = world.gateway.accept_message(adt("A01", "E1", person="Another^One"), partner)

    assert forged == again
    assert [b"|AA|" in one for one in (forged, meant, other)] == [True, True, False]
    assert b"|205^" in other
