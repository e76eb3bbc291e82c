"""The printed consent form, signed or blank, in the person's language; the same form gives the same bytes."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.formats.pdf_sheet import INK, MUTED, NOTICE_GROUND, Sheet
from gateway.model.consent_form import ConsentForm, FormText, Signature, Wording
from gateway.model.notice import STATEMENT_1


def consent_pdf(form: ConsentForm, text: FormText, wording: Wording, at: datetime, zone: ZoneInfo) -> bytes:
    """Draw a form on Letter pages: its text, the signatures with their evidence, and the notice of 42 CFR 2.32.

    A form without signatures is printed blank, with lines to sign on. `at` (aware) is the only time in the file besides
    those of the form; times are told in `zone`.
    """
    page, words = Sheet(text.title, at, wording.language), wording.texts
    page.line_of(text.title, 14, "B")
    for line in text.lines:
        page.heading(line.heading)
        for paragraph in line.paragraphs:
            page.paragraph(paragraph)
    page.heading(words["heading.signature"])
    for one in form.signatures:
        _signature(page, one, wording, zone)
    if not form.signatures and form.outcome == "agreed":
        for key in ("signature.blank", "signature.blank-capacity", "signature.blank-witness"):
            page.line_to_sign_on(words[key])
    if form.interpreter is not None:
        spoken = {"language": form.interpreter.language, "name": form.interpreter.name}
        page.paragraph(wording.fill("interpreter.body", **spoken))
    evidence = wording.fill("evidence.body", edition=text.edition.isoformat(), digest=text.digest)
    page.paragraph(evidence, MUTED)
    if page.has_unprintable:  # above all the name of the person: an element of the consent (42 CFR 2.31(a)(1))
        page.paragraph(words["unprintable.body"])
        page.line_to_sign_on(words["unprintable.name"])
    page.boxed(words["heading.notice"], STATEMENT_1, NOTICE_GROUND, INK)
    if words["notice.translated"]:
        page.paragraph(words["notice.translated"])
    return page.to_bytes(f"{words['foot.body']}   |   {words['copy.body']}", words["page.body"])


def _signature(page: Sheet, one: Signature, wording: Wording, zone: ZoneInfo) -> None:
    if one.strokes:
        page.picture(one.strokes)
    capacity = wording.texts[f"capacity.{one.signer.capacity}"]
    page.paragraph(wording.fill("signature.of", name=one.signer.name, capacity=capacity))
    page.paragraph(wording.fill("signature.when", date=one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")))
    page.paragraph(wording.texts[f"signature.{one.method}"])
    for key, value in (("document", one.signer.document), ("witness", one.witness), ("device", one.device)):
        if value:
            page.paragraph(wording.fill(f"signature.{key}", **{key: value}))
