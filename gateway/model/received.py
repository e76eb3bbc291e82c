"""What arrived, before anybody read it: a name to tell people, and a way to open its bytes."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Received:
    """One file or request body. Bytes are opened when they are read, so that a file of any size costs no memory."""

    name: str
    """How messages call it: a file name or an input id."""
    open: Callable[[], BinaryIO]
    """Return a new binary stream at the start; the reader closes it."""
    media_type: str = ""

    @classmethod
    def of_bytes(cls, name: str, payload: bytes, media_type: str = "") -> "Received":
        """Wrap a payload that is already in memory."""
        return cls(name, lambda: io.BytesIO(payload), media_type)

    def head(self, size: int = 1 << 16) -> bytes:
        """Return the first bytes, for recognizing the format."""
        with self.open() as stream:
            return stream.read(size)
