"""Put the notice into a field that a partner and we agreed on, where the grammar has no place for it.

ADT up to 2.5.1 has neither NTE nor ARV; some receivers store no notes. The field is theirs to name, such as ZNT-1.
"""

import re
from typing import Final

from gateway.formats.hl7v2.build import MessageWriter
from gateway.formats.hl7v2.delimiters import escape
from gateway.formats.hl7v2.message import Message

PLACE: Final = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]?)")
"""A segment and a field of it; the header is nobody's to put a notice into."""


def with_agreed_field(message: Message, place: str, text: str) -> bytes:
    """Return the message with `text` in this field of the first such segment; one that is missing is added.

    Raises ValueError for a place that is none, is in MSH, or holds something else already.
    """
    found = PLACE.fullmatch(place)
    if found is None or found[1] == "MSH":
        raise ValueError("expected a field such as ZNT-1, outside of MSH")
    name, number = found[1], int(found[2])
    separators = message.separators
    lines = [separators.field.join(_wire(segment.fields)) for segment in message.segments]
    for position, segment in enumerate(message.segments):
        if segment.id == name:
            fields = [*segment.fields, *[""] * (number + 1 - len(segment.fields))]
            if fields[number]:
                raise ValueError(f"{place}: expected an empty field, found one that is filled")
            fields[number] = escape(text, separators)
            lines[position] = separators.field.join(fields)
            break
    else:
        writer = MessageWriter(separators)
        writer.add(name, {number: text})
        lines.append(writer.to_bytes(message.codec).decode(message.codec).rstrip("\r"))
    return "".join(f"{line}\r" for line in lines).encode(message.codec)


def _wire(fields: list[str]) -> list[str]:
    """Return fields as they are joined: MSH-1 is the separator itself."""
    return [fields[0], *fields[2:]] if fields[0] == "MSH" else fields
