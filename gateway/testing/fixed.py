"""A clock that stands still until it is moved, and ids that count."""

from datetime import datetime, timedelta
from itertools import count


class FixedClock:
    """`ports.Clock` that shows the same instant until a test moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant the clock stands at."""
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Move the clock and return the new instant."""
        self.at += by
        return self.at


class CountingIds:
    """`ports.NewId` that gives idaa...a3, idaa...a4 and so on: legal ids, in an order a test can foresee."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def __call__(self) -> str:
        """Return the next id: 26 characters of [a-z2-7]; the number is written in the digits 2-7 (base 6)."""
        number, digits = next(self._numbers), ""
        while number:
            number, digit = divmod(number, 6)
            digits = "234567"[digit] + digits
        return self._prefix + digits.rjust(26 - len(self._prefix), "a")
