"""When an answer that may leave something out goes: at few instants after the question, so that its time tells nothing.

What is withheld puts the same questions to the store as what is not there, and still takes some milliseconds of
deciding more, which somebody patient could measure (42 CFR 2.13(c)(2)). So an answer that is the same for both waits
for the next of these instants. One that gives what was asked for waits for none: that it does is no secret.

An answer that waits keeps a thread of the server, so that of one client only so many may wait. What it asks beyond that
is refused before anything is looked for, and so alike whatever there is.
"""

import threading
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from flask import Response, g

from gateway.model.exchange import Problem, RequestRefused

FIRST_S = 0.05
"""The first instant; each further one is twice as late. A decision takes milliseconds, a search of many some tenths."""


def goes_in_step() -> None:
    """Mark the answer of the current request as one that may leave something out."""
    g.goes_in_step = True


def wait_of(response: Response, taken_s: float) -> float:
    """Return the seconds that an answer of a door for partners has still to wait; 0.0 for one that tells no less."""
    if not g.get("goes_in_step", False) and response.status_code != HTTPStatus.NOT_FOUND:
        return 0.0
    instant_s = FIRST_S
    while instant_s < taken_s:
        instant_s *= 2
    return instant_s - taken_s


class WaitingRoom:
    """How many answers wait, by client. Threads share it."""

    def __init__(self, places: int, pause: Callable[[float], None]) -> None:
        """`places`: how many answers of one client may wait; `pause` waits so many seconds."""
        self._places = places
        self._pause = pause
        self._waiting: Counter[str] = Counter()
        self._guard = threading.Lock()

    def admit(self, client: str) -> None:
        """Refuse a client whose places are taken; raises `RequestRefused` (429)."""
        if self._waiting[client] >= self._places:
            raise RequestRefused(_TOO_MANY)

    def wait(self, client: str, seconds: float) -> None:
        """Keep an answer back for so long."""
        with self._guard:
            self._waiting[client] += 1
        try:
            self._pause(seconds)
        finally:
            with self._guard:
                self._waiting[client] -= 1


_TOO_MANY = Problem(429, "throttled", None, "Too many answers to this client wait; ask again in a few seconds.")
