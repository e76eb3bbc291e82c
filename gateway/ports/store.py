"""The store as one: a transaction with every repository, and the database that gives it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gateway.ports.oversight import Audit, Caveats, ConsentTerms, Decisions, Releases, Reviews
from gateway.ports.records import Handoffs, Inputs, People, Referrals, Resources
from gateway.ports.work import Feeds, Messages, Outbox

T = TypeVar("T")
M = TypeVar("M")


class Turns(Protocol):
    """The order of those who would decide about the same thing, where no person can be locked instead."""

    def take(self, thing: str) -> None:
        """Wait for every other transaction that has taken a turn at this thing; others wait for the end of this one.

        What was read before is read again after it. Where a person was locked before, two may wait for each other: then
        one of them begins again.
        """
        ...


class Transaction(Protocol):
    """The repositories of one database transaction."""

    @property
    def inputs(self) -> Inputs: ...
    @property
    def handoffs(self) -> Handoffs: ...
    @property
    def resources(self) -> Resources: ...
    @property
    def people(self) -> People: ...
    @property
    def referrals(self) -> Referrals: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def feeds(self) -> Feeds: ...
    @property
    def consent_terms(self) -> ConsentTerms: ...
    @property
    def caveats(self) -> Caveats: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def turns(self) -> Turns: ...


@dataclass(frozen=True, slots=True)
class SharedWork(Generic[M, T]):
    """Work for `Database.write` that can be done in one call for all who ask for it at the same time.

    `for_each` takes their matters and gives a value for each, in that order. Where it raises, it is called again for
    each matter by itself.
    """

    for_each: Callable[[Transaction, Sequence[M]], Sequence[T]]
    matter: M

    def __call__(self, tx: Transaction) -> T:
        """Do it for the one matter."""
        (value,) = self.for_each(tx, [self.matter])
        return value


class Database(Protocol):
    """The store: serialized writes that are durable when they return, and reads of committed state."""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a writing transaction; return its value after the commit is on disk.

        What `work` raises is raised here and none of its changes are kept; work of others that shares the commit
        is not touched. `work` may run more than once only if it has not returned. `SharedWork` that comes together
        is one call where its `for_each` is the same.
        """
        ...

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent snapshot of committed state."""
        ...
