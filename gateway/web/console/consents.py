"""Consents at the console: taken with the person, copied from paper, compared, looked after and taken back.

What is on a form, and what it lacks, is said by the stories; these pages ask, show the text to sign, and carry what was
chosen from one to the next. Nothing is kept before the signature.
"""

from dataclasses import replace
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.model.consent_form import STATEMENTS, ConsentForm, FormRefused, Paper, Scan, Shortcoming
from gateway.model.consent_life import Choice, ConsentLine, RevocationMethod, Revoking
from gateway.model.disclosure_words import PURPOSES
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.web.console.consent_fields import (
    CAPACITIES,
    ENDINGS,
    KINDS,
    Fields,
    chosen,
    fields_of,
    read_edition,
    read_form,
    read_paper_signatures,
    read_signatures,
    read_statements,
)
from gateway.web.console.restrictions import restrictions_section
from gateway.web.console.session import member
from gateway.web.services import Services

Page = str | tuple[str, int] | AnyResponse

_LONGEST_ID = 64
_LONGEST_NOTE = 300
_KIND_OF_STATE = {
    "active": "active", "not-yet": "held", "waits": "held", "revoked-in-part": "held", "oral-revocation": "held",
    "unreadable": "held", "refusal": "deny", "false": "deny",
}  # fmt: skip
"""State of a consent -> the colour that repeats its words; none for what is over."""

_WORDS = {
    "part2": "sharing records", "sud-counseling-notes": "sharing counseling notes", "proceedings": "one proceeding",
    "criminal-justice-referral": "reports to those who supervise", "central-registry": "a central registry",
    "hipaa-authorization": "an authorization under HIPAA", **PURPOSES,
}  # fmt: skip
"""Kinds of paper and codes of purposes in words; what is not here is shown by its code."""

_STATEMENT_WORDS = {
    "revocation-right": "that and how it can be taken back",
    "ce-redisclosure-statement": "what health care organizations may do with the records",
    "tpo-redisclosure-warning": "that who receives the records may pass them on",
    "refusal-consequences": "what follows from not signing",
    "fundraising-opt-out": "that fundraising may be declined",
}

_WAYS_BACK = {"written": "in writing", "electronic": "electronically", "oral": "by word of mouth"}


def add_consent_pages(door: Blueprint, services: Services) -> None:
    """Add the lists, the capture of a form, the filing of a paper, and the page of one consent with its actions."""
    _add_lists(door, services)
    _add_page(door, services)
    _add_capture(door, services)
    _add_filing(door, services)
    _add_actions(door, services)


def _add_lists(door: Blueprint, services: Services) -> None:
    @door.get("/consents")
    def consents() -> str:
        desk, actor = services.house.consent_desk, member(services)
        record = request.args.get("record", "").strip()[:_LONGEST_ID]
        if record:
            _patient(services, record)
        return render_template(
            "console/consents.html",
            record=record,
            of_person=desk.of_record(actor, record) if record else None,
            waiting=None if record else desk.waiting(actor),
            ending=None if record else desk.ending(actor),
            kinds_of_state=_KIND_OF_STATE,
            said=_WORDS,
            **(restrictions_section(services, record) if record else {}),
        )

    @door.post("/consents/find")
    def find_to_ask() -> str:
        stated = {name: request.form.get(name, "").strip()[:_LONGEST_ID] for name in ("family", "given", "birth_date")}
        if not all(stated.values()):
            raise RequestRefused(Problem(400, "required", None, "Expected both names and the birth date."))
        found = services.house.consent_desk.find(member(services), **stated)
        return render_template("console/consent_people.html", stated=stated, found=found)


