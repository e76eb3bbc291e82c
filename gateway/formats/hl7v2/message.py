"""An HL7v2 message as it came: every byte kept, split only where somebody looks.

No grammar is used. Segments that a version does not know, Z segments and segments out of order keep their place; a
field is read by its position, so nothing shifts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gateway.formats.hl7v2.charsets import Decoded, decode
from gateway.formats.hl7v2.delimiters import NULL_TEXT, Separators, separators_of, unescape
from gateway.formats.hl7v2.paths import PLACES

MAX_BYTES = 64 * 1024 * 1024
"""Largest message that is read: documents travel inside as base64."""

MAX_SEGMENTS = 20_000
"""Most segments of a message that is read; the longest reports have some thousands."""

MAX_ABOUT_PEOPLE = 500
"""Most segments of a name in `_ABOUT_PEOPLE`, and most repetitions in all of them: each is looked up."""

_ABOUT_PEOPLE = ("PID", "MRG", "CON", "NK1", "GT1", "IN1", "IN2")

_NEVER_TOO_MUCH_BYTES = 8192
"""A message up to this size is read without counting, which would cost a third of its reading: the two thousand
numbers that it has room for are looked up in a third of a second."""

HEADER_SEGMENTS = ("MSH", "FHS", "BHS")
"""Segments whose first field is the separator itself."""

_HEADER_BYTES = 4096
"""Where the header is looked for in a message without CR."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\x0b\x1c"


Agreed = Callable[[str, str], str]
"""Names the character set (HL7 table 0211) that a sender (MSH-3, MSH-4) means where MSH-18 is empty; "" for none."""


