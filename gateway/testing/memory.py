"""`ports.Database` in memory: what it promises is proven by the same table of tests as the SQL store.

Every write works on a copy of the state that replaces the state only when the work returned, so that a failing work
leaves nothing behind. Values in the state are frozen or copied on their way in and out.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from gateway.model.audit import AuditEntry
from gateway.ports import Clock, Transaction
from gateway.testing.kept_caveats import InMemoryCaveats
from gateway.testing.kept_consents import InMemoryConsentTerms
from gateway.testing.kept_records import InMemoryHandoffs, InMemoryInputs, InMemoryPeople, InMemoryResources
from gateway.testing.kept_releases import InMemoryReleases, InMemoryReviews
from gateway.testing.kept_work import (
    InMemoryAudit,
    InMemoryDecisions,
    InMemoryFeeds,
    InMemoryMessages,
    InMemoryOutbox,
    InMemoryReferrals,
)
from gateway.testing.state import State, claimable_lane

T = TypeVar("T")


class InMemoryTurns:
    """`ports.Turns` where one writes at a time."""

    def take(self, thing: str) -> None:
        """Do nothing: nobody else is there to wait for."""


class InMemoryTransaction:
    """`ports.Transaction` on a state."""

    def __init__(self, state: State) -> None:
        self.inputs = InMemoryInputs(state)
        self.handoffs = InMemoryHandoffs(state)
        self.resources = InMemoryResources(state)
        self.people = InMemoryPeople(state)
        self.referrals = InMemoryReferrals(state)
        self.outbox = InMemoryOutbox(state)
        self.decisions = InMemoryDecisions(state)
        self.audit = InMemoryAudit(state)
        self.messages = InMemoryMessages(state)
        self.feeds = InMemoryFeeds(state)
        self.consent_terms = InMemoryConsentTerms(state)
        self.caveats = InMemoryCaveats(state)
        self.releases = InMemoryReleases(state)
        self.reviews = InMemoryReviews(state)
        self.turns = InMemoryTurns()


class InMemoryDatabase:
    """`ports.Database` without a disk; `state` shows what was committed."""

    def __init__(self, clock: Clock) -> None:
        self.state = State()
        self._clock = clock
        self._turn = threading.RLock()
        self._writing = False
        self._added = threading.Condition()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on a copy of the state, which becomes the state when `work` returns."""
        with self._turn:
            if self._writing:
                raise RuntimeError(
                    "write was called by work that is itself being written: use the transaction it was given"
                )
            self._writing = True
            try:
                draft = self.state.copy()
                value = work(InMemoryTransaction(draft))
            finally:
                self._writing = False
            woke = _ready(draft) != _ready(self.state)
            self.state = draft
        if woke:
            with self._added:
                self._added.notify_all()
        return value

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on a copy of the committed state."""
        return work(InMemoryTransaction(self.state.copy()))

    def wait_for_work(self, timeout_s: float) -> None:
        """Return once a lane can be claimed or `timeout_s` have passed."""
        with self._added:
            self._added.wait_for(self._has_claimable_work, timeout_s)

    @property
    def audit(self) -> list[AuditEntry]:
        """Return the audit trail, oldest first."""
        return list(self.state.audit.values())

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _has_claimable_work(self) -> bool:
        return claimable_lane(self.state, self._clock()) is not None


def _ready(state: State) -> set[int]:
    return {key for key, work in state.work.items() if work.state == "ready"}
