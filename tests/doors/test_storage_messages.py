"""What `ports.Messages` promises about messages that come again, on every implementation."""

import hashlib
from dataclasses import replace

from gateway.model.handoff import StoredInput
from gateway.ports import Database, SeenMessage, Transaction
from tests.support.stored import an_input

pytest_plugins = ("tests.support.databases",)


def a_message(input_id: str, control_id: str, sha256: str = "a" * 64) -> StoredInput:
    """Return a message of one sender."""
    known_by = ("EHR", "CLINIC", control_id)
    return an_input(input_id, channel="mllp", sha256=sha256, known_by=known_by, answer=b"MSA|AA|" + control_id.encode())


def as_seen(one: StoredInput) -> SeenMessage:
    """Return what is known of it when it comes again."""
    assert one.answer is not None
    return SeenMessage(one.id, one.sha256, one.answer, one.received_at, one.state)


def test_a_message_is_known_by_application_facility_and_control_id(database: Database) -> None:
    one = a_message("input-1", "1")
    database.write(lambda t: t.messages.add([one]))

    def look(t: Transaction) -> list[SeenMessage | None]:
        return [t.messages.seen(("EHR", "CLINIC", "1")), t.messages.seen(("EHR", "HOSPITAL", "1"))]

    assert database.read(look) == [as_seen(one), None]
    assert database.read(lambda t: t.inputs.get("input-1")) == one


def test_of_two_messages_of_one_key_the_first_stays_the_one_that_is_known_and_kept(database: Database) -> None:
    first, second = a_message("input-1", "1"), a_message("input-2", "1", sha256="b" * 64)
    other = a_message("input-3", "2")
    database.write(lambda t: t.messages.add([first]))

    known = database.write(lambda t: t.messages.add([other, second]))

    assert known == {("EHR", "CLINIC", "1"): as_seen(first), ("EHR", "CLINIC", "2"): as_seen(other)}
    kept = database.read(lambda t: [t.inputs.get(one.id) for one in (first, second, other)])
    assert kept == [first, None, other]


def test_a_sender_who_names_itself_at_any_length_is_known_again(database: Database) -> None:
    # Every part another, or the database would press an endless name into a short one.
    endless = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(100))
    one = replace(a_message("input-1", "1"), known_by=(endless, endless[1:], endless[2:]), message_type=endless)

    database.write(lambda t: t.messages.add([one]))

    assert database.read(lambda t: t.messages.seen((endless, endless[1:], endless[2:]))) == as_seen(one)
    assert database.read(lambda t: t.messages.seen((endless, endless[1:], endless[3:]))) is None


def test_the_key_of_a_message_that_is_forgotten_is_free_for_another(database: Database) -> None:
    first, second = a_message("input-1", "1"), a_message("input-2", "1", sha256="b" * 64)
    database.write(lambda t: t.messages.add([first]))

    database.write(lambda t: t.messages.forget(["input-1"]))
    known = database.write(lambda t: t.messages.add([second]))

    assert known == {("EHR", "CLINIC", "1"): as_seen(second)}
    assert database.read(lambda t: t.inputs.get("input-1")) == replace(first, known_by=None)
