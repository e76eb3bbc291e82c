"""The answer to an officer look-up: one word, or nothing to tell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """`status` is a FHIR R4 Task.status, or None: there is nothing to tell, for whatever reason.

    `notice` and `scope` travel with a status (42 CFR 2.32); both are "" without one.
    """

    status: str | None
    notice: str = ""
    scope: str = ""


NOTHING_TO_TELL = Status(None)
"""The one answer to everything else (42 CFR 2.13(c)(2))."""
