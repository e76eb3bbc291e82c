"""The printable referral: the same content as the message, for receivers that only file and show.

The same content gives the same bytes, so that a message sent again is the same message.
"""

import unicodedata
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from gateway.formats.referral_content import Party, ReferralContent, name_of, plan_of, text_of, value_of
from gateway.model.handoff import Resource

_INK = (28, 35, 46)
_MUTED = (95, 105, 120)
_RULE = (205, 211, 219)
_ALERT = (154, 52, 18)
_ALERT_GROUND = (255, 244, 236)
_NOTICE_GROUND = (243, 245, 248)
_MARGIN = 18.0
_LABEL_WIDTH = 38.0
_LINE = 5.0
_FOOT = 20.0

_REPLACEMENTS = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "•": "-"}


def referral_pdf(content: ReferralContent, notice: str, created_at: datetime) -> bytes:
    """Draw the referral on Letter pages and return the PDF.

    `notice` is printed word for word as the last block, in full where the content has the full statement; "" prints
    none. `created_at` (aware) is the only time in the file besides those of the content.
    """
    page = _Sheet(created_at)
    _heading(page, content, created_at)
    _parties(page, content)
    _person(page, content)
    _request(page, content)
    _safety(page, content)
    _observed(page, content)
    _plans(page, content)
    if content.consent_scope:
        page.section("Scope of the person's consent")
        page.paragraph(content.consent_scope)
    if notice:
        page.boxed("Notice to the recipient", content.statement or notice, _NOTICE_GROUND, _INK)
    if page.has_unprintable:
        page.paragraph(
            "Characters that this print cannot show appear as ?. The message carries them unchanged.", _MUTED
        )
    return page.to_bytes(f"Confidential   |   Referral {content.identifier}")


def _heading(page: "_Sheet", content: ReferralContent, created_at: datetime) -> None:
    page.line_of("Referral", 20, "B")
    program = text_of((content.encounter.get("type") or [None])[0])
    page.line_of(" - ".join(part for part in (program, text_of(content.request.get("code"))) if part), 11, color=_MUTED)
    page.rule()
    page.row("Referral number", content.identifier)
    page.row("Written", _readable(content.request.get("authoredOn", "")))
    page.row("Printed", created_at.strftime("%Y-%m-%d %H:%M %z"))


def _readable(date_time: str) -> str:
    """Write a FHIR dateTime to the minute, with its own offset."""
    date, _, time = date_time.partition("T")
    zone = time[-6:] if time[-6:-5] in ("+", "-") else "UTC" if time.endswith("Z") else ""
    return f"{date} {time[:5]} {zone}".strip()


def _parties(page: "_Sheet", content: ReferralContent) -> None:
    page.section("From and to")
    page.row("From", _party(content.source))
    page.row("To", _party(content.recipient))


def _party(party: Party) -> str:
    contacts = [str(contact["value"]) for contact in party.telecom if "value" in contact]
    return "\n".join(part for part in (party.label, ", ".join(contacts)) if part) or "not named"


def _person(page: "_Sheet", content: ReferralContent) -> None:
    patient = content.patient
    page.section("Person")
    page.row("Name", name_of(patient) or "not known")
    page.row("Born", str(patient.get("birthDate", "not known")))
    page.row("Gender", str(patient.get("gender", "unknown")))
    contacts = [str(contact["value"]) for contact in patient.get("telecom", ()) if "value" in contact]
    page.row("Reached at", ", ".join(contacts))
    page.row("Address", "\n".join(_address(address) for address in patient.get("address", ())))
    languages = [text_of(entry.get("language")) for entry in patient.get("communication", ())]
    page.row("Language", ", ".join(filter(None, languages)))
    for relative in content.relatives:
        relation = text_of((relative.get("relationship") or [None])[0])
        page.row("Contact", ", ".join(part for part in (name_of(relative), relation) if part))


def _address(address: dict[str, object]) -> str:
    lines = address.get("line")
    parts = [*(lines if isinstance(lines, list) else ()), address.get("city"), address.get("state")]
    whole = ", ".join(str(part) for part in (*parts, address.get("postalCode")) if part)
    text = str(address.get("text") or whole)
    return f"{text} (temporary)" if address.get("use") == "temp" else text