def _add_page(door: Blueprint, services: Services) -> None:
    @door.get("/consents/<consent_id>")
    def consent(consent_id: str) -> str:
        desk = services.house.consent_desk
        page = desk.page(member(services), consent_id)
        if page is None:
            raise RequestRefused(NOT_FOUND)
        return render_template(
            "console/consent.html",
            page=page,
            line=page.line,
            written=page.written,
            kinds_of_state=_KIND_OF_STATE,
            said=_WORDS,
            words=desk.words("en"),
            statement_words=_STATEMENT_WORDS,
            ways_back=_WAYS_BACK,
            recipients=_recipients(services, page.line),
        )

    @door.get("/consents/<consent_id>/paper")
    def consent_paper(consent_id: str) -> Response:
        paper = services.house.consent_desk.paper(member(services), consent_id)
        if paper is None:
            raise RequestRefused(NOT_FOUND)
        return _file(paper)


def _add_capture(door: Blueprint, services: Services) -> None:
    @door.get("/consents/new/<record>")
    def new_consent(record: str) -> str:
        return _choices_page(services, record)

    @door.post("/consents/new/<record>")
    def change_consent(record: str) -> str:
        return _choices_page(services, record)

    @door.post("/consents/new/<record>/text")
    def consent_text(record: str) -> Page:
        form = _form(services, record)
        refused = services.house.consent_desk.shortcomings(member(services), form)
        return _choices_page(services, record, refused) if refused else _text_page(services, record, form)

    @door.post("/consents/new/<record>/blank")
    def consent_blank(record: str) -> Page:
        printed = services.house.consent_desk.blank(member(services), _form(services, record))
        return _choices_page(services, record, printed) if isinstance(printed, FormRefused) else _file(printed)

    @door.post("/consents/new/<record>/sign")
    def sign_consent(record: str) -> Page:
        actor = member(services)
        form = _form(services, record)
        witness = f"{actor.name} ({actor.id})"  # the name is for whoever reads the paper
        form = replace(form, signatures=read_signatures(request.form, witness, services.clock()))
        made = services.house.consent_desk.capture(actor, form)
        if isinstance(made, FormRefused):
            return _text_page(services, record, form, made)
        flash(
            "The no is kept." if form.outcome == "refused" else "Signed and kept. Give the person a copy of the paper."
        )
        return redirect(url_for("console.consent", consent_id=made.consent_id), 303)


def _add_filing(door: Blueprint, services: Services) -> None:
    @door.get("/consents/scan/<record>")
    def consent_scan(record: str) -> str:
        return _scan_page(services, record)

    @door.post("/consents/scan/<record>")
    def file_consent_scan(record: str) -> Page:
        actor, zone = member(services), ZoneInfo(services.timezone)
        form = replace(
            _form(services, record),
            signatures=read_paper_signatures(request.form, actor.id, zone),
            statements=read_statements(request.form),
            edition=read_edition(request.form),
        )
        sent = request.files.get("scan")
        scan = Scan(sent.mimetype if sent else "", sent.read() if sent else b"")
        made = services.house.consent_desk.file_scan(actor, form, scan)
        if isinstance(made, FormRefused):
            return _scan_page(services, record, made)
        flash("Filed. It counts once somebody else has verified it.")
        return redirect(url_for("console.consent", consent_id=made.consent_id), 303)


def _add_actions(door: Blueprint, services: Services) -> None:
    @door.post("/consents/<consent_id>/revoke")
    def revoke_consent(consent_id: str) -> AnyResponse:
        method = request.form.get("method")
        if method not in ("written", "electronic", "oral"):
            abort(400)
        to = tuple(value[:200] for value in request.form.getlist("recipients")[:200])
        problem = services.house.consent_desk.revoke(
            member(services), consent_id, Revoking(cast(RevocationMethod, method), to)
        )
        return _done(problem, consent_id, "Kept. What waits to be sent on it is decided again before it goes.")

    @door.post("/consents/<consent_id>/verify")
    def verify_consent(consent_id: str) -> AnyResponse:
        problem = services.house.consent_desk.verify(member(services), consent_id, _note("how"))
        return _done(problem, consent_id, "Verified: it counts from now on.")

    @door.post("/consents/<consent_id>/reject")
    def reject_consent(consent_id: str) -> AnyResponse:
        problem = services.house.consent_desk.reject(member(services), consent_id, _note("why"))
        return _done(problem, consent_id, "Marked as entered in error.")

    @door.post("/consents/<consent_id>/end")
    def settle_consent_end(consent_id: str) -> AnyResponse:
        has_come = request.form.get("come") == "yes"
        problem = services.house.consent_desk.settle_end(member(services), consent_id, _note("why"), has_come=has_come)
        told = "Ended. What waited to be sent on it is decided again before it goes."
        return _done(problem, consent_id, told if has_come else "Noted: the consent goes on.")


