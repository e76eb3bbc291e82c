"""What one transaction has read and may take for known: single rows asked for again and again by the parts of a story.

A row is forgotten when the transaction writes it. Everything is forgotten when it has waited for a lock: whoever held
the lock may have changed what was read before, and a revocation that was committed meanwhile must be seen.
"""

from typing import Any

Key = tuple[str, str]
"""Resource type and logical id."""


class Remembered:
    """The memory of one transaction, shared by its repositories; a row that is not there is remembered too."""

    __slots__ = ("numbers", "resources")

    def __init__(self) -> None:
        self.resources: dict[Key, Any | None] = {}
        self.numbers: dict[str, Any] = {}

    def forget(self) -> None:
        """Know nothing any more."""
        self.resources.clear()
        self.numbers.clear()
