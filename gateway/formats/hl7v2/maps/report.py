"""What became of every field of a message that a pack reads: mapped, kept, ignored on purpose or unknown, and why."""

from collections.abc import Iterator, Mapping

from gateway.formats.hl7v2.field_names import field_name
from gateway.formats.hl7v2.maps.pack import CompiledPack, Node, choose
from gateway.formats.hl7v2.maps.reading import Fate
from gateway.formats.hl7v2.message import Message, Segment
from gateway.formats.hl7v2.reading import FieldReading, FieldStatus, header_reading

_NO_ROW = "kept as sent: no row of the pack reads it"
_NO_PLACE = "kept as sent: the pack has no place for this segment"
_FATES: Mapping[Fate, tuple[FieldStatus, str]] = {
    "no place": ("kept", "kept as sent: no table has its code, or what it belongs to is not in the message"),
    "no value": ("kept", "kept as sent: it is not of its type, or says what the pack has no place for"),
    "protected": ("ignored", "social security and licence numbers are never taken"),
}
_NUMBER = "a number in a list: the order of the segments says it"
_ELSEWHERE = "read with what stands beside it"
_UNKNOWN = "kept as sent: no field of this version"
_SITE = "kept as sent: a segment of the sender's own"


_Lost = Mapping[tuple[int, int], Fate]
"""(field, repetition; 0 for all) -> why nothing came of it."""


def report_of(
    message: Message, pack: CompiledPack, unmapped: Mapping[tuple[int, int, int], Fate]
) -> list[FieldReading]:
    """Return every field that holds something, repetition by repetition, in the order of the message."""
    version = message.text("MSH-12.1")
    seen: dict[str, int] = {}
    readings: list[FieldReading] = []
    lost: dict[int, dict[tuple[int, int], Fate]] = {}
    for (number, field, nth), fate in unmapped.items():
        lost.setdefault(number, {})[field, nth] = fate
    for number, (segment, node) in enumerate(walk(message, pack)):
        seen[segment.id] = seen.get(segment.id, 0) + 1
        occurrence = f"[{seen[segment.id]}]" if seen[segment.id] > 1 else ""
        readings += _of_segment(segment, f"{segment.id}{occurrence}", version, node, lost.get(number, {}), pack)
    return readings


def walk(message: Message, pack: CompiledPack) -> Iterator[tuple[Segment, Node | None]]:
    """Yield each segment with the node that reads it; None where the pack has no place for it."""
    node = pack.root
    for segment in message.segments:
        chosen = choose(node.next.get(segment.id, ()), segment)
        if chosen is not None and (chosen.openings or chosen.children):
            node = chosen
        yield segment, chosen


def _of_segment(
    segment: Segment, where: str, version: str, node: Node | None, lost: _Lost, pack: CompiledPack
) -> Iterator[FieldReading]:
    for field in range(1, len(segment.fields)):
        name = field_name(segment.id, field, version)
        meant = _meaning(segment.id, field, name, node, pack)
        for repetition in range(1, segment.repetitions(field) + 1):
            value = segment.raw_value(field, repetition=repetition)
            if value:
                fate = lost.get((field, 0)) or lost.get((field, repetition))
                status, rule, target = _came_to_nothing(fate, meant, field, node) if fate else meant
                path = f"{where}-{field}" + (f"[{repetition}]" if repetition > 1 else "")
                yield FieldReading(path, name, value, status, rule, target)


def _came_to_nothing(
    fate: Fate, meant: tuple[FieldStatus, str, str | None], field: int, node: Node | None
) -> tuple[FieldStatus, str, str | None]:
    """Say why nothing came of a field that rows read; where the map says it of this one (`kept`), in its words."""
    if meant[0] != "mapped":
        return meant
    told = node.kept.get(field) if node is not None and fate == "no value" else None
    return ("kept", told, meant[2]) if told else (*_FATES[fate], meant[2])


def _meaning(
    segment_id: str, field: int, name: str, node: Node | None, pack: CompiledPack
) -> tuple[FieldStatus, str, str | None]:
    rows = [row for row in node.rows if row.field == field and row.fill is not None] if node else []
    if rows:
        target = ", ".join(dict.fromkeys(pack.shown[row.target] for row in rows))
        return "mapped", rows[0].rule, target
    foreign = pack.foreign.get(f"{segment_id}-{field}")
    if foreign:
        return "mapped", foreign[0], pack.shown[foreign[1]]
    if segment_id == "MSH" and (known := header_reading(field)) is not None:
        return "mapped", *known
    if node is not None and field in node.numbers:
        return "ignored", _NUMBER, None
    if node is not None and field in node.elsewhere:
        what = node.elsewhere[field]
        return ("mapped", what, None) if " " in what else ("mapped", _ELSEWHERE, what)
    if node is not None and field in node.kept:
        return "kept", node.kept[field], None
    if node is not None and field in node.left_out:
        return "ignored", node.left_out[field], None
    if segment_id.startswith("Z"):
        return "unknown", _SITE, None
    if not name:
        return "unknown", _UNKNOWN, None
    return "kept", _NO_ROW if node is not None else _NO_PLACE, None
