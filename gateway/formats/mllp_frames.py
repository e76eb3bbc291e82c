"""How a stream of bytes is cut into HL7v2 messages: the MLLP block `0x0B` content `0x1C 0x0D` (HL7 v2 TR MLLP R1).

The same reader serves the listener and the sender. It never waits and never reads: bytes go in, events come out.
Release 2 (ANSI/HL7 V3 TRMLLP R2) adds blocks of one byte that say whether the block before is in durable storage.
"""

import re
from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c\r"
_FILE_SEPARATOR = b"\x1c"
COMMITTED = b"\x06"
"""Content of a release 2 block: what you sent is stored, do not send it again."""
NOT_COMMITTED = b"\x15"
"""Content of a release 2 block: what you sent is not stored, send it again."""
HEAD_BYTES = 4096
"""How much of an oversized message is kept, so that its sender can be answered by its MSH-10."""

# What can end the content: the end mark, an end byte with the next block behind it, or the start of a new message
# where the peer gave up on the one before. A start byte before anything else is content.
_BOUNDARY = re.compile(rb"\x1c\r|\x1c(?=\x0b)|\x0b(?=MSH|FHS|BHS)")
_LONGEST_BOUNDARY = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete block: its content without the frame."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Content whose end never came: a new message began, or the stream ended."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Oversized:
    """A block over the limit has ended; only its head was kept."""

    head: bytes
    size_bytes: int


Event = Frame | Unfinished | Oversized


class FrameReader:
    """A state machine over received bytes; one for each connection."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._inside = False
        self._searched = 0
        self._dropped = 0
        self._head = b""
        self.discarded_bytes = 0
        """Bytes that lay outside every block."""

    @property
    def is_inside(self) -> bool:
        """Tell whether a block has begun and not ended."""
        return self._inside

    def feed(self, received: bytes) -> list[Event]:
        """Take what was received, in pieces of any size, and return what is complete now."""
        self._buffer += received
        events: list[Event] = []
        while self._advance(events):
            pass
        return events

    def settle(self) -> list[Event]:
        """Return the block whose sender wrote `0x1C`, no `0x0D`, and now waits for an answer."""
        if not self._inside or not self._buffer.endswith(b"\x1c"):
            return []
        events: list[Event] = []
        self._finish(len(self._buffer) - 1, len(self._buffer), events)
        return events

    def close(self) -> list[Event]:
        """Return what is left when the stream has ended: at most one unfinished block."""
        events = self.settle()
        if self._inside:
            events.append(Unfinished(self._head + bytes(self._buffer)))
        else:
            self.discarded_bytes += len(self._buffer)
        self._buffer.clear()
        self._inside = False
        return events

    def _advance(self, events: list[Event]) -> bool:
        """Find the next start or end in the buffer; False when more bytes are needed."""
        if not self._inside:
            return self._enter()
        match = _boundary(self._buffer, self._searched)
        if match is None:
            self._searched = max(0, len(self._buffer) - _LONGEST_BOUNDARY + 1)
            self._bound()
            return False
        if self._buffer[match.start()] == START[0]:
            events.append(Unfinished(self._head + _beginning(self._buffer, match.start())))
            self._restart(match.start())
            return True
        self._finish(match.start(), match.end(), events)
        return True

    def _enter(self) -> bool:
        start = self._buffer.find(START)
        outside = self._buffer if start < 0 else self._buffer[:start]
        # The carriage return of an end mark that came late, and line ends between blocks, are nobody's loss.
        self.discarded_bytes += len(outside.translate(None, b"\r\n"))
        if start < 0:
            self._buffer.clear()
            return False
        self._restart(start)
        self._inside = True
        del self._buffer[:1]
        return True

    def _finish(self, content_end: int, frame_end: int, events: list[Event]) -> None:
        size = self._dropped + content_end
        if size > self._max_bytes:
            head = self._head or _beginning(self._buffer, min(content_end, HEAD_BYTES))
            events.append(Oversized(head, size))
        else:
            events.append(Frame(_beginning(self._buffer, content_end)))
        self._restart(frame_end)

    def _restart(self, consumed: int) -> None:
        del self._buffer[:consumed]
        self._inside = False
        self._searched = self._dropped = 0
        self._head = b""

    def _bound(self) -> None:
        """Drain a block over the limit: memory stays bounded, and the stream stays in step."""
        if self._dropped + len(self._buffer) <= self._max_bytes + _LONGEST_BOUNDARY:
            return
        self._head = self._head or _beginning(self._buffer, HEAD_BYTES)
        self._dropped += self._searched
        del self._buffer[: self._searched]
        self._searched = 0


def _boundary(content: bytes | bytearray, start: int = 0) -> re.Match[bytes] | None:
    """Find the next boundary. Content without a mark is passed over at the speed of memory, however long it is."""
    marks = [at for mark in (_FILE_SEPARATOR, START) if (at := content.find(mark, start)) >= 0]
    return _BOUNDARY.search(content, min(marks)) if marks else None


def _beginning(buffer: bytearray, length: int) -> bytes:
    # Through a view: a slice of the buffer would be a second copy, of tens of megabytes now and then.
    with memoryview(buffer) as whole, whole[:length] as part:
        return bytes(part)


def frame(content: bytes) -> bytes:
    """Wrap a message for sending.

    Raises ValueError where the content itself would read as the end of a block or the start of another: it did not
    come from our writer, and on the wire it would be two messages.
    """
    if _boundary(content) or content.endswith(_FILE_SEPARATOR):
        raise ValueError("expected content without MLLP block marks")
    return START + content + END
