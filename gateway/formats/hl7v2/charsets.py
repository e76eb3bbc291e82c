"""Which characters the bytes of an HL7v2 message stand for (MSH-18, HL7 table 0211)."""

from typing import NamedTuple

CODECS: dict[str, str] = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE UTF-8": "utf-8",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    # Not in the table, but sent by engines every day.
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "US-ASCII": "ascii",
    "ISO-8859-1": "iso8859-1",
    "8859-1": "iso8859-1",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
}
"""Name in MSH-18 -> Python codec. Sets that switch by ISO 2022 escapes (ISO IR87 and others) are not among them."""

_ESCAPE = b"\x1b"
"""What a switch to another set begins with (ISO 2022); no character of a message does (HL7 v2.5.1 ch. 2.5.2)."""

UNDECLARED = ("utf-8", "cp1252")
"""What is tried, in this order, where bytes are not ASCII, nothing is declared and no default agreed."""


class Decoded(NamedTuple):
    """Text, the codec that gave it, and whether that codec was declared, agreed or only guessed."""

    text: str
    codec: str
    guessed: bool = False


def decode(content: bytes, declared: str) -> Decoded | None:
    """Decode a message by its MSH-18, else by trying the usual character sets.

    `declared` is a name of HL7 table 0211, from MSH-18 or agreed with the sender, or "". None: the set is not one we
    read, or bytes do not fit it (HL7 error 207); nothing is ever replaced in silence. What switches sets on the way is
    refused too, also where the first of MSH-18 is left empty, as in Japan (`~ISO IR87`): read as ASCII its names would
    be nobody's.
    """
    if _ESCAPE in content:
        return None
    name = declared.strip().upper()
    if name:
        codec = CODECS.get(name)
        if codec is None:
            return None
        text = _try(content, codec)
        return None if text is None else Decoded(text, codec)
    for codec in ("ascii", *UNDECLARED):
        text = _try(content, codec)
        if text is not None:
            return Decoded(text, codec, guessed=codec == "cp1252")
    return None


def name_of(codec: str) -> str:
    """Return the name of a codec in MSH-18; "" where nobody said which set it is, or none has to be said."""
    return "" if codec in ("ascii", *UNDECLARED) else next(name for name, one in CODECS.items() if one == codec)


def _try(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None
