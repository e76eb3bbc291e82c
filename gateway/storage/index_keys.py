"""How an index keeps what others may make as long as they like: whole while it is short, else by its hash."""

import hashlib

_LONGEST = 200
"""Characters. PostgreSQL refuses a row whose index entry is longer than a third of a page."""


def indexed(text: str) -> str:
    """Return a text as an index keeps it, and as it is asked for; what `indexed` gave stays as it is."""
    return text if len(text) <= _LONGEST else "sha256:" + hashlib.sha256(text.encode()).hexdigest()