class State(Enum):
    """What a sender says about a field (HL7 v2.5.1 ch. 2.5.3): only VALUED and NULL change anything."""

    ABSENT = "absent"
    """The segment or field is not there at all."""
    EMPTY = "empty"
    """Nothing between the separators: no statement."""
    NULL = "null"
    """Two quotes: delete what is stored."""
    VALUED = "valued"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why bytes are not a message we can read; `code` is one of HL7 table 0357, `location` a path or ""."""

    code: str
    location: str
    reason: str


class Segment:
    """One segment. `fields[n]` is field n as sent, escapes in; `fields[0]` is the segment's name.

    In MSH, FHS and BHS field 1 is the separator itself.
    """

    __slots__ = ("_codec", "_separators", "fields")

    def __init__(self, fields: list[str], separators: Separators, codec: str) -> None:
        self.fields = fields
        self._separators = separators
        self._codec = codec

    @property
    def id(self) -> str:
        """Return the name of the segment, as sent."""
        return self.fields[0]

    def raw_value(self, field: int, component: int = 0, subcomponent: int = 0, repetition: int = 1) -> str | None:
        """Return what was sent at a place, undecoded; None when there is no such place.

        Component 0 is the whole repetition, subcomponent 0 the whole component. A part that has no parts of its own
        is its own first part.
        """
        if field >= len(self.fields):
            return None
        value = self.fields[field]
        if field <= 2 and self.fields[0] in HEADER_SEGMENTS:
            return value if (repetition, component or 1, subcomponent or 1) == (1, 1, 1) else None
        return _within(value, self._separators, repetition, component, subcomponent)

    def text(self, field: int, component: int = 0, subcomponent: int = 0, repetition: int = 1) -> str:
        """Return the decoded text at a place; "" when it is absent, empty or null.

        A place that is not named to its last part is read whole: `&` and `^` which a sender forgot to escape stay in.
        """
        if field >= len(self.fields) or not self.fields[field]:
            return ""
        return _decoded(self.raw_value(field, component, subcomponent, repetition), self._separators, self._codec)

    def texts(self, field: int, component: int = 0, subcomponent: int = 0) -> list[str]:
        """Return the decoded text at a place of every repetition of its field."""
        return [self.text(field, component, subcomponent, n + 1) for n in range(self.repetitions(field))]

    def state(self, field: int, component: int = 0, subcomponent: int = 0, repetition: int = 1) -> State:
        """Tell what the sender says about a place."""
        return _state(self.raw_value(field, component, subcomponent, repetition))

    def repetitions(self, field: int) -> int:
        """Count the repetitions of a field; 0 when it is absent or empty."""
        if field >= len(self.fields) or not self.fields[field]:
            return 0
        if field <= 2 and self.id in HEADER_SEGMENTS:
            return 1
        return self.fields[field].count(self._separators.repetition) + 1


class Message:
    """One message. `raw` are the bytes it came in; reading never changes them."""

    __slots__ = ("_by_id", "_first", "_segments", "_text", "codec", "guessed_charset", "raw", "separators")

    def __init__(self, raw: bytes, decoded: Decoded, separators: Separators, header: list[str]) -> None:
        self.raw = raw
        self.codec = decoded.codec
        self.guessed_charset = decoded.guessed
        self.separators = separators
        # Most readers look at a few fields of a few segments: nothing is split before somebody looks.
        self._text = _with_cr_ends(decoded.text)
        self._first = {"MSH": header}
        self._segments: list[Segment] | None = None
        self._by_id: dict[str, list[Segment]] | None = None

    @property
    def header(self) -> list[str]:
        """Return the fields of MSH as sent, escapes in: `header[n]` is MSH-n."""
        return self._first["MSH"]

    @property
    def segments(self) -> list[Segment]:
        """Return every segment in the order it came."""
        if self._segments is None:
            self._segments = [
                Segment(_fields(line, self.separators.field), self.separators, self.codec)
                for line in self._text.split("\r")
                if line
            ]
        return self._segments

    def named(self, segment_id: str) -> list[Segment]:
        """Return the segments of this name in order, bare names without a field left out."""
        if self._by_id is None:
            self._by_id = {}
            for segment in self.segments:
                if len(segment.fields) > 1:
                    self._by_id.setdefault(segment.id, []).append(segment)
        return self._by_id.get(segment_id, [])

    @property
    def decoded_text(self) -> str:
        """Return the whole message as text, escapes in, each segment ended by CR."""
        return self._text

    def raw_value(self, path: str) -> str | None:
        """Return what was sent at `path`, escapes in; None when the segment or the place is absent."""
        segment_id, occurrence, field, component, subcomponent, repetition = PLACES[path]
        segment = self._find(segment_id, occurrence)
        return segment.raw_value(field, component, subcomponent, repetition) if segment else None

    def text(self, path: str) -> str:
        """Return the decoded text at `path`; "" when it is absent, empty or null."""
        # Called for every field of every message: `Segment.text`, written out for the first segment of its name.
        segment_id, occurrence, field, component, subcomponent, repetition = PLACES[path]
        if occurrence > 1 or (field <= 2 and segment_id in HEADER_SEGMENTS):
            segment = self._find(segment_id, occurrence)
            return segment.text(field, component, subcomponent, repetition) if segment else ""
        fields = self._first.get(segment_id) or self._first_fields(segment_id)
        value = fields[field] if field < len(fields) else ""
        if not value:
            return ""
        separators = self.separators
        if repetition > 1 or separators.repetition in value:
            value = _part(value, separators.repetition, repetition) or ""
        if component == 1:
            value = value.partition(separators.component)[0]
        elif component:
            value = _part(value, separators.component, component) or ""
        if subcomponent:
            value = _part(value, separators.subcomponent, subcomponent) or ""
        return _decoded(value, separators, self.codec) if separators.escape in value or value == NULL_TEXT else value

    def texts(self, path: str) -> list[str]:
        """Return the decoded text at `path` of every repetition of its field."""
        segment_id, occurrence, field, component, subcomponent, _ = PLACES[path]
        segment = self._find(segment_id, occurrence)
        return segment.texts(field, component, subcomponent) if segment else []

    def state(self, path: str) -> State:
        """Tell what the sender says about `path`: absent, empty, null or valued."""
        return _state(self.raw_value(path))

    def decoded(self, value: str) -> str:
        """Return the text of a field, component or subcomponent that was sent as `value`."""
        return _decoded(value, self.separators, self.codec)

    def normalized(self) -> bytes:
        """Return the message as it goes over a wire: each segment ended by CR, no byte order mark, no blank lines."""
        lines = (line for line in self._text.split("\r") if line)
        return "".join(f"{line}\r" for line in lines).encode(self.codec)

    def _find(self, segment_id: str, occurrence: int) -> Segment | None:
        if occurrence > 1:
            found = self.named(segment_id)
            return found[occurrence - 1] if occurrence <= len(found) else None
        fields = self._first.get(segment_id) or self._first_fields(segment_id)
        return Segment(fields, self.separators, self.codec) if fields else None

    def _first_fields(self, segment_id: str) -> list[str]:
        """Split the first segment of this name, nothing else; an empty list when there is none."""
        separator = self.separators.field
        start = self._text.find(f"\r{segment_id}{separator}") + 1
        if not start:
            return []
        end = self._text.find("\r", start)
        line = self._text[start:] if end < 0 else self._text[start:end]
        fields = self._first[segment_id] = _fields(line, separator)
        return fields


def read_message(raw: bytes, agreed: Agreed | None = None) -> Message | Unreadable:
    """Read one message (without its MLLP frame) of any version.

    Segments end with CR; LF or CRLF is tolerated where the first segment ends so. A byte order mark and blank lines
    are passed over. `agreed` is asked where MSH-18 is empty and the message is not ASCII.
    """
    content = strip_blank(raw)
    if not content.startswith(b"MSH"):
        return Unreadable("100", "MSH", "expected a message that begins with MSH")
    if len(raw) > MAX_BYTES:
        return Unreadable("207", "", f"expected at most {MAX_BYTES} bytes")
    # Latin-1 gives every byte a character: the header is read for its delimiters before its character set is known.
    end = content.find(b"\r")
    header_line = content[: end if end >= 0 else _HEADER_BYTES].partition(b"\n")[0].decode("latin-1")
    separators = separators_of(header_line)
    if separators is None:
        return Unreadable("102", "MSH-2", "expected two to five different delimiters after MSH and the field separator")
    header = _fields(header_line, separators.field)
    declared = header[18].partition(separators.repetition)[0] if len(header) > 18 else ""
    declared = "" if declared == NULL_TEXT else unescape(declared, separators)
    decoded = decode(content, declared)
    if agreed is not None and not declared and (decoded is None or decoded.codec != "ascii"):
        decoded = decode(content, agreed(*(_name_in(header, field, separators) for field in (3, 4))))
    if decoded is None:
        return Unreadable("207", "MSH-18", "expected only characters of the declared character set, one that we read")
    if decoded.codec != "ascii":
        header = _fields(_first_line(decoded.text), separators.field)
    message = Message(raw, decoded, separators, header)
    if len(raw) > _NEVER_TOO_MUCH_BYTES and (surplus := _surplus(message.decoded_text, separators)):
        return Unreadable("207", "", f"expected at most {surplus}")
    return message


def _name_in(header: list[str], field: int, separators: Separators) -> str:
    """Return the first component of MSH-3 or MSH-4."""
    name = header[field].partition(separators.component)[0] if len(header) > field else ""
    return unescape(name, separators)


def _surplus(text: str, separators: Separators) -> str:
    """Say what there is too much of in a message; "" for nothing.

    Whatever a peer sends is read while others wait: a message that names a hundred thousand people would stop them all.
    """
    segments = text.count("\r")
    if segments > MAX_SEGMENTS:
        return f"{MAX_SEGMENTS} segments"
    # A message with fewer segments of all names is not searched for each: that would cost more than its header does.
    for name in _ABOUT_PEOPLE if segments > MAX_ABOUT_PEOPLE else ():
        if text.count(f"\r{name}{separators.field}") > MAX_ABOUT_PEOPLE:
            return f"{MAX_ABOUT_PEOPLE} segments {name}"
    if text.count(separators.repetition) > MAX_ABOUT_PEOPLE:
        about = (line for line in text.split("\r") if line[:3] in _ABOUT_PEOPLE)
        if sum(line.count(separators.repetition) for line in about) > MAX_ABOUT_PEOPLE:
            return f"{MAX_ABOUT_PEOPLE} repetitions in segments about people"
    return ""


def read_any_bytes(raw: bytes) -> Message | Unreadable:
    """Read a message whose characters do not fit its MSH-18, each byte shown as a Latin-1 character: to look only."""
    content = strip_blank(raw)
    text = content.decode("latin-1")
    header_line = _first_line(text)
    separators = separators_of(header_line) if content.startswith(b"MSH") else None
    if separators is None:
        return Unreadable("100", "MSH", "expected a message that begins with MSH and its delimiters")
    return Message(raw, Decoded(text, "latin-1", guessed=True), separators, _fields(header_line, separators.field))


def strip_blank(raw: bytes) -> bytes:
    """Return a message without a byte order mark and blank lines before it."""
    return raw.lstrip(_BLANK).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK) if raw[:1] != b"M" else raw


def _first_line(text: str) -> str:
    end = text.find("\r")
    return (text if end < 0 else text[:end]).partition("\n")[0]


def _with_cr_ends(text: str) -> str:
    """Let every segment end with CR, judged by how the first one ends.

    Where that is CR, a line feed inside a segment is text (some senders leave it in notes) and cannot start one.
    """
    line_feed = text.find("\n")
    if line_feed < 0:
        return text
    if 0 <= text.find("\r") < line_feed:
        return "\r".join(piece.strip("\n") for piece in text.split("\r"))
    return text.replace("\r", "\n").replace("\n", "\r")


def _fields(line: str, separator: str) -> list[str]:
    fields = line.split(separator)
    if fields[0] in HEADER_SEGMENTS:
        fields.insert(1, separator)
    return fields


def _within(value: str, separators: Separators, repetition: int, component: int, subcomponent: int) -> str | None:
    """Return one repetition, component or subcomponent of a field; None where there is none of that number."""
    picked: str | None = value
    if repetition > 1 or separators.repetition in value:
        picked = _part(value, separators.repetition, repetition)
    if component and picked is not None:
        picked = _part(picked, separators.component, component)
        if subcomponent and picked is not None:
            return _part(picked, separators.subcomponent, subcomponent)
    return picked


def _part(value: str, separator: str, number: int) -> str | None:
    if not separator:
        return value if number == 1 else None
    if number == 1:
        return value.partition(separator)[0]
    parts = value.split(separator, number)
    return parts[number - 1] if number <= len(parts) else None


def _decoded(value: str | None, separators: Separators, codec: str) -> str:
    if not value or value == NULL_TEXT:
        return ""
    return unescape(value, separators, codec) if separators.escape in value else value


def _state(value: str | None) -> State:
    if value is None:
        return State.ABSENT
    if value == NULL_TEXT:
        return State.NULL
    return State.VALUED if value else State.EMPTY
