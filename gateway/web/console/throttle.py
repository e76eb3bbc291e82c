"""Slow down guessing of passwords, in a bounded amount of memory."""

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=5)
TRIES_PER_NAME = 5
TRIES_PER_ADDRESS = 20


class LoginThrottle:
    """Counts logins that have not succeeded by (address, name) and by address.

    Never by name alone: anybody could then lock out a colleague. Each process counts for itself.
    """

    def __init__(self, *, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._tries: OrderedDict[tuple[str, str], list[datetime]] = OrderedDict()
        self._lock = Lock()

    def begins(self, address: str, name: str, at: datetime) -> bool:
        """Count a try and tell whether it is allowed: before its password is looked at, or many at once would all be.

        The entry that has rested longest makes room when there are too many.
        """
        with self._lock:
            if (
                self._recent((address, name), at) >= TRIES_PER_NAME
                or self._recent((address, ""), at) >= TRIES_PER_ADDRESS
            ):
                return False
            for key in ((address, name), (address, "")):
                self._tries.setdefault(key, []).append(at)
                self._tries.move_to_end(key)
            while len(self._tries) > self._capacity:
                self._tries.popitem(last=False)
            return True

    def succeeded(self, address: str, name: str, at: datetime) -> None:
        """Forget the tries of a name that has now logged in from this address, and the one begun at this instant."""
        with self._lock:
            self._tries.pop((address, name), None)
            with suppress(KeyError, ValueError):  # it may have made room
                self._tries[address, ""].remove(at)

    def _recent(self, key: tuple[str, str], at: datetime) -> int:
        recent = [moment for moment in self._tries.get(key, ()) if at - moment < WINDOW]
        if recent:
            self._tries[key] = recent
        else:
            self._tries.pop(key, None)
        return len(recent)
