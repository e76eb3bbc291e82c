"""A `Database` in which something is committed just before a lock or turn is had, as by another process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.ports import Database, Transaction

T = TypeVar("T")


@dataclass
class BeforeTheLock:
    """Passes everything on to `inner`; right before the first lock of `person`, or turn at it, `happens` is done."""

    inner: Database
    person: str
    happens: Callable[[Transaction], object]
    is_done: bool = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; let it happen once the lock is asked for."""
        return self.inner.write(lambda tx: work(_Interrupted(tx, self)))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`."""
        return self.inner.read(work)

    def interrupt(self, tx: Transaction, person_ids: Sequence[str]) -> None:
        """Let it happen, once, where the person is among those who are to be locked."""
        if self.person in person_ids and not self.is_done:
            self.is_done = True
            self.happens(tx)


class _Interrupted:
    def __init__(self, tx: Transaction, by: BeforeTheLock) -> None:
        self._tx = tx
        self.people = _InterruptedPeople(tx, by)
        self.turns = _InterruptedTurns(tx, by)

    def __getattr__(self, repository: str) -> Any:
        return getattr(self._tx, repository)


class _InterruptedTurns:
    def __init__(self, tx: Transaction, by: BeforeTheLock) -> None:
        self._tx = tx
        self._by = by

    def take(self, thing: str) -> None:
        """Take a turn, after the other process has committed."""
        self._by.interrupt(self._tx, [thing])
        self._tx.turns.take(thing)


class _InterruptedPeople:
    def __init__(self, tx: Transaction, by: BeforeTheLock) -> None:
        self._tx = tx
        self._by = by

    def lock(self, person_id: str) -> None:
        """Lock a person, after the other process has committed."""
        self._by.interrupt(self._tx, [person_id])
        self._tx.people.lock(person_id)

    def lock_each(self, person_ids: Sequence[str]) -> None:
        """Lock persons, after the other process has committed."""
        self._by.interrupt(self._tx, person_ids)
        self._tx.people.lock_each(person_ids)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._tx.people, method)