def _choices_page(services: Services, record: str, refused: FormRefused | None = None) -> str:
    given = request.form if request.method == "POST" else _like(services)
    return render_template(
        "console/consent_form.html",
        record=record,
        given=given,
        choices=services.house.consent_desk.choices(given.get("language", "en")),
        kinds=KINDS,
        endings=ENDINGS,
        older=_older(services, record),
        shortcomings=_told(refused),
    )


def _like(services: Services) -> Fields:
    """Return what a new form begins with: nothing, or the choices of the consent that it may take the place of."""
    consent_id = request.args.get("like", "")[:_LONGEST_ID]
    form = services.house.consent_desk.form_again(member(services), consent_id) if consent_id else None
    return fields_of(form) if form is not None else Fields()


def _text_page(services: Services, record: str, form: ConsentForm, refused: FormRefused | None = None) -> str:
    desk = services.house.consent_desk
    text = desk.text(member(services), form)
    if isinstance(text, FormRefused):
        return _choices_page(services, record, text)
    return render_template(
        "console/consent_text.html",
        record=record,
        text=text,
        chosen=chosen(request.form),
        given=request.form,
        capacities=CAPACITIES,
        words=desk.words(form.language),
        is_refusal=form.outcome == "refused",
        beside=[one for one in _older(services, record) if one.code not in form.supersedes],
        shortcomings=_told(refused),
    )


def _scan_page(services: Services, record: str, refused: FormRefused | None = None) -> str:
    given = request.form
    return render_template(
        "console/consent_scan.html",
        record=record,
        given=given,
        choices=services.house.consent_desk.choices("en"),
        kinds=KINDS,
        endings=ENDINGS,
        capacities=CAPACITIES,
        words=services.house.consent_desk.words("en"),
        statements=[Choice(name, _STATEMENT_WORDS[name]) for name in STATEMENTS],
        older=_older(services, record),
        shortcomings=_told(refused),
    )


def _form(services: Services, record: str) -> ConsentForm:
    return read_form(request.form, _patient(services, record))


def _patient(services: Services, record: str) -> str:
    """Return the Patient of a record; a page about a record that is not theirs is not there."""
    patient = services.house.consent_desk.patient_of_record(member(services), record)
    if patient is None:
        raise RequestRefused(NOT_FOUND)
    return patient


def _older(services: Services, record: str) -> list[Choice]:
    """Return what a new form may replace."""
    _patient(services, record)
    found = services.house.consent_desk.of_record(member(services), record)
    return [
        Choice(one.consent_id, f"{', '.join(one.disclosers)} to {', '.join(one.recipients) or 'nobody'}: {one.words}")
        for one in (found.lines if found else ())
        if one.state in ("active", "not-yet", "refusal", "revoked-in-part")
    ]


def _recipients(services: Services, line: ConsentLine) -> list[Choice]:
    every = services.house.consent_desk.choices("en").recipients
    return [one for one in every if one.words in line.recipients]


def _told(refused: FormRefused | None) -> tuple[Shortcoming, ...]:
    return refused.shortcomings if refused else ()


def _note(name: str) -> str:
    note = request.form.get(name, "").strip()[:_LONGEST_NOTE]
    if not note:
        raise RequestRefused(Problem(400, "required", None, "Say how you know: the field was empty."))
    return note


def _done(problem: Problem | None, consent_id: str, words: str) -> AnyResponse:
    if problem is not None:
        raise RequestRefused(problem)
    flash(words)
    return redirect(url_for("console.consent", consent_id=consent_id), 303)


def _file(paper: Paper) -> Response:
    """Send a file under a name that tells of nobody."""
    response = Response(paper.content, content_type=paper.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename={paper.file_name}"
    return response
