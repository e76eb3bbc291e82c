"""What separates the parts of an HL7v2 message, and how text is kept from being taken for a separator.

The five (from 2.7 six) characters are the sender's choice, stated in MSH-1 and MSH-2 (HL7 v2.5.1 ch. 2.5.4); the
escape sequences are those of ch. 2.7.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_BLANK_RUN = 100
"""Most lines or spaces that one `.sp` or `.sk` stands for: a count is the sender's word, no promise of memory."""

NULL_TEXT = '""'
"""A value of exactly two quotes: the sender asks to delete what is stored (HL7 v2.5.1 ch. 2.5.3)."""


@dataclass(frozen=True, slots=True)
class Separators:
    """The delimiter characters of one message; `escape`, `subcomponent` and `truncation` may be "" (not used)."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """Return MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


STANDARD = Separators()
_USUAL = ("MSH|^~\\&|", "FHS|^~\\&|", "BHS|^~\\&|")


def separators_of(header: str) -> Separators | None:
    """Read MSH-1 and MSH-2 from the first line of a message; None when they contradict each other.

    MSH-2 holds two to five characters. They must be neither letters, digits, blanks nor quotes, and all different:
    otherwise no text could be told from a delimiter. A doubled escape character, left by somebody's source code, is
    read as one.
    """
    if header.startswith(_USUAL):
        return STANDARD
    field = header[3:4]
    encoding = header[4:].partition(field)[0].replace("\\\\", "\\") if field else ""
    characters = field + encoding
    if not 3 <= len(characters) <= 6 or len(set(characters)) < len(characters):
        return None
    if any(c.isalnum() or c.isspace() or c == '"' or not c.isascii() or not c.isprintable() for c in characters):
        return None
    return Separators(field, *encoding, *[""] * (5 - len(encoding)))


def unescape(text: str, separators: Separators, codec: str = "ascii") -> str:
    r"""Replace the escape sequences of `text` by what they mean.

    `\Xdd..\` is read as bytes in `codec`, adjacent ones together; `\.br\` and its kin become line breaks; highlighting
    (`\H\ \N\`) is dropped; character-set switches, local sequences (`\C \M \Z`) and what is no sequence stay as sent.
    """
    escape = separators.escape
    if not escape or escape not in text:
        return text
    plain = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": escape,
        "P": separators.truncation or "#",
        "H": "",
        "N": "",
    }

    def meaning(match: re.Match[str]) -> str:
        sequence = match.group(1)
        if sequence is None:
            return _from_hex(match.group(), escape, codec)
        if sequence[0] == ".":
            return _formatting(sequence)
        return plain[sequence]

    return _sequences(escape).sub(meaning, text)


@lru_cache(maxsize=64)
def _sequences(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        rf"(?:{e}X(?:[0-9A-Fa-f]{{2}})+{e})+"
        rf"|{e}([FSTREPHN]|\.(?:br|sp|sk|fi|nf|in|ti|ce)(?:[+-]?[0-9]{{1,9}})?){e}"
    )


def _from_hex(sequences: str, escape: str, codec: str) -> str:
    digits = sequences.replace(escape, "").replace("X", "")
    try:
        return bytes.fromhex(digits).decode(codec)
    except UnicodeDecodeError:
        return sequences


def _formatting(command: str) -> str:
    name, count = command[1:3], min(abs(int(command[3:] or 1)), MAX_BLANK_RUN)
    if name in ("br", "ce"):
        return "\n"
    if name == "sp":
        return "\n" * count
    return " " * count if name == "sk" else ""


def escape(text: str, separators: Separators = STANDARD, *, formatted: bool = False) -> str:
    r"""Write `text` so that no receiver can take any of it for a delimiter, a segment or the end of a frame.

    Line breaks of every kind (also U+0085, U+2028) become `\.br\` in formatted text (data types FT and TX), a space
    elsewhere; other control characters `\Xdd\`. Text that is two quotes is kept from meaning "delete".
    """
    table = _escape_table(separators, formatted)
    written = text.replace("\r\n", "\n").translate(table)
    if written == NULL_TEXT and separators.escape:
        return f'"{separators.escape}X22{separators.escape}'
    return written


@lru_cache(maxsize=64)
def _escape_table(separators: Separators, formatted: bool) -> dict[int, str]:
    e = separators.escape
    letters = {
        separators.field: "F",
        separators.component: "S",
        separators.subcomponent: "T",
        separators.repetition: "R",
        separators.escape: "E",
        separators.truncation: "P",
    }
    table = {code: f"{e}X{code:02X}{e}" if e else " " for code in (*range(0x20), 0x7F)}
    table |= {ord(c): f"{e}.br{e}" if e and formatted else " " for c in "\r\n\x0b\x0c\x85\u2028\u2029"}
    table |= {ord(character): f"{e}{letter}{e}" if e else " " for character, letter in letters.items() if character}
    # Half of a surrogate pair is not a character and cannot be encoded.
    return table | dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
