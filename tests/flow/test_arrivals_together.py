"""Messages of several connections that are kept in one call: each as if it had come alone, and none twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.flow.gateway import Gateway
from gateway.ports import Database, SharedWork, Transaction
from tests.support.flow_house import World
from tests.support.hospital_feed import PEER, a_world_that_knows_two, adt

T = TypeVar("T")


@dataclass
class OneCallFor:
    """A `Database` whose shared work waits until this many callers are there, and then is one call for all."""

    inner: Database
    callers: int
    arrived: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._barrier = threading.Barrier(self.callers, timeout=20)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work at once, shared work with everybody else's."""
        if not isinstance(work, SharedWork):
            return self.inner.write(work)
        self.arrived.append(work.matter)
        if self._barrier.wait() == 0:
            self.values += self.inner.write(lambda tx: work.for_each(tx, self.arrived))
        self._barrier.wait()
        value: T = self.values[self.arrived.index(work.matter)]
        return value

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run work on what is committed."""
        return self.inner.read(work)


def at_once(world: World, messages: Sequence[bytes]) -> list[bytes]:
    """Have all of these messages kept in one call; return their answers."""
    gateway = Gateway(replace(world.house, database=OneCallFor(world.database, len(messages))))
    with ThreadPoolExecutor(len(messages)) as connections:
        return list(connections.map(lambda one: gateway.accept_message(one, PEER), messages))


def test_each_is_kept_answered_and_queued_once() -> None:
    world = a_world_that_knows_two()
    before = len(world.database.state.inputs)

    answers = at_once(world, [adt("A01", "E1"), adt("A01", "E2", number="M-2"), adt("A08", "E3")])

    new = list(world.database.state.inputs.values())[before:]
    reading = [one.subject for one in world.database.state.work.values() if one.kind == "answer"][-3:]
    told = [row.data["input"] for row in world.database.audit if row.kind == "message.kept"][-3:]
    assert [answer.split(b"\r")[1] for answer in answers] == [b"MSA|AA|E1", b"MSA|AA|E2", b"MSA|AA|E3"]
    assert len(new) == 3
    assert sorted(one.id for one in new) == sorted(reading) == sorted(told)


def test_the_same_message_over_two_connections_is_kept_once_and_answered_alike() -> None:
    world = a_world_that_knows_two()
    before = len(world.database.state.inputs)

    first, second = at_once(world, [adt("A01", "E1"), adt("A01", "E1")])

    assert first == second
    assert len(world.database.state.inputs) == before + 1


def test_of_two_contents_under_one_id_the_later_waits_for_a_person() -> None:
    world = a_world_that_knows_two()

    answers = at_once(world, [adt("A01", "E1"), adt("A03", "E1")])

    states = sorted(one.state for one in list(world.database.state.inputs.values())[-2:])
    assert sorted(answer.split(b"\r")[1] for answer in answers) == [b"MSA|AA|E1", b"MSA|AE|E1"]
    assert states == ["pending", "quarantined"]


def test_what_cannot_be_read_is_kept_beside_what_can() -> None:
    world = a_world_that_knows_two()

    answers = at_once(world, [adt("A01", "E1"), b"no message"])

    states = sorted(one.state for one in list(world.database.state.inputs.values())[-2:])
    assert b"MSA|AR" in answers[1]
    assert states == ["pending", "quarantined"]


class Watched(bytes):
    """A message that notes who reads it; to keep it and to hash it is not to read it."""

    reads: list[str]

    def __contains__(self, part: Any) -> bool:
        self.reads.append("in")
        return super().__contains__(part)

    def __getattribute__(self, name: str) -> Any:
        if name in ("decode", "find", "split", "startswith", "isascii", "lstrip"):
            self.reads.append(name)
        return super().__getattribute__(name)


def test_nobody_waits_while_a_long_message_is_read() -> None:
    world = a_world_that_knows_two()
    message = Watched(adt("A01", "E1") + b"NTE|1||" + b"x" * 65536 + b"\r")
    message.reads = []
    in_the_turn: list[str] = []

    @dataclass
    class Turn:
        inner: Database

        def write(self, work: Callable[[Transaction], T]) -> T:
            before = len(message.reads)
            value = self.inner.write(work)
            in_the_turn.extend(message.reads[before:])
            return value

        def read(self, work: Callable[[Transaction], T]) -> T:
            return self.inner.read(work)

    Gateway(replace(world.house, database=Turn(world.database))).accept_message(message, PEER)

    assert (bool(message.reads), in_the_turn) == (True, [])
