"""The answer to "who is this?"."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Match:
    """What the index says about a person who appears in a record."""

    grade: Literal["matched", "possible", "none"]
    """`possible` never triggers a disclosure: a person decides first."""
    person_ids: tuple[str, ...]
    """One id when matched, one or more when possible, empty when none."""
    reason: str
    """Which kinds of evidence agreed or were missing; never the values."""
