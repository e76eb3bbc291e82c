"""Every public HL7v2 message: the right answer, an outcome with its reason, and no effect the second time."""

from pathlib import Path

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.model.hl7_header import PeerAddress
from tests.support.flow_house import a_world
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


def _code(message: Message) -> str:
    return "CA" if message.text("MSH-15") in ("AL", "SU") else "AA"


def test_the_public_messages_were_there() -> None:
    shared_data("exchange", "hl7v2")

    assert len(messages()) >= 54
