"""Write HL7v2 segments so that no text, whoever wrote it, can become structure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.formats.hl7v2.delimiters import NULL_TEXT, STANDARD, Separators, escape

_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text of data type FT or TX: its line breaks are kept as escape sequences."""

    text: str


@dataclass(frozen=True, slots=True)
class AsSent:
    """A whole field of the message that is answered, in its own separators: it goes back as it came."""

    text: str


class Null:
    """The value that asks the receiver to delete what it has."""


NULL: Final = Null()

Part = str | Formatted | Null
Component = Part | tuple[str, ...]
"""A component, or a tuple of its subcomponents."""
Repetition = Part | tuple[Component, ...]
"""A repetition, or a tuple of its components."""
Field = Repetition | list[Repetition]
"""A field, or a list of its repetitions."""


class MessageWriter:
    """Collect segments; `to_bytes` gives the message.

    Fields are given by their number in the standard, so that leaving one out cannot shift the others.
    """

    def __init__(self, separators: Separators = STANDARD) -> None:
        self._separators = separators
        self._lines: list[str] = []

    def add(self, segment_id: str, fields: Mapping[int, Field | AsSent]) -> None:
        """Add a segment with these fields (numbers from 1; MSH-1 and MSH-2 are written by themselves)."""
        if not _SEGMENT_ID.fullmatch(segment_id):
            raise ValueError("expected a segment name of three capitals or digits")
        header = segment_id in ("MSH", "FHS", "BHS")
        first = 3 if header else 1
        if fields and min(fields) < first:
            raise ValueError(f"field {min(fields)} of {segment_id} cannot be set")
        written = [""] * (max(fields, default=0) + 1 - first)
        for number, value in fields.items():
            written[number - first] = self._field(value)
        while written and not written[-1]:
            written.pop()
        start = [segment_id, self._separators.encoding_characters] if header else [segment_id]
        self._lines.append(self._separators.field.join(start + written))

    def __len__(self) -> int:
        """Return how many segments were added."""
        return len(self._lines)

    @property
    def is_ascii(self) -> bool:
        """Tell whether any character set can hold what was added."""
        return all(line.isascii() for line in self._lines)

    def extend(self, other: "MessageWriter") -> None:
        """Add all segments of another writer with the same separators."""
        self._lines += other._lines

    def to_bytes(self, codec: str) -> bytes:
        """Return the message, every segment ended by CR. Raises UnicodeEncodeError for a character outside `codec`."""
        return "".join(f"{line}\r" for line in self._lines).encode(codec)

    def _field(self, value: Field | AsSent) -> str:
        if isinstance(value, str):
            return self._part(value)
        if isinstance(value, AsSent):
            if not value.text.isprintable() or self._separators.field in value.text:
                raise ValueError("expected one field without control characters")
            return value.text
        if isinstance(value, list):
            return self._separators.repetition.join(self._repetition(part) for part in value)
        return self._repetition(value)

    def _repetition(self, value: Repetition) -> str:
        if isinstance(value, tuple):
            return _join(self._separators.component, [*map(self._component, value)])
        return self._part(value)

    def _component(self, value: Component) -> str:
        if isinstance(value, tuple):
            return _join(self._separators.subcomponent, [*map(self._part, value)])
        return self._part(value)

    def _part(self, value: Part) -> str:
        if isinstance(value, str):
            # Letters and digits are no delimiter of anybody, and most values are nothing else.
            return value if not value or value.isalnum() else escape(value, self._separators)
        if isinstance(value, Null):
            return NULL_TEXT
        return escape(value.text, self._separators, formatted=True)


def _join(separator: str, parts: list[str]) -> str:
    while parts and not parts[-1]:
        parts.pop()
    if len(parts) > 1 and not separator:
        raise ValueError("this set of separators has no subcomponents")
    return separator.join(parts)
