"""When an answer that may leave something out goes: at few instants after the question, so that its time tells nothing.

What is withheld puts the same questions to the store as what is not there, and still takes some milliseconds of
deciding more, which somebody patient could measure (42 CFR 2.13(c)(2)). So an answer that is the same for both waits
for the next of these instants. One that gives what was asked for waits for none: that it does is no secret.
"""

from http import HTTPStatus

from flask import Response, g

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
