"""Printed pages: one typeface, labelled rows and boxes; the same content gives the same bytes."""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.formats.pdf_file import PAGE_HEIGHT, PAGE_WIDTH, POINTS, Color, PdfFile, width_of

INK = (28, 35, 46)
MUTED = (95, 105, 120)
NOTICE_GROUND = (243, 245, 248)
_RULE = (205, 211, 219)
_MARGIN = 18.0
_RIGHT = PAGE_WIDTH - _MARGIN
_FOOT = 20.0
_BOTTOM = PAGE_HEIGHT - _FOOT
_INSET = 1.0
"""Text stands a little inside of where it begins, boxes and lines do not."""
_LABEL_WIDTH = 38.0
_LINE = 5.0
_BOX_PADDING = 3.0
_WIDEST = 1.015
"""Width of the widest character of the typeface in any style, in its sizes: the commercial at."""

_REPLACEMENTS = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-", "\t": "    "}


class Sheet:
    """Pages with one typeface, labelled rows and boxes; text outside Latin-1 is written as near as it can be.

    `created_at` (aware) is the only time in the file besides those of the content.
    """

    def __init__(self, title: str, created_at: datetime, language: str | None = None) -> None:
        self._title = title
        self._created_at = created_at
        self._language = language
        self._file = PdfFile()
        self._begin_page()
        self.has_unprintable = False

    def to_bytes(self, foot: str, numbered: str = "Page {number} of {count}") -> bytes:
        """Write `foot` and the page number at the foot of each page and return the file."""
        base_line, count = _base_line(PAGE_HEIGHT - 15, _LINE, 8), self._file.page_count
        left = self._printable(foot)
        for number in range(1, count + 1):
            page_of = self._printable(numbered.replace("{number}", str(number)).replace("{count}", str(count)))
            self._file.text(_MARGIN + _INSET, base_line, left, 8, MUTED, page=number)
            self._file.text(_RIGHT - _INSET - width_of(page_of, 8), base_line, page_of, 8, MUTED, page=number)
        return self._file.to_bytes(self._title, self._created_at, self._language)

    def line_of(self, text: str, size: float, style: str = "", color: Color = INK) -> None:
        """Write text in lines of this size and go below it; style "B" is bold."""
        self._lines(_MARGIN, size * 0.46, text, size, color, bold=style == "B")

    def rule(self) -> None:
        """Draw a line across the page."""
        self._y += 1.5
        self._file.line(_MARGIN, self._y, _RIGHT, _RULE)
        self._y += 2.5

    def section(self, title: str) -> None:
        """Begin a part of the page under its title, never at the very foot of it."""
        self._need(45 - _FOOT)
        self._y += 2.5
        self.line_of(title, 11, "B")
        self.rule()

    def heading(self, text: str) -> None:
        """Begin a small part of the page, never at the very foot of it."""
        self._need(40 - _FOOT)
        self._y += 2
        self.line_of(text, 10, "B")

    def picture(self, png: bytes, width: float = 60.0, height: float = 18.0) -> None:
        """Draw a picture within these millimetres, whole on one page; it must be a PNG that can be read."""
        self._need(height)
        self._file.picture(png, _MARGIN, self._y, width, height)
        self._y += height

    def line_to_sign_on(self, label: str) -> None:
        """Draw a line to write on, with what belongs there below it."""
        self._need(45 - _FOOT)
        self._y += 11
        self._file.line(_MARGIN, self._y, _RIGHT, MUTED)
        self.paragraph(label, MUTED)

    def row(self, label: str, text: str) -> None:
        """Write a label and its text beside it; nothing where the text is empty."""
        if not text:
            return
        self._need(_LINE)
        if label:
            self._draw(_MARGIN, _LINE, self._printable(label), 9, MUTED)
        self._lines(_MARGIN + _LABEL_WIDTH, _LINE, text, 10, INK)

    def paragraph(self, text: str, color: Color = INK) -> None:
        """Write running text."""
        self._lines(_MARGIN, 4.4, text, 9, color)

    def boxed(self, title: str, text: str, ground: Color, color: Color) -> None:
        """Write a titled block on a coloured ground, on one page where one page can hold it."""
        heading, height = 6.5, 4.6
        room = _RIGHT - _MARGIN - 2 * _BOX_PADDING
        lines = list(_broken(self._printable(text), 9, room, bold=False))
        self._y += 4
        self._need(min(heading + 1 + len(lines) * height + _BOX_PADDING, _BOTTOM - _MARGIN))
        self._file.ground(_MARGIN, self._y, _RIGHT - _MARGIN, heading + 1, ground)
        self._draw(_MARGIN + width_of("  ", 10), heading, self._printable(title), 10, color, bold=True)
        self._y += heading + 1
        while True:
            here = max(1, int((_BOTTOM - self._y - _BOX_PADDING) / height))
            part, lines = lines[:here], lines[here:]
            self._file.ground(_MARGIN, self._y, _RIGHT - _MARGIN, len(part) * height + _BOX_PADDING, ground)
            for line in part:
                self._draw(_MARGIN + _BOX_PADDING - _INSET, height, line, 9, color)
                self._y += height
            self._y += _BOX_PADDING
            if not lines:
                return
            self._begin_page()

    def _begin_page(self) -> None:
        self._file.add_page()
        self._y = _MARGIN

    def _need(self, height: float) -> None:
        """Go to the next page where this one has not so much left."""
        if self._y + height > _BOTTOM:
            self._begin_page()

    def _lines(self, x: float, height: float, text: str, size: float, color: Color, *, bold: bool = False) -> None:
        """Write text from `x` to the right margin, in lines of this height, and go below it."""
        for line in _broken(self._printable(text), size, _RIGHT - x - 2 * _INSET, bold=bold):
            self._need(height)
            self._draw(x, height, line, size, color, bold=bold)
            self._y += height

    def _draw(self, x: float, height: float, text: str, size: float, color: Color, *, bold: bool = False) -> None:
        if text:
            self._file.text(x + _INSET, _base_line(self._y, height, size), text, size, color, bold=bold)

    def _printable(self, text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        for character, plain in _REPLACEMENTS.items():
            text = text.replace(character, plain)
        shown = "".join(_latin(character) for character in text)
        self.has_unprintable = self.has_unprintable or shown.count("?") > text.count("?")
        return shown


def _base_line(y: float, height: float, size: float) -> float:
    """Return where letters stand in a line of this height that begins at `y`."""
    return y + 0.5 * height + 0.3 * size / POINTS


def _broken(text: str, size: float, room: float, *, bold: bool) -> Iterator[str]:
    """Break text into lines that fit, between words where it can be."""
    for paragraph in text.split("\n"):
        if len(paragraph) * _WIDEST * size / POINTS <= room or width_of(paragraph, size, bold=bold) <= room:
            yield paragraph
        else:
            yield from _filled(paragraph.split(" "), size, room, bold=bold)


def _filled(words: Iterable[str], size: float, room: float, *, bold: bool) -> Iterator[str]:
    line: list[str] = []
    used, blank = 0.0, width_of(" ", size, bold=bold)
    for word in words:
        wide = width_of(word, size, bold=bold)
        if line and used + blank + wide <= room:
            line.append(word)
            used += blank + wide
            continue
        if line:
            yield " ".join(line)
        while wide > room:
            fitting = _beginning(word, size, room, bold=bold)
            yield fitting
            word = word[len(fitting) :]
            wide = width_of(word, size, bold=bold)
        line, used = [word], wide
    yield " ".join(line)


def _beginning(word: str, size: float, room: float, *, bold: bool) -> str:
    """Return as much of a word as fits into a line, one letter at least."""
    used = 0.0
    for n, letter in enumerate(word):
        used += width_of(letter, size, bold=bold)
        if used > room and n:
            return word[:n]
    return word


def _latin(character: str) -> str:
    if character == "\n" or (" " <= character <= "\xff" and character.isprintable()):
        return character
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if " " <= base <= "~" else "?"
