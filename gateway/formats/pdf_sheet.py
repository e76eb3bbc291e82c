"""Printed pages: one typeface, labelled rows and boxes; the same content gives the same bytes."""

import io
import unicodedata
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

INK = (28, 35, 46)
MUTED = (95, 105, 120)
NOTICE_GROUND = (243, 245, 248)
_RULE = (205, 211, 219)
_MARGIN = 18.0
_LABEL_WIDTH = 38.0
_LINE = 5.0
_FOOT = 20.0
_PICTURE_WIDTH, _PICTURE_HEIGHT = 60.0, 18.0
_WIDEST = 1.015
"""Width of the widest character of the typeface in any style, in its sizes: the commercial at."""

_REPLACEMENTS = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-"}


class Sheet:
    """Pages with one typeface, labelled rows and boxes; text outside Latin-1 is written as near as it can be.

    `created_at` (aware) is the only time in the file besides those of the content.
    """

    def __init__(self, title: str, created_at: datetime, language: str | None = None) -> None:
        self._pdf = FPDF(orientation="P", unit="mm", format="Letter")
        self._pdf.set_creation_date(created_at)
        self._pdf.set_title(title)
        self._pdf.set_producer("Warm Handoff")
        if language is not None:
            self._pdf.set_lang(language)
        self._pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self._pdf.set_auto_page_break(True, margin=_FOOT)
        self._pdf.add_page()
        self.has_unprintable = False

    def to_bytes(self, foot: str, numbered: str = "Page {number} of {count}") -> bytes:
        """Write `foot` and the page number at the foot of each page and return the file."""
        self._pdf.set_auto_page_break(False)
        self._pdf.set_text_color(*MUTED)
        for number in range(1, self._pdf.pages_count + 1):
            self._pdf.page = number
            # fpdf2 writes a font only where it changes, and forgets that this page ended with another.
            self._pdf.set_font("Helvetica", size=7)
            self._pdf.set_font("Helvetica", size=8)
            self._pdf.set_xy(_MARGIN, -15)
            self._pdf.cell(0, 5, self._printable(foot))
            self._pdf.set_xy(_MARGIN, -15)
            page_of = numbered.replace("{number}", str(number)).replace("{count}", str(self._pdf.pages_count))
            self._pdf.cell(0, 5, self._printable(page_of), align="R")
        return bytes(self._pdf.output())

    def line_of(self, text: str, size: float, style: str = "", color: tuple[int, int, int] = INK) -> None:
        """Write one line of text and go below it."""
        self._pdf.set_font("Helvetica", style, size)
        self._pdf.set_text_color(*color)
        self._lines(size * 0.46, self._printable(text))

    def rule(self) -> None:
        """Draw a line across the page."""
        self._pdf.ln(1.5)
        self._pdf.set_draw_color(*_RULE)
        self._pdf.line(_MARGIN, self._pdf.get_y(), self._pdf.w - _MARGIN, self._pdf.get_y())
        self._pdf.ln(2.5)

    def section(self, title: str) -> None:
        """Begin a part of the page under its title, never at the very foot of it."""
        if self._pdf.get_y() > self._pdf.h - 45:
            self._pdf.add_page()
        self._pdf.ln(2.5)
        self.line_of(title, 11, "B")
        self.rule()

    def heading(self, text: str) -> None:
        """Begin a small part of the page, never at the very foot of it."""
        if self._pdf.get_y() > self._pdf.h - 40:
            self._pdf.add_page()
        self._pdf.ln(2)
        self.line_of(text, 10, "B")

    def picture(self, png: bytes) -> None:
        """Draw a signature, whole on one page; it must be a PNG that can be read."""
        if self._pdf.get_y() > self._pdf.h - _FOOT - _PICTURE_HEIGHT:
            self._pdf.add_page()
        self._pdf.image(io.BytesIO(png), w=_PICTURE_WIDTH, h=_PICTURE_HEIGHT, keep_aspect_ratio=True)

    def line_to_sign_on(self, label: str) -> None:
        """Draw a line to write on, with what belongs there below it."""
        if self._pdf.get_y() > self._pdf.h - 45:
            self._pdf.add_page()
        self._pdf.ln(11)
        self._pdf.set_draw_color(*MUTED)
        self._pdf.line(_MARGIN, self._pdf.get_y(), self._pdf.w - _MARGIN, self._pdf.get_y())
        self.paragraph(label, MUTED)

    def row(self, label: str, text: str) -> None:
        """Write a label and its text beside it; nothing where the text is empty."""
        if not text:
            return
        self._pdf.set_font("Helvetica", size=9)
        self._pdf.set_text_color(*MUTED)
        self._line(_LINE, self._printable(label))
        self._pdf.set_x(_MARGIN + _LABEL_WIDTH)
        self._pdf.set_text_color(*INK)
        self._pdf.set_font("Helvetica", size=10)
        self._lines(_LINE, self._printable(text))

    def paragraph(self, text: str, color: tuple[int, int, int] = INK) -> None:
        """Write running text."""
        self._pdf.set_font("Helvetica", size=9)
        self._pdf.set_text_color(*color)
        self._lines(4.4, self._printable(text))

    def boxed(self, title: str, text: str, ground: tuple[int, int, int], color: tuple[int, int, int]) -> None:
        """Write a titled block on a coloured ground, kept together on one page."""
        self._pdf.ln(4)
        with self._pdf.unbreakable() as block:
            block.set_fill_color(*ground)
            block.set_text_color(*color)
            block.set_font("Helvetica", "B", 10)
            block.multi_cell(0, 6.5, f"  {title}", fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            block.set_font("Helvetica", size=9)
            block.multi_cell(0, 4.6, self._printable(text), fill=True, align="L", padding=(1, 3, 3, 3))
        self._pdf.set_x(_MARGIN)

    def _lines(self, height: float, text: str) -> None:
        """Write text from here to the right margin and go below it; breaking lines costs, so only where it must be."""
        room = self._pdf.w - self._pdf.r_margin - self._pdf.get_x() - 2 * self._pdf.c_margin
        if "\n" not in text and self._fits(text, room):
            self._line(height, text)
            self._pdf.set_xy(_MARGIN, self._pdf.get_y() + height)
        else:
            self._pdf.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _fits(self, text: str, room: float) -> bool:
        widest = len(text) * _WIDEST * float(self._pdf.font_size)
        return widest <= room or float(self._pdf.get_string_width(text)) <= room

    def _line(self, height: float, text: str) -> None:
        """Write one line from here, where a cell of this height would have it, in a tenth of the time of `cell`."""
        if self._pdf.will_page_break(height):
            x = self._pdf.get_x()
            self._pdf.add_page()
            self._pdf.set_x(x)
        base_line = self._pdf.get_y() + 0.5 * height + 0.3 * self._pdf.font_size
        if text:
            self._pdf.text(self._pdf.get_x() + self._pdf.c_margin, base_line, text)

    def _printable(self, text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        for character, plain in _REPLACEMENTS.items():
            text = text.replace(character, plain)
        shown = "".join(_latin(character) for character in text)
        self.has_unprintable = self.has_unprintable or shown.count("?") > text.count("?")
        return shown


def _latin(character: str) -> str:
    if character in "\n\t" or (" " <= character <= "\xff" and character.isprintable()):
        return character
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if " " <= base <= "~" else "?"
