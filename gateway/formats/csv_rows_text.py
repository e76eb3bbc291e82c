"""Bytes to text lines for delimited files: any line end, UTF-8, UTF-16 or Windows-1252, and a bound on every row."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

ROW_LIMIT = 1 << 20
"""Bytes of one row. A longer one is read to its end without being kept, and reported."""

_CHUNK = 1 << 18
_CONTENT = re.compile(rb"[^\"\r\n,;|\t]+|\"\"")
"""What does not tell where a row ends: neither plain characters nor a quote that was doubled to be content."""
_RUNS = re.compile(rb"([,;|\t])\1+")
"""Delimiters in a row, which a row that is too long may lose: nobody will count its cells."""

END = "\0end of input\0"
"""Given as the last line: where it turns up inside a cell, the file ended inside a quoted cell."""


class TooWide(ValueError):
    """A row that stays over the limit even without its content: this is no table."""


class TextLines:
    """The physical lines of a stream, for `csv.reader`; it says what happened to the row being read.

    The reader may ask for several lines before a row is complete (line breaks inside quotes). Call `begin_row`
    after each row.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read from the start of a stream."""
        self._lines = _physical_lines(stream)
        self.number = 0
        """Number of the line given last, from 1."""
        self.is_complete = True
        """False when the last line of the file has no line end."""
        self.is_too_long = False
        self.has_nul = False
        self._row_bytes = 0

    def begin_row(self) -> None:
        """Forget what happened in the row before."""
        self.is_too_long = self.has_nul = False
        self._row_bytes = 0

    def __iter__(self) -> Iterator[str]:
        for raw, was_cut in self._lines:
            self.number += 1
            goes_on = self._row_bytes > 0
            self._row_bytes += len(raw)
            self.is_complete = raw.endswith((b"\n", b"\r"))
            if was_cut or self._row_bytes > ROW_LIMIT:
                self.is_too_long = True
                raw = _skeleton(raw, goes_on)
            text = decode(raw)
            if "\0" in text:
                self.has_nul = True
            yield text
        yield END


def _skeleton(raw: bytes, goes_on: bool) -> bytes:
    """Keep of a line only what tells where its row ends. A row goes on only inside quotes: no quote, no end."""
    if goes_on and b'"' not in raw:
        return b""
    return _RUNS.sub(rb"\1", _CONTENT.sub(b"", raw))


def decode(raw: bytes) -> str:
    """Decode a line as UTF-8, else as Windows-1252: files often change their mind halfway."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _physical_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield (line with its end, whether its content was dropped because it is too long)."""
    pending, was_cut = b"", False
    for chunk in _utf8_chunks(stream):
        lines = (pending + chunk).splitlines(keepends=True)
        pending = lines.pop() if lines else b""  # it may go on in the next chunk, and \r may become \r\n
        for line in lines:
            yield line, was_cut
            was_cut = False
        if len(pending) > ROW_LIMIT:
            was_cut = True
            pending = _skeleton(pending, goes_on=False)
            if len(pending) > ROW_LIMIT:
                raise TooWide("expected rows of at most 1 MiB")
    for line in pending.splitlines(keepends=True):
        yield line, was_cut


def _utf8_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the stream's bytes in chunks, without byte-order mark, UTF-16 turned into UTF-8."""
    first = stream.read(_CHUNK)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        while first:
            yield decoder.decode(first).encode()
            first = stream.read(_CHUNK)
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    while chunk := stream.read(_CHUNK):
        yield chunk
