"""The only sources of the present instant and of fresh identifiers."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of the present instant."""

    def __call__(self) -> datetime:
        """Return now, aware, in UTC."""
        ...


class NewId(Protocol):
    """The only source of fresh, unguessable identifiers."""

    def __call__(self) -> str:
        """Return a new id: 26 characters of [a-z2-7], usable as FHIR id, message id and file name."""
        ...
