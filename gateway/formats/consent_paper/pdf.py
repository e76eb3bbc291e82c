"""The printed consent form, signed or blank, in the person's language; the same form gives the same bytes."""

import io
import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from gateway.model.consent_form import ConsentForm, FormText, Signature, Wording
from gateway.model.notice import STATEMENT_1

_MARGIN = 18.0
_FOOT = 18.0
_INK, _MUTED, _RULE, _GROUND = (28, 35, 46), (95, 105, 120), (205, 211, 219), (243, 245, 248)
_PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-"})
_STROKES_WIDTH, _STROKES_HEIGHT = 60.0, 18.0


def consent_pdf(form: ConsentForm, text: FormText, wording: Wording, at: datetime, zone: ZoneInfo) -> bytes:
    """Draw a form on Letter pages: its text, the signatures with their evidence, and the notice of 42 CFR 2.32.

    A form without signatures is printed blank, with lines to sign on. `at` (aware) is the only time in the file besides
    those of the form; times are told in `zone`.
    """
    page = _Page(text.title, wording, at)
    page.write(text.title, 15, "B")
    for line in text.lines:
        page.heading(line.heading)
        for paragraph in line.paragraphs:
            page.write(paragraph, 10)
    page.heading(wording.texts["heading.signature"])
    for one in form.signatures:
        _signature(page, one, wording, zone)
    if not form.signatures:
        _lines_to_sign_on(page, wording)
    if form.interpreter is not None:
        page.fill("interpreter.body", language=form.interpreter.language, name=form.interpreter.name)
    page.fill("evidence.body", edition=text.edition.isoformat(), digest=text.digest)
    page.heading(wording.texts["heading.notice"])
    page.write(STATEMENT_1, 8.5)
    if wording.texts["notice.translated"]:
        page.write(wording.texts["notice.translated"], 8.5)
    return page.to_bytes()


def _signature(page: "_Page", one: Signature, wording: Wording, zone: ZoneInfo) -> None:
    if one.strokes:
        page.strokes(one.strokes)
    capacity = wording.texts[f"capacity.{one.signer.capacity}"]
    page.fill("signature.of", name=one.signer.name, capacity=capacity)
    page.fill("signature.when", date=one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z"))
    page.write(wording.texts[f"signature.{one.method}"], 9)
    if one.signer.document:
        page.fill("signature.document", document=one.signer.document)
    if one.witness:
        page.fill("signature.witness", witness=one.witness)
    if one.device:
        page.fill("signature.device", device=one.device)


def _lines_to_sign_on(page: "_Page", wording: Wording) -> None:
    for key in ("signature.blank", "signature.blank-capacity", "signature.blank-witness"):
        page.line_to_sign_on(wording.texts[key])


class _Page:
    """Letter pages in one typeface; text outside Latin-1 is written as near as it can be."""

    def __init__(self, title: str, wording: Wording, at: datetime) -> None:
        self._wording = wording
        self._pdf = FPDF(orientation="P", unit="mm", format="Letter")
        self._pdf.set_creation_date(at)
        self._pdf.set_title(title)
        self._pdf.set_lang(wording.language)
        self._pdf.set_producer("Warm Handoff")
        self._pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self._pdf.set_auto_page_break(True, margin=_FOOT)
        self._pdf.add_page()

    def heading(self, text: str) -> None:
        """Begin a part of the page, never at the very foot of it."""
        if self._pdf.get_y() > self._pdf.h - 40:
            self._pdf.add_page()
        self._pdf.ln(2)
        self.write(text, 10.5, "B")

    def write(self, text: str, size: float, style: str = "") -> None:
        """Write running text and go below it."""
        self._pdf.set_font("Helvetica", style, size)
        self._pdf.set_text_color(*_INK)
        below = {"new_x": XPos.LMARGIN, "new_y": YPos.NEXT}
        self._pdf.multi_cell(0, size * 0.47, _printable(text), align="L", **below)

    def fill(self, key: str, **places: str) -> None:
        """Write a small text of the wording with its places filled in."""
        text = self._wording.texts[key]
        for place, value in places.items():
            text = text.replace("{" + place + "}", value, 1)
        self.write(text, 9)

    def strokes(self, png: bytes) -> None:
        """Draw a signature as it was drawn on the screen."""
        if self._pdf.get_y() > self._pdf.h - _FOOT - _STROKES_HEIGHT:
            self._pdf.add_page()
        self._pdf.image(io.BytesIO(png), w=_STROKES_WIDTH, h=_STROKES_HEIGHT, keep_aspect_ratio=True)

    def line_to_sign_on(self, label: str) -> None:
        """Draw a line with what belongs on it below."""
        self._pdf.ln(11)
        self._pdf.set_draw_color(*_MUTED)
        self._pdf.line(_MARGIN, self._pdf.get_y(), self._pdf.w - _MARGIN, self._pdf.get_y())
        self.write(label, 8.5)

    def to_bytes(self) -> bytes:
        """Number the pages and return the file."""
        self._pdf.set_auto_page_break(False)
        self._pdf.set_text_color(*_MUTED)
        texts = self._wording.texts
        for number in range(1, self._pdf.pages_count + 1):
            self._pdf.page = number
            # fpdf2 writes a font only where it changes, and forgets that this page ended with another.
            self._pdf.set_font("Helvetica", size=7)
            self._pdf.set_font("Helvetica", size=8)
            self._pdf.set_xy(_MARGIN, -13)
            self._pdf.cell(0, 5, _printable(f"{texts['foot.body']}   |   {texts['copy.body']}"))
            self._pdf.set_xy(_MARGIN, -13)
            counted = texts["page.body"].replace("{number}", str(number)).replace("{count}", str(self._pdf.pages_count))
            self._pdf.cell(0, 5, _printable(counted), align="R")
        return bytes(self._pdf.output())


def _printable(text: str) -> str:
    return "".join(_latin(character) for character in text.translate(_PLAIN))


def _latin(character: str) -> str:
    if character in "\n\t" or (" " <= character <= "\xff" and character.isprintable()):
        return character
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if " " <= base <= "~" else "?"
