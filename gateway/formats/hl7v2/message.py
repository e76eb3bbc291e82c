"""An HL7v2 message as it came: every byte kept, split only where somebody looks.

No grammar is used. Segments that a version does not know, Z segments and segments out of order keep their place; a
field is read by its position, so nothing shifts.
"""

from dataclasses import dataclass
from enum import Enum

from gateway.formats.hl7v2.charsets import Decoded, decode
from gateway.formats.hl7v2.delimiters import NULL_TEXT, Separators, separators_of, unescape
from gateway.formats.hl7v2.paths import parse_path

MAX_BYTES = 64 * 1024 * 1024
"""Largest message that is read: documents travel inside as base64."""

HEADER_SEGMENTS = ("MSH", "FHS", "BHS")
"""Segments whose first field is the separator itself."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\x0b\x1c"


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

    def __init__(self, line: str, separators: Separators, codec: str) -> None:
        self.fields = line.split(separators.field)
        if self.fields[0] in HEADER_SEGMENTS:
            self.fields.insert(1, separators.field)
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
        fields = self.fields
        if field >= len(fields):
            return None
        value = fields[field]
        if field <= 2 and fields[0] in HEADER_SEGMENTS:
            return value if (repetition, component or 1, subcomponent or 1) == (1, 1, 1) else None
        separators = self._separators
        picked = _part(value, separators.repetition, repetition)
        if component and picked is not None:
            picked = _part(picked, separators.component, component)
            if subcomponent and picked is not None:
                return _part(picked, separators.subcomponent, subcomponent)
        return picked

    def text(self, field: int, component: int = 0, subcomponent: int = 0, repetition: int = 1) -> str:
        """Return the decoded text at a place; "" when it is absent, empty or null.

        A place that is not named to its last part is read whole: `&` and `^` which a sender forgot to escape stay in.
        """
        fields = self.fields
        if field >= len(fields) or not fields[field]:
            return ""
        value = self.raw_value(field, component, subcomponent, repetition)
        if not value or value == NULL_TEXT:
            return ""
        if self._separators.escape not in value:
            return value
        return unescape(value, self._separators, self._codec)

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

    __slots__ = ("_first", "_segments", "_text", "codec", "guessed_charset", "raw", "separators")

    def __init__(self, raw: bytes, decoded: Decoded, separators: Separators) -> None:
        self.raw = raw
        self.codec = decoded.codec
        self.guessed_charset = decoded.guessed
        self.separators = separators
        # Most readers look at a few fields of a few segments: nothing is split before somebody looks.
        self._text = f"\r{_with_cr_ends(decoded.text)}\r"
        self._first: dict[str, Segment] = {}
        self._segments: list[Segment] | None = None

    @property
    def segments(self) -> list[Segment]:
        """Return every segment in the order it came."""
        if self._segments is None:
            lines = filter(None, self._text.split("\r"))
            self._segments = [Segment(line, self.separators, self.codec) for line in lines]
        return self._segments

    def named(self, segment_id: str) -> list[Segment]:
        """Return the segments of this name in order, bare names without a field left out."""
        return [segment for segment in self.segments if segment.id == segment_id and len(segment.fields) > 1]

    def raw_value(self, path: str) -> str | None:
        """Return what was sent at `path`, escapes in; None when the segment or the place is absent."""
        segment_id, occurrence, within = parse_path(path)
        segment = self._find(segment_id, occurrence)
        return segment.raw_value(*within) if segment else None

    def text(self, path: str) -> str:
        """Return the decoded text at `path`; "" when it is absent, empty or null."""
        segment_id, occurrence, within = parse_path(path)
        segment = self._first.get(segment_id) if occurrence == 1 else None
        if segment is None:
            segment = self._find(segment_id, occurrence)
        return segment.text(*within) if segment else ""

    def texts(self, path: str) -> list[str]:
        """Return the decoded text at `path` of every repetition of its field."""
        segment_id, occurrence, (field, component, subcomponent, _) = parse_path(path)
        segment = self._find(segment_id, occurrence)
        return segment.texts(field, component, subcomponent) if segment else []

    def state(self, path: str) -> State:
        """Tell what the sender says about `path`: absent, empty, null or valued."""
        return _state(self.raw_value(path))

    def normalized(self) -> bytes:
        """Return the message as it goes over a wire: each segment ended by CR, no byte order mark, no blank lines."""
        lines = (line for line in self._text.split("\r") if line)
        return "".join(f"{line}\r" for line in lines).encode(self.codec)

    def _find(self, segment_id: str, occurrence: int) -> Segment | None:
        if occurrence > 1:
            found = self.named(segment_id)
            return found[occurrence - 1] if occurrence <= len(found) else None
        start = self._text.find(f"\r{segment_id}{self.separators.field}") + 1
        if not start:
            return None
        line = self._text[start : self._text.find("\r", start)]
        first = self._first[segment_id] = Segment(line, self.separators, self.codec)
        return first


def read_message(raw: bytes, agreed_charset: str = "") -> Message | Unreadable:
    """Read one message (without its MLLP frame) of any version.

    Segments end with CR; LF or CRLF is tolerated where the first segment ends so. A byte order mark and blank lines
    are passed over. `agreed_charset` (HL7 table 0211) counts where MSH-18 is empty.
    """
    content = strip_blank(raw)
    if not content.startswith(b"MSH"):
        return Unreadable("100", "MSH", "expected a message that begins with MSH")
    if len(raw) > MAX_BYTES:
        return Unreadable("207", "", f"expected at most {MAX_BYTES} bytes")
    header = _header_line(content).decode("latin-1")
    separators = separators_of(header)
    if separators is None:
        return Unreadable("102", "MSH-2", "expected two to five different delimiters after MSH and the field separator")
    decoded = decode(content, _declared_charset(header, separators), agreed_charset)
    if decoded is None:
        return Unreadable("207", "MSH-18", "expected only characters of the declared character set, one that we read")
    return Message(raw, decoded, separators)


def read_any_bytes(raw: bytes) -> Message | Unreadable:
    """Read a message whose characters do not fit its MSH-18, each byte shown as a Latin-1 character: to look only."""
    content = strip_blank(raw)
    separators = separators_of(_header_line(content).decode("latin-1")) if content.startswith(b"MSH") else None
    if separators is None:
        return Unreadable("100", "MSH", "expected a message that begins with MSH and its delimiters")
    return Message(raw, Decoded(content.decode("latin-1"), "latin-1", guessed=True), separators)


def strip_blank(raw: bytes) -> bytes:
    """Return a message without a byte order mark and blank lines before it."""
    return raw.lstrip(_BLANK).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK) if raw[:1] != b"M" else raw


def _header_line(content: bytes) -> bytes:
    end = content.find(b"\r")
    header = content if end < 0 else content[:end]
    return header.partition(b"\n")[0]


def _declared_charset(header: str, separators: Separators) -> str:
    fields = header.split(separators.field, 18)
    return fields[17].partition(separators.repetition)[0] if len(fields) > 17 else ""


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


def _part(value: str, separator: str, number: int) -> str | None:
    if not separator or separator not in value:
        return value if number == 1 else None
    if number == 1:
        return value.partition(separator)[0]
    parts = value.split(separator, number)
    return parts[number - 1] if number <= len(parts) else None


def _state(value: str | None) -> State:
    if value is None:
        return State.ABSENT
    if value == NULL_TEXT:
        return State.NULL
    return State.VALUED if value else State.EMPTY
