"""Who waits to be written, in the order they came; the writer is woken once for as many as it expects."""

import threading
from collections import deque
from typing import Generic, TypeVar

from gateway.model.errors import GatewayError

T = TypeVar("T")

_GROUP = 256


class WaitingLine(Generic[T]):
    """A queue of jobs that many add to and one takes from, a group at a time.

    `patience_s` is how long a group waits for as many as are expected.
    """

    def __init__(self, patience_s: float = 0.002) -> None:
        self._patience_s = patience_s
        self._jobs: deque[T] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._enough = 1
        """How many must wait for whoever takes them to be woken."""
        self._open = True

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody waits."""
        return not self._jobs

    def require_open(self) -> None:
        """Raise `GatewayError` once the line is closed."""
        if not self._open:
            raise GatewayError("the database is closed: expected no more writes")

    def add(self, job: T) -> None:
        """Put a job at the end. Raises as `require_open`."""
        with self._changed:
            self.require_open()
            self._jobs.append(job)
            if len(self._jobs) >= self._enough:
                self._changed.notify()

    def close(self) -> None:
        """Let nobody join any more; who waits is still taken."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def gather(self, expected: int) -> bool:
        """Wait for somebody, and a moment for `expected`; False once the line is closed and empty.

        Callers of the last group often come back at once, one by one: without a moment's patience the first of them
        would have a commit of its own, and all others would wait for two. To be woken by each of them would cost as
        much as to keep what he brings.
        """
        with self._changed:
            self._wait_for(expected, self._patience_s)
            if not self._jobs:
                self._wait_for(1, None)
                self._wait_for(expected, self._patience_s)
            return bool(self._jobs)

    def take(self) -> list[T]:
        """Take everybody who waits by now, up to the size of a group."""
        with self._changed:
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), _GROUP))]

    def _wait_for(self, enough: int, patience_s: float | None) -> None:
        self._enough = enough
        self._changed.wait_for(lambda: len(self._jobs) >= enough or not self._open, patience_s)
