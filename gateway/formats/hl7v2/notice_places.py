"""Put the notice of 42 CFR 2.32 into a message that is already written, where its type and version have a place for it.

Beside it stand the labels of the content and the scope of the consent (2.32(b)), so that they cannot be parted.
"""

from gateway.formats.hl7v2.agreed_field import with_agreed_field
from gateway.formats.hl7v2.build import Formatted, MessageWriter
from gateway.formats.hl7v2.coded import LOCAL_NOTES
from gateway.formats.hl7v2.labels import LABELS_NOTE
from gateway.formats.hl7v2.message import Message, read_message
from gateway.model.hl7_notice import NoticeWay, notice_way

_PERSON = ("PID", "PD1", "PRT", "NTE")
_RESTRICTED_PERSON = ("PID", "PD1")
_SCHEDULE = ("SCH", "TQ1", "NTE")
_HEADER = ("MSH", "SFT", "UAC", "NTE")
_AT_THE_END = frozenset({"REF", "RRI"})
_BEHIND = {"SIU": _SCHEDULE, "OSU": _HEADER}
"""Where notes stand that are not behind the person."""

Said = tuple[str, str, str]
"""Code and name of NTE-4, and the text."""


def with_notice(
    message: Message, notice: str, scope: str = "", labels: str = "", *, notice_field: str = ""
) -> bytes | None:
    """Return the message with its notice, last of what is added; None where there is no place for it.

    `notice_field` is the receiver's own place for it, used beside the grammar's. Raises ValueError where that holds
    something else.
    """
    code, event = message.text("MSH-9.1"), message.text("MSH-9.2") or message.text("EVN-1")
    way = notice_way(code, event, message.text("MSH-12.1"))
    names = [segment.id for segment in message.segments]
    place = _place(code, way, names)
    if place is None or way is None:
        return with_agreed_field(message, notice_field, notice) if notice_field else None
    lines = message.normalized().decode(message.codec).split("\r")[:-1]
    texts = _texts(message, notice, scope, labels)
    lines[place:place] = _segments(message, way, texts, _first_number(message, names, place, way))
    written = "".join(f"{line}\r" for line in lines).encode(message.codec)
    readable = read_message(written) if notice_field else None
    return with_agreed_field(readable, notice_field, notice) if isinstance(readable, Message) else written


def _place(code: str, way: NoticeWay | None, names: list[str]) -> int | None:
    """Return before which segment it stands."""
    if way is None:
        return None
    if way == "document" or code in _AT_THE_END:
        return len(names)
    if way == "restriction":
        return _after(names, _RESTRICTED_PERSON)
    return _after(names, _BEHIND.get(code, _PERSON))


def _after(names: list[str], run: tuple[str, ...]) -> int | None:
    """Return the place behind the first segment of `run` and those of the run that follow it at once."""
    if run[0] not in names:
        return None
    place = names.index(run[0]) + 1
    while place < len(names) and names[place] in run[1:]:
        place += 1
    return place


def _first_number(message: Message, names: list[str], place: int, way: NoticeWay) -> int:
    """Return the set id that follows those of the segments just before, so that the notes of one run are one list."""
    kind = {"note": "NTE", "document": "OBX", "restriction": "ARV"}[way]
    before = message.segments[place - 1] if names[place - 1] == kind else None
    number = before.text(1) if before is not None else ""
    return int(number) + 1 if number.isdecimal() and len(number) < 5 else 1


def _texts(message: Message, notice: str, scope: str, labels: str) -> list[Said]:
    # A name that the character set of the message cannot hold must not stop the notice, which is ASCII.
    held = scope.encode(message.codec, "replace").decode(message.codec)
    said = [
        (LABELS_NOTE, "Security labels", labels),
        ("CONSENT", "Scope of consent", held),
        ("NOTICE", "Redisclosure notice", notice),
    ]
    return [one for one in said if one[2]]


def _segments(message: Message, way: NoticeWay, texts: list[Said], first: int) -> list[str]:
    writer = MessageWriter(message.separators)
    for number, (key, name, text) in enumerate(texts, first):
        if way == "note":
            writer.add("NTE", {1: str(number), 2: "P", 3: Formatted(text), 4: (key, name, LOCAL_NOTES)})
        elif way == "document":
            writer.add("OBX", {1: str(number), 2: "TX", 3: (key, name, LOCAL_NOTES), 5: Formatted(text), 11: "F"})
        else:
            reason = ("REG", "Regulatory requirement", "HL70719")
            writer.add("ARV", {1: str(number), 2: "A", 3: ("ALL", "All", "HL70717"), 4: reason, 5: text})
    return writer.to_bytes(message.codec).decode(message.codec).split("\r")[:-1]
