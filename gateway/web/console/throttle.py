"""Slow down guessing of passwords, in a bounded amount of memory."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=5)
TRIES_PER_NAME = 5
TRIES_PER_ADDRESS = 20


class LoginThrottle:
    """Counts failed logins by (address, name) and by address.

    Never by name alone: anybody could then lock out a colleague. Each process counts for itself.
    """

    def __init__(self, *, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._failures: OrderedDict[tuple[str, str], list[datetime]] = OrderedDict()
        self._lock = Lock()

    def allows(self, address: str, name: str, at: datetime) -> bool:
        """Tell whether another try is allowed now."""
        with self._lock:
            return (
                self._recent((address, name), at) < TRIES_PER_NAME
                and self._recent((address, ""), at) < TRIES_PER_ADDRESS
            )

    def failed(self, address: str, name: str, at: datetime) -> None:
        """Count a failed try; the entry that has rested longest makes room when there are too many."""
        with self._lock:
            for key in ((address, name), (address, "")):
                self._failures.setdefault(key, []).append(at)
                self._failures.move_to_end(key)
            while len(self._failures) > self._capacity:
                self._failures.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of a name that has now logged in from this address."""
        with self._lock:
            self._failures.pop((address, name), None)

    def _recent(self, key: tuple[str, str], at: datetime) -> int:
        recent = [moment for moment in self._failures.get(key, ()) if at - moment < WINDOW]
        if recent:
            self._failures[key] = recent
        else:
            self._failures.pop(key, None)
        return len(recent)
