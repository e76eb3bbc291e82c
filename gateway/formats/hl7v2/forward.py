"""Write a message that is passed on: its kept segments byte for byte, in an envelope of our own, with the notice.

MSH-3, 4, 7 and 10 become ours: what the sender wrote there may name a program, or count what is no longer inside.
"""

from collections.abc import Iterator

from gateway.formats.hl7v2.charsets import name_of
from gateway.formats.hl7v2.delimiters import Separators, escape
from gateway.formats.hl7v2.message import Message, Segment, read_message
from gateway.formats.hl7v2.notice_places import with_notice
from gateway.formats.hl7v2.times import with_offset_of
from gateway.model.hl7_header import Designator, Hl7Header
from gateway.model.hl7_parts import KeptParts

_LEVELS = frozenset({"R", "V"})
"""What MSH-8 may show; a level, never a law or a cause."""

_CARRIED = frozenset({9, 11, 12, 17, 18, 19, 20, 21})
"""Fields of MSH that say how to read the message; every other one of the sender's is left out."""

_NUMBERED = frozenset(
    {"NK1", "GT1", "DG1", "AL1", "PR1", "IN1", "OBR", "OBX", "NTE", "FT1", "SPM", "RGS", "AIS", "AIG", "AIL", "AIP"}
)
"""Segments with a set id: a gap would tell that one is missing."""


def forwarded(message: Message, kept: KeptParts, header: Hl7Header, notice_field: str = "") -> bytes | None:
    """Return the message as it may be passed on; None where it has no place for the notice it owes.

    Of `header` count who sends to whom, time (by the clocks of the sender, with their offset), control id and which
    answers are expected. The rest of MSH is the message's own. `notice_field` is the receiver's place for a notice
    where the grammar has none. Raises ValueError where that holds something else.
    """
    lines = [
        (message.segments[number].id, _without(message.segments[number], number, kept, message.separators))
        for number in range(len(message.segments))
        if number in kept.lines and message.segments[number].id != "MSH"
    ]
    if not kept.is_whole:
        lines = _renumbered(lines, message.separators)
    content = "".join(f"{line}\r" for line in (_header(message, kept, header), *(line for _, line in lines)))
    written = read_message(content.encode(message.codec))
    if not isinstance(written, Message):
        return None
    return with_notice(written, kept.notice, kept.scope, notice_field=notice_field) if kept.notice else written.raw


def _header(message: Message, kept: KeptParts, header: Hl7Header) -> str:
    separators = message.separators
    own = message.segments[0].fields
    telling = {field for line, field, _ in kept.blank if line == 0}
    fields = [value if number in _CARRIED - telling else "" for number, value in enumerate(own[:22])]
    fields += [""] * (17 - len(fields))
    fields[2] = own[2]
    for number, designator in (
        (3, header.sending_application),
        (4, header.sending_facility),
        (5, header.receiving_application),
        (6, header.receiving_facility),
    ):
        fields[number] = _designator(designator, separators)
    # Every time of the message that states no offset has that of MSH-7 (HL7 v2.5.1 ch. 2.15.9.7): it must stay.
    fields[7] = escape(with_offset_of(header.time, message.text("MSH-7.1")), separators) if header.time else ""
    fields[8] = kept.level if kept.level in _LEVELS else ""
    fields[10] = escape(header.control_id, separators)
    fields[15], fields[16] = header.accept_acknowledgment, header.application_acknowledgment
    if len(own) <= 18 or not own[18]:
        fields += [""] * (19 - len(fields))
        fields[18] = name_of(message.codec)  # the receiver has not agreed on it with the sender
    while not fields[-1]:
        fields.pop()
    return separators.field.join(["MSH", *fields[2:]])


def _designator(designator: Designator, separators: Separators) -> str:
    return separators.component.join(escape(part, separators) for part in designator)


def _without(segment: Segment, number: int, kept: KeptParts, separators: Separators) -> str:
    """Return a segment without the repetitions that must not leave; the fields after them keep their places."""
    fields = list(segment.fields)
    for place in {field for line, field, _ in kept.blank if line == number}:
        pieces = fields[place].split(separators.repetition) if separators.repetition else [fields[place]]
        left = [piece for n, piece in enumerate(pieces, 1) if (number, place, n) not in kept.blank]
        fields[place] = separators.repetition.join(left)
    return separators.field.join(fields)


def _renumbered(lines: list[tuple[str, str]], separators: Separators) -> list[tuple[str, str]]:
    """Count set ids anew: from 1 after each segment under which they stand."""
    counts: dict[str, int] = {}
    renumbered = []
    for name, line in lines:
        for under in _restarts(name):
            counts.pop(under, None)
        fields = line.split(separators.field)
        if name in _NUMBERED and len(fields) > 1 and fields[1]:
            counts[name] = counts.get(name, 0) + 1
            fields[1] = str(counts[name])
        renumbered.append((name, separators.field.join(fields)))
    return renumbered


def _restarts(name: str) -> Iterator[str]:
    if name != "NTE":
        yield "NTE"
    if name in ("OBR", "ORC", "PV1", "TXA", "SPM"):
        yield "OBX"
    if name in ("OBR", "ORC", "PV1"):
        yield "DG1"
    if name == "RGS":
        yield from ("AIS", "AIG", "AIL", "AIP")