def _request(page: "_Sheet", content: ReferralContent) -> None:
    request = content.request
    page.section("What is asked for")
    page.row("Service", text_of(request.get("code")))
    page.row("Priority", str(request.get("priority", "routine")))
    page.row("Why", "\n".join(text_of(reason) for reason in request.get("reasonCode", ())))
    page.row("Answer by", str(((content.task.get("restriction") or {}).get("period") or {}).get("end", "")))
    page.row("Note", "\n".join(str(note.get("text", "")) for note in request.get("note", ())))
    for condition in content.conditions:
        page.row("Diagnosis", text_of(condition.get("code")))


def _safety(page: "_Sheet", content: ReferralContent) -> None:
    if content.flags:
        words = "\n".join(text_of(flag.get("code")) for flag in content.flags)
        page.boxed("Safety", words, _ALERT_GROUND, _ALERT)


def _observed(page: "_Sheet", content: ReferralContent) -> None:
    period = content.encounter.get("period") or {}
    if content.observations or period:
        page.section("The contact")
        when = " to ".join(_readable(period[end]) for end in ("start", "end") if end in period)
        page.row("When", when)
    for observer, observations in content.observations:
        page.row("Reported by", observer.label or "not named")
        for observation in observations:
            page.row("", f"-  {_stated(observation)}")


def _stated(observation: Resource) -> str:
    words, value = text_of(observation.get("code")), value_of(observation)
    return words if value == "Yes" else f"{words}: {value}"


def _plans(page: "_Sheet", content: ReferralContent) -> None:
    if content.plans or content.goals:
        page.section("Plan and goals")
    for plan in content.plans:
        page.row("Plan", plan_of(plan))
    for goal in content.goals:
        page.row("Goal", text_of(goal.get("description")))


class _Sheet:
    """Pages with one typeface, labelled rows and boxes; text outside Latin-1 is written as near as it can be."""

    def __init__(self, created_at: datetime) -> None:
        self._pdf = FPDF(orientation="P", unit="mm", format="Letter")
        self._pdf.set_creation_date(created_at)
        self._pdf.set_title("Referral")
        self._pdf.set_producer("Warm Handoff")
        self._pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self._pdf.set_auto_page_break(True, margin=_FOOT)
        self._pdf.add_page()
        self.has_unprintable = False

    def to_bytes(self, foot: str) -> bytes:
        """Write `foot` and the page number at the foot of each page and return the file."""
        self._pdf.set_auto_page_break(False)
        self._pdf.set_text_color(*_MUTED)
        for number in range(1, self._pdf.pages_count + 1):
            self._pdf.page = number
            # fpdf2 writes a font only where it changes, and forgets that this page ended with another.
            self._pdf.set_font("Helvetica", size=7)
            self._pdf.set_font("Helvetica", size=8)
            self._pdf.set_xy(_MARGIN, -15)
            self._pdf.cell(0, 5, self._printable(foot))
            self._pdf.set_xy(_MARGIN, -15)
            self._pdf.cell(0, 5, f"Page {number} of {self._pdf.pages_count}", align="R")
        return bytes(self._pdf.output())

    def line_of(self, text: str, size: float, style: str = "", color: tuple[int, int, int] = _INK) -> None:
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

    def row(self, label: str, text: str) -> None:
        """Write a label and its text beside it; nothing where the text is empty."""
        if not text:
            return
        self._pdf.set_font("Helvetica", size=9)
        self._pdf.set_text_color(*_MUTED)
        self._pdf.cell(_LABEL_WIDTH, _LINE, self._printable(label))
        self._pdf.set_text_color(*_INK)
        self._pdf.set_font("Helvetica", size=10)
        self._lines(_LINE, self._printable(text))

    def paragraph(self, text: str, color: tuple[int, int, int] = _INK) -> None:
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
        below = {"new_x": XPos.LMARGIN, "new_y": YPos.NEXT}
        if "\n" not in text and self._pdf.get_string_width(text) <= room:
            self._pdf.cell(0, height, text, **below)
        else:
            self._pdf.multi_cell(0, height, text, align="L", **below)

    def _printable(self, text: str) -> str:
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
