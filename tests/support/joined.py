"""A `Database` in which two persons become one just before a lock is had, as another process would make them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.flow.people import unite
from gateway.ports import Database, Transaction
from gateway.testing import FixedClock

T = TypeVar("T")


@dataclass
class JoinedBeforeTheLock:
    """Passes everything on to `inner`; right before the first lock of `ended` its person becomes `surviving`."""

    inner: Database
    clock: FixedClock
    ended: str
    surviving: str
    is_done: bool = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; join the two once it asks for the lock."""
        return self.inner.write(lambda tx: work(_Joining(tx, self)))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`."""
        return self.inner.read(work)

    def join(self, tx: Transaction) -> None:
        """Move everything of the one to the other, as a match or a merge does."""
        self.is_done = True
        ended, surviving = tx.people.get(self.ended), tx.people.get(self.surviving)
        assert ended is not None
        assert surviving is not None
        unite(tx, ended, surviving, self.clock())


class _Joining:
    def __init__(self, tx: Transaction, joined: JoinedBeforeTheLock) -> None:
        self._tx = tx
        self.people = _JoiningPeople(tx, joined)

    def __getattr__(self, repository: str) -> Any:
        return getattr(self._tx, repository)


class _JoiningPeople:
    def __init__(self, tx: Transaction, joined: JoinedBeforeTheLock) -> None:
        self._tx = tx
        self._joined = joined

    def lock(self, person_id: str) -> None:
        """Lock a person, after the other process has committed."""
        if person_id == self._joined.ended and not self._joined.is_done:
            self._joined.join(self._tx)
        self._tx.people.lock(person_id)

    def lock_each(self, person_ids: Sequence[str]) -> None:
        """Lock persons, after the other process has committed."""
        if self._joined.ended in person_ids and not self._joined.is_done:
            self._joined.join(self._tx)
        self._tx.people.lock_each(person_ids)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._tx.people, method)
