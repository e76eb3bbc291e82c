"""When an answer that may leave something out goes: at few instants after the question, so that its time tells nothing.

What is withheld puts the same questions to the store as what is not there, and still takes some milliseconds of
deciding more, which somebody patient could measure (42 CFR 2.13(c)(2)). So an answer that is the same for both waits
for the next of these instants. One that gives what was asked for waits for none: that it does is no secret.

An answer that waits keeps a thread of the server, so that one client may have only so many requests here at once. What
it asks beyond that is refused before anything is looked for, and so alike whatever there is.
"""

import threading
from collections import Counter
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


class Places:
    """How many requests of one client are at these doors at once. Threads share it."""

    def __init__(self, of_one_client: int) -> None:
        self._most = of_one_client
        self._taken: Counter[str] = Counter()
        self._guard = threading.Lock()

    def take(self, client: str) -> None:
        """Take a place for the current request, once; raises `RequestRefused` (429) where all are taken."""
        if "place_of" in g:
            return
        with self._guard:
            if self._taken[client] >= self._most:
                raise RequestRefused(_TOO_MANY)
            self._taken[client] += 1
        g.place_of = client

    def give_back(self) -> None:
        """Give back the place of the current request, if it has one."""
        if "place_of" in g:
            with self._guard:
                self._taken[g.pop("place_of")] -= 1


_TOO_MANY = Problem(429, "throttled", None, "Too many requests of this client at once; ask again in a few seconds.")
