"""Where one message ends and the next begins, in files and in batches (HL7 v2.5.1 ch. 2.10.3)."""

import re
from dataclasses import dataclass

from gateway.formats.hl7v2.message import strip_blank

_START = rb"(?:MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9\s]|[\r\n]|\Z)"
_FIRST = re.compile(rb"(?:\A|(?<=[\r\n\x0b\x1c])|(?<=\xef\xbb\xbf))" + _START)
_NEXT_AFTER_CR = re.compile(rb"[\r\x0b\x1c]\n*(?=" + _START + rb")")
# A pattern that begins with one certain byte is searched for ten times as fast.
_NEXT_AFTER_CR_ALONE = re.compile(rb"\r\n*(?=" + _START + rb")")
_NEXT_AFTER_ANY = re.compile(rb"[\r\n\x0b\x1c](?=" + _START + rb")")
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True)
class Batch:
    """The pieces of a payload in order, as (kind, bytes); joined they give the payload again.

    Kind is `MSH` for a message, `FHS`, `BHS`, `BTS`, `FTS` for the envelope, "" for what belongs to no message.
    """

    pieces: tuple[tuple[str, bytes], ...]

    @property
    def messages(self) -> list[bytes]:
        """Return the messages, each with the blank lines that follow it."""
        return [content for kind, content in self.pieces if kind == "MSH"]

    @property
    def is_batch(self) -> bool:
        """Tell whether there is an envelope: its sender expects one batch of answers."""
        return any(kind in ("FHS", "BHS") for kind, _ in self.pieces)

    def parts(self) -> "list[Batch]":
        """Return each batch by itself, from its BHS to the next, without the FHS and FTS around them; at least one."""
        parts: list[list[tuple[str, bytes]]] = [[]]
        for kind, content in self.pieces:
            if kind == "BHS" and any(seen in ("BHS", "MSH") for seen, _ in parts[-1]):
                parts.append([])
            if kind not in ("FHS", "FTS"):
                parts[-1].append((kind, content))
        return [Batch(tuple(part)) for part in parts]

    def miscounted(self) -> list[str]:
        """Name the trailers (`BTS-1`, `FTS-1`) whose count is not the number of messages or batches before them."""
        wrong = []
        messages = batches = 0
        for kind, content in self.pieces:
            messages += kind == "MSH"
            batches += kind == "BTS"
            if kind == "BTS":
                wrong += ["BTS-1"] if _disagrees(content, messages) else []
                messages = 0
            elif kind == "FTS":
                wrong += ["FTS-1"] if _disagrees(content, batches) else []
        return wrong


def split_batch(payload: bytes) -> Batch:
    """Cut a payload (a file or the content of a frame) into messages and envelope segments; no byte is dropped.

    A message whose first segment ends with CR can only be followed after a CR: a line feed inside its text, then
    `MSH|`, does not make a message of a patient's words.
    """
    first = _FIRST.search(payload)
    if first is None:
        return Batch((("", payload),)) if payload else Batch(())
    start = first.start()
    lead_in = payload[:start]
    pieces = [("", lead_in)] if strip_blank(lead_in) else []
    after_cr = _NEXT_AFTER_CR if b"\x0b" in payload or b"\x1c" in payload else _NEXT_AFTER_CR_ALONE
    begin = 0 if not pieces else start
    while True:
        end = _next_start(payload, start, after_cr)
        pieces.append((payload[start : start + 3].decode("ascii"), payload[begin:end]))
        if end == len(payload):
            return Batch(tuple(pieces))
        begin = start = end


def _next_start(payload: bytes, start: int, after_cr: re.Pattern[bytes]) -> int:
    line_end = _LINE_END.search(payload, start)
    if line_end is None:
        return len(payload)
    ends_with_cr = payload[line_end.start()] == 0x0D
    following = (after_cr if ends_with_cr else _NEXT_AFTER_ANY).search(payload, line_end.start())
    return len(payload) if following is None else following.end()


def _disagrees(trailer: bytes, count: int) -> bool:
    stated = re.match(rb"...[^A-Za-z0-9](\d+)", trailer)
    return stated is not None and int(stated.group(1)[:9]) != count
