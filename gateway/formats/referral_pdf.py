"""The printable referral: the same content as the message, for receivers that only file and show.

The same content gives the same bytes, so that a message sent again is the same message.
"""

from datetime import datetime

from gateway.formats.pdf_sheet import INK, MUTED, NOTICE_GROUND, Sheet
from gateway.formats.referral_content import Party, ReferralContent, name_of, plan_of, text_of, value_of
from gateway.model.handoff import Resource

_ALERT = (154, 52, 18)
_ALERT_GROUND = (255, 244, 236)


def referral_pdf(content: ReferralContent, notice: str, created_at: datetime) -> bytes:
    """Draw the referral on Letter pages and return the PDF.

    `notice` is printed word for word as the last block, in full where the content has the full statement; "" prints
    none. `created_at` (aware) is the only time in the file besides those of the content.
    """
    page = Sheet("Referral", created_at)
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
        page.boxed("Notice to the recipient", content.statement or notice, NOTICE_GROUND, INK)
    if page.has_unprintable:
        page.paragraph("Characters that this print cannot show appear as ?. The message carries them unchanged.", MUTED)
    return page.to_bytes(f"Confidential   |   Referral {content.identifier}")


def _heading(page: Sheet, content: ReferralContent, created_at: datetime) -> None:
    page.line_of("Referral", 20, "B")
    program = text_of((content.encounter.get("type") or [None])[0])
    page.line_of(" - ".join(part for part in (program, text_of(content.request.get("code"))) if part), 11, color=MUTED)
    page.rule()
    page.row("Referral number", content.identifier)
    page.row("Written", _readable(content.request.get("authoredOn", "")))
    page.row("Printed", created_at.strftime("%Y-%m-%d %H:%M %z"))


def _readable(date_time: str) -> str:
    """Write a FHIR dateTime to the minute, with its own offset."""
    date, _, time = date_time.partition("T")
    zone = time[-6:] if time[-6:-5] in ("+", "-") else "UTC" if time.endswith("Z") else ""
    return f"{date} {time[:5]} {zone}".strip()


def _parties(page: Sheet, content: ReferralContent) -> None:
    page.section("From and to")
    page.row("From", _party(content.source))
    page.row("To", _party(content.recipient))


def _party(party: Party) -> str:
    contacts = [str(contact["value"]) for contact in party.telecom if "value" in contact]
    return "\n".join(part for part in (party.label, ", ".join(contacts)) if part) or "not named"


def _person(page: Sheet, content: ReferralContent) -> None:
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


def _request(page: Sheet, content: ReferralContent) -> None:
    request = content.request
    page.section("What is asked for")
    page.row("Service", text_of(request.get("code")))
    page.row("Priority", str(request.get("priority", "routine")))
    page.row("Why", "\n".join(text_of(reason) for reason in request.get("reasonCode", ())))
    page.row("Answer by", str(((content.task.get("restriction") or {}).get("period") or {}).get("end", "")))
    page.row("Note", "\n".join(str(note.get("text", "")) for note in request.get("note", ())))
    for condition in content.conditions:
        page.row("Diagnosis", text_of(condition.get("code")))


def _safety(page: Sheet, content: ReferralContent) -> None:
    if content.flags:
        words = "\n".join(text_of(flag.get("code")) for flag in content.flags)
        page.boxed("Safety", words, _ALERT_GROUND, _ALERT)


def _observed(page: Sheet, content: ReferralContent) -> None:
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


def _plans(page: Sheet, content: ReferralContent) -> None:
    if content.plans or content.goals:
        page.section("Plan and goals")
    for plan in content.plans:
        page.row("Plan", plan_of(plan))
    for goal in content.goals:
        page.row("Goal", text_of(goal.get("description")))
