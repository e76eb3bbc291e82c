"""Every public HL7v2 message: the right answer, an outcome with its reason, no effect the second time, and its records.

The same MSH-10 with other content is refused with 205 and waits for a person.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.messages.numbers import number_system
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.formats.hl7v2.answers import identifiers_of, person_of
from gateway.model.handoff import Person
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Feed, Registry
from gateway.wiring.feeds import feed_reader
from tests.support.feed_world import HOSPITAL, packs
from tests.support.flow_house import KEY, World, a_world
from tests.support.shared_data import shared_data

PEER = PeerAddress("127.0.0.1", 5000)
WANTS_NO_ANSWER = {"ADT-A40-02.hl7"}
"""Its MSH-15 and MSH-16 are NE."""


def messages() -> list[Path]:
    try:
        folder = shared_data("exchange", "hl7v2")
    except pytest.skip.Exception:
        return []
    return sorted(folder.rglob("*.hl7"))


@pytest.mark.parametrize("path", messages(), ids=lambda path: path.name)
def test_a_public_message_is_answered_has_an_outcome_and_moves_nothing_twice(path: Path) -> None:
    world = a_world()
    content = path.read_bytes()
    message = read_message(content)

    answer = world.gateway.accept_message(content, PEER)
    world.work()
    after_first = world.database.state.copy()
    again = world.gateway.accept_message(content, PEER)
    world.work()

    assert isinstance(message, Message)
    expected = b"" if path.name in WANTS_NO_ANSWER else f"MSA|{_code(message)}|{message.text('MSH-10')}\r".encode()
    assert answer.endswith(expected)
    assert bool(answer) == bool(expected)
    assert again == answer
    (kept,) = world.database.state.inputs.values()
    (record,) = world.database.read(lambda tx: tx.inputs.records(kept.id))
    assert kept.payload == content
    assert record.state in ("converted", "skipped", "quarantined")
    assert record.reason
    assert world.database.state == after_first
    contradiction = world.gateway.accept_message(content.rstrip(b"\r\n") + b"\rZZZ|other\r", PEER)
    newest = list(world.database.state.inputs.values())[-1]
    assert (newest.state, "205" in (newest.reason or "")) == ("quarantined", True)
    assert bool(contradiction) == (b"|AE|" in contradiction or b"|CE|" in contradiction)


def _code(message: Message) -> str:
    return "CA" if message.text("MSH-15") in ("AL", "SU") else "AA"


@pytest.mark.parametrize("path", messages(), ids=lambda path: path.name)
def test_a_public_message_of_a_registered_sender_about_somebody_known_is_taken_whole(path: Path) -> None:
    """Its records are valid, every field of it has a fate, and the same words again change nobody's visit."""
    content = path.read_bytes()
    message = read_message(content)
    assert isinstance(message, Message)
    world = _a_world_that_knows(message)

    world.gateway.accept_message(content, PEER)
    world.work()
    first = _told(world)
    control_id = message.text("MSH-10")
    other_id = re.sub(rb"\|%b\|" % re.escape(control_id.encode()), b"|WH-AGAIN|", content, count=1)
    world.gateway.accept_message(other_id, PEER)
    world.work()

    newest = next(iter(world.database.state.inputs))
    record = world.database.read(lambda tx: tx.inputs.records(newest))[0]
    page = world.gateway.console_message(("staff-1", "admin"), newest)
    assert page is not None
    assert record.reason is not None
    assert "no valid" not in record.reason
    assert [one.path for one in page.fields if not one.rule] == []
    assert len(page.fields) == _valued(message)
    assert first == {key: body for key, body in _told(world).items() if key in first}


def test_the_public_360x_request_is_kept_answered_and_put_before_a_person() -> None:
    """Its person stands in a document beside it, so nobody can tell from the message alone whom it refers."""
    package = json.loads(shared_data("exchange", "x360", "inbound_pcc55.json").read_text())
    content = package["hl7v2"].encode()
    message = read_message(content)
    assert isinstance(message, Message)
    world = _a_world_that_knows(message)

    answer = world.gateway.accept_message(content, PEER)
    world.work()
    again = world.gateway.accept_message(content, PEER)
    world.work()

    ((input_id, kept),) = world.database.state.inputs.items()
    record = world.database.read(lambda tx: tx.inputs.records(input_id))[0]
    page = world.gateway.console_message(("staff-1", "admin"), input_id)
    assert answer.endswith(b"MSA|AA|ADP20260630173638\r")
    assert (again, kept.payload) == (answer, content)
    assert (record.state, record.reason) == (
        "quarantined", "expected a referral, found none of what is needed: Patient",
    )  # fmt: skip
    assert page is not None
    assert [one.path for one in page.fields if not one.rule] == []
    assert len(page.fields) == _valued(message)


def _a_world_that_knows(message: Message) -> World:
    """Register the sender as the hospital's, and know everybody whom the message is about by their numbers."""
    world = a_world()
    header = read_header(message)
    feed = Feed("".join(header.sending_application[:1]), "".join(header.sending_facility[:1]))
    registry = Registry(replace(one, feeds=(feed,)) if one.id == HOSPITAL else one for one in world.house.registry)
    reader = feed_reader(packs(), KEY, "America/Los_Angeles", world.clock)
    house = replace(world.house, registry=registry, read_feed=reader)
    for n, patient in enumerate(message.named("PID")):
        named = person_of(patient)
        if named is not None:
            numbers = tuple((number_system(HOSPITAL, one.assigner), one.value) for one in identifiers_of(patient))
            person = Person(f"known-{n}", named.family, named.given, named.birth_date, None, None, None, (), numbers)
            world.database.state.people[person.id] = person
    return replace(world, house=house, gateway=Gateway(house))


def _told(world: World) -> dict[tuple[str, str], object]:
    """Return who and where the person is by what is kept: what has a number of its own in every message."""
    state = world.database.state
    return {key: kept.body for key, kept in state.resources.items() if key[0] in ("Patient", "Encounter")}


def _valued(message: Message) -> int:
    return sum(
        bool(segment.raw_value(field, repetition=repetition))
        for segment in message.segments
        for field in range(1, len(segment.fields))
        for repetition in range(1, segment.repetitions(field) + 1)
    )


def test_the_public_messages_were_there() -> None:
    shared_data("exchange", "hl7v2")

    assert len(messages()) >= 54
