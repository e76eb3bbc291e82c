"""The accounting of disclosures as a letter to the patient; the same accounting gives the same bytes.

It names the person by the number in the index only: the letter goes out in an envelope that somebody addresses by hand.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from gateway.model.accounting import Accounting, Repeated
from gateway.model.disclosure_words import content_words, occasion_words, purpose_words, way_words

_MARGIN = 16.0
_INK, _MUTED, _RULE = (28, 35, 46), (95, 105, 120), (205, 211, 219)
_WIDTHS = (28, 47, 40, 40, 25)
_HEADINGS = ("When", "To whom", "What", "For what, on which consent", "How")
_PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-"})

_TITLES = {
    "consent": "Disclosures made with your consent (42 CFR 2.25)",
    "intermediary": "Disclosures under a general designation (42 CFR 2.24)",
    "other": "Other disclosures, without a consent under 42 CFR part 2 (45 CFR 164.528)",
}
_EXPLAINED = (
    "Not listed, because the rules do not ask for it: requests that were refused, use inside the program that treats "
    "you and by those who work for it under agreement, medical emergencies, what you were given yourself, and numbers "
    "that identify nobody. Several disclosures to one recipient for one purpose stand in one line, with the first and "
    "the last."
)


def accounting_pdf(accounting: Accounting, parts: Sequence[tuple[str, Sequence[Repeated]]], zone: str) -> bytes:
    """Draw the accounting on Letter pages. `parts` are (part, its disclosures told together); `zone` an IANA name."""
    local = ZoneInfo(zone)
    pdf = FPDF(orientation="P", unit="mm", format="Letter")
    pdf.set_creation_date(accounting.made_at)
    pdf.set_title("Accounting of disclosures")
    pdf.set_producer("Warm Handoff")
    pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
    pdf.set_auto_page_break(True, margin=18)
    pdf.add_page()
    _line(pdf, "Accounting of disclosures", 18, "B")
    if accounting.intermediary is not None:
        _line(pdf, f"List of the intermediary {accounting.intermediary}", 11)
    _line(pdf, f"Person {accounting.person_id}", 10, color=_MUTED)
    period = f"{_day(accounting.since, local)} to {_moment(accounting.until, local)}"
    _line(pdf, f"Period {period}, made {_moment(accounting.made_at, local)}", 10, color=_MUTED)
    for part, repeated in parts:
        pdf.ln(4)
        _line(pdf, _TITLES[part], 12, "B")
        _table(pdf, repeated, local) if repeated else _line(pdf, "None in this period.", 10)
    if accounting.intermediary is None:
        pdf.ln(4)
        _line(pdf, _EXPLAINED, 9, color=_MUTED)
    return bytes(pdf.output())


def _table(pdf: FPDF, repeated: Sequence[Repeated], zone: ZoneInfo) -> None:
    pdf.set_font("Helvetica", size=8.5)
    pdf.set_draw_color(*_RULE)
    with pdf.table(
        col_widths=_WIDTHS,
        text_align="LEFT",
        v_align="TOP",
        line_height=4.4,
        padding=1,
        borders_layout="HORIZONTAL_LINES",
    ) as table:
        heading = table.row()
        for title in _HEADINGS:
            heading.cell(title)
        for one in repeated:
            row = table.row()
            for text in _cells(one, zone):
                row.cell(_printable(text))


def _cells(repeated: Repeated, zone: ZoneInfo) -> tuple[str, ...]:
    first = repeated.first
    when = _moment(first.at, zone)
    if repeated.times > 1:
        when += f"\n{repeated.times} times, last {_moment(repeated.last, zone)}"
    whom = "\n".join(part for part in (first.name or first.recipient, first.address) if part)
    what = f"{occasion_words(first.occasion)}\n{content_words(first.content)}"
    purpose = purpose_words(first.purpose)
    why = f"{purpose}\nConsent {first.consent}" if first.consent else purpose
    how = way_words(first.transport)
    return when, whom, what, why, how if first.is_confirmed else f"{how}, not confirmed"


def _line(pdf: FPDF, text: str, size: float, style: str = "", color: tuple[int, int, int] = _INK) -> None:
    pdf.set_font("Helvetica", style, size)
    pdf.set_text_color(*color)
    pdf.multi_cell(0, size * 0.48, _printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_text_color(*_INK)


def _day(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _printable(text: str) -> str:
    """Write text as near as the typeface can: names of partners may hold any letter."""
    return "".join(_latin(character) for character in text.translate(_PLAIN))


def _latin(character: str) -> str:
    if character <= "\xff":
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base <= "\xff" else "?"
