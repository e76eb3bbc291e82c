"""Take a consent form that a person fills in, on our page or on paper, and keep it with its proof.

What is kept: the Consent, the printed or scanned paper (a Binary) and the DocumentReference between them, in one
transaction with the end of what the form replaces and the row of the audit trail.
"""

import base64
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from gateway.consent import read_switches
from gateway.flow.consents.changes import is_a_no, reopen_stopped, replace_consents
from gateway.flow.consents.terms import keep_watch, read_directive
from gateway.flow.consents.views import binary_id, may_look_after, may_see
from gateway.flow.house import House
from gateway.flow.people import lock_person, person_of
from gateway.formats.consent_paper import (
    CAPTURED_BY,
    CAPTURED_FROM,
    EXTENSIONS,
    Ids,
    Reader,
    Taken,
    binary_of,
    consent_of,
    consent_pdf,
    document_of,
    form_text,
    scan_shortcomings,
    shortcomings,
)
from gateway.model.audit import AuditEntry
from gateway.model.consent_form import (
    Captured,
    ConsentForm,
    FormRefused,
    FormText,
    Paper,
    Scan,
    Shortcoming,
)
from gateway.model.handoff import Person, Resource
from gateway.model.staff import Member
from gateway.ports import StoredResource, Transaction

_NO_AGREEMENT = Shortcoming(
    "QSOA_NOT_IN_FORCE",
    "42 CFR 2.11",
    "No agreement is in force with a program of the form: its own staff take it.",
)
_NO_PROGRAM = Shortcoming(
    "EL_DISCLOSER", "42 CFR 2.31(a)(2)", "Say who may disclose: the text names the person only for a program's form."
)


def consent_text(house: House, actor: Member, form: ConsentForm) -> FormText | FormRefused:
    """Return the exact text of a form for its person to read, before it is signed."""
    return house.database.read(lambda tx: _text(house, tx, actor, form))


def before_signing(house: House, actor: Member, form: ConsentForm) -> FormRefused | None:
    """Return everything a form lacks but its signature; None where it can be signed."""
    found = house.database.read(lambda tx: _wrong(house, tx, actor, form))
    wrong = tuple(one for one in found if form.signatures or one.element != "EL_SIGNATURE")
    return FormRefused(wrong) if wrong else None


def blank_paper(house: House, actor: Member, form: ConsentForm) -> Paper | FormRefused:
    """Print a form to be signed on paper, with what is already chosen on it."""

    def print_it(tx: Transaction) -> Paper | FormRefused:
        text = _text(house, tx, actor, form)
        return text if isinstance(text, FormRefused) else _printed(house, form, text)

    return house.database.read(print_it)


def capture_consent(house: House, actor: Member, form: ConsentForm) -> Captured | FormRefused:
    """Keep a form that was filled in and signed (or declined) before a member of staff.

    Refused with everything that is wrong with it at once: an element of 42 CFR 2.31(a) that is missing, a text that is
    not the one that was shown, a no of the person that still stands. What is kept counts at once: what was refused for
    want of it is decided again.
    """

    def take(tx: Transaction) -> Captured | FormRefused:
        _lock(tx, form)
        text = _text(house, tx, actor, form)
        if isinstance(text, FormRefused):
            return text
        wrong = [*_wrong(house, tx, actor, form), *_not_as_shown(form, text)]
        if wrong:
            return FormRefused(tuple(wrong))
        dated = replace(form, edition=text.edition)
        return _keep(house, tx, actor, dated, _printed(house, form, text), from_paper=False)

    return house.database.write(take)


def file_scan(house: House, actor: Member, form: ConsentForm, scan: Scan) -> Captured | FormRefused:
    """Keep a form signed on paper: its scan, and what stands on it as a member of staff wrote it down.

    Nothing leaves on it before a second member of staff has compared the two (`changes.verify_consent`).
    """

    def take(tx: Transaction) -> Captured | FormRefused:
        _lock(tx, form)
        wrong = [*_wrong(house, tx, actor, form), *scan_shortcomings(scan)]
        if form.outcome == "agreed" and form.statements is None:
            wrong.append(Shortcoming("EL_REVOCATION", "42 CFR 2.31(a)", "Say which statements stand on the paper."))
        if wrong:
            return FormRefused(tuple(wrong))
        media_type = scan.media_type.partition(";")[0].strip().lower()
        paper = Paper(media_type, scan.content, f"consent.{EXTENSIONS[media_type]}")
        return _keep(house, tx, actor, form, paper, from_paper=True)

    return house.database.write(take)


def _lock(tx: Transaction, form: ConsentForm) -> None:
    """Lock the person first, so that what is checked is still so when it is written."""

    def find() -> str | None:
        person = tx.people.by_patient(form.patient_id)
        return person.id if person is not None else None

    lock_person(tx, find)


def _text(house: House, tx: Transaction, actor: Member, form: ConsentForm) -> FormText | FormRefused:
    """Write the text, which names the person: for whoever may take a form for these programs, and nobody else."""
    if not may_look_after(house, actor, form.disclosers):
        return FormRefused((_NO_AGREEMENT if form.disclosers else _NO_PROGRAM,))
    wording = house.wordings.get(form.language)
    person = _named_by(tx, form)
    if person is None:
        return FormRefused((Shortcoming("EL_PATIENT", "42 CFR 2.31(a)(1)", "Choose a person of the index."),))
    if wording is None:
        return FormRefused((Shortcoming("LANGUAGE", "42 CFR 2.31(a)", "The form is not offered in this language."),))
    return form_text(form, wording, house.registry, _name(person), person.birth_date)


def _named_by(tx: Transaction, form: ConsentForm) -> Person | None:
    """Return the person as the Patient of the form names them; None where nobody is known by it.

    Not as the index does: it has learned from records of other programs too.
    """
    person, patient = tx.people.by_patient(form.patient_id), tx.resources.get("Patient", form.patient_id)
    return replace(person_of(patient.body), id=person.id) if person is not None and patient is not None else None


def _name(person: Person) -> str:
    return f"{person.given} {person.family}".strip()


def _wrong(house: House, tx: Transaction, actor: Member, form: ConsentForm) -> list[Shortcoming]:
    """Return what is wrong with a form; to who may not keep it, nothing that rests on other papers of the person."""
    person = _named_by(tx, form)
    if person is None:
        return [Shortcoming("EL_PATIENT", "42 CFR 2.31(a)(1)", "Choose a person of the index.")]
    now = house.clock().astimezone(_zone(house, form))
    born = _whole_date(person.birth_date)
    age = read_switches(house.switches).minor_consent
    found = list(shortcomings(form, Reader(house.registry, now, born, age, (person.family, person.given))))
    if not may_look_after(house, actor, form.disclosers):
        return [*found, _NO_AGREEMENT] if form.disclosers else found
    return [*found, *_irreplaceable(house, tx, actor, person.id, form), *_standing_refusals(house, tx, person.id, form)]


def _irreplaceable(
    house: House, tx: Transaction, actor: Member, person_id: str, form: ConsentForm
) -> tuple[Shortcoming, ...]:
    """Return what keeps consents from being replaced: not there, not the person's, over, or not this one's to see.

    Whoever knows the id of another program's paper could else end the refusal on it with a form of their own.
    """
    for consent_id in form.supersedes:
        stored = tx.resources.get("Consent", consent_id)
        is_known = stored is not None and stored.person_id == person_id and stored.body.get("status") == "active"
        if stored is None or not is_known or not may_see(house, actor, read_directive(house, stored.body)):
            words = "A consent that the form replaces is not there, or not in force any more."
            return (Shortcoming("SUPERSEDES", "42 CFR 2.31(a)(6)", words),)
    return ()


def _standing_refusals(house: House, tx: Transaction, person_id: str, form: ConsentForm) -> list[Shortcoming]:
    """Refuse a yes that a no would go on beating, whatever their dates: the person says which no it replaces."""
    if form.outcome == "refused":
        return []
    for stored in tx.resources.of_person(["Consent"], person_id):
        directive = read_directive(house, stored.body)
        stands = directive.status == "active" and is_a_no(directive)
        of = {one.organization for one in directive.disclosers}
        if stands and stored.body["id"] not in form.supersedes and (not of or of & set(form.disclosers)):
            words = f"The person's no ({stored.body['id']}) stands and would go on stopping this: name it as replaced."
            return [Shortcoming("EXPLICIT_DENY", "42 CFR 2.31(a)(6)", words)]
    return []


def _not_as_shown(form: ConsentForm, text: FormText) -> list[Shortcoming]:
    """Refuse a signature under another text than this one: what was chosen changed after it was read."""
    if all(one.shown == text.digest for one in form.signatures):
        return []
    words = "The form changed after it was shown: show it again and let it be signed again."
    return [Shortcoming("EL_SIGNATURE", "42 CFR 2.31(a)(8)", words)]


def _printed(house: House, form: ConsentForm, text: FormText) -> Paper:
    content = consent_pdf(form, text, house.wordings[form.language], house.clock(), _zone(house, form))
    return Paper("application/pdf", content, "consent.pdf")


def _keep(
    house: House, tx: Transaction, actor: Member, form: ConsentForm, paper: Paper, *, from_paper: bool
) -> Captured | FormRefused:
    person = tx.people.by_patient(form.patient_id)
    assert person is not None, "a form without a person was refused before"
    now = house.clock()
    ids = Ids(house.new_id(), house.new_id(), house.new_id())
    taken = Taken(actor.id, from_paper, now.astimezone(_zone(house, form)).date())
    consent = consent_of(form, ids, taken, house.registry)
    wrong = _unfit(house, consent, form)
    if wrong:
        return FormRefused(tuple(wrong))
    earlier = _pressed_before(tx, person.id, consent, paper if from_paper else None)
    if earlier is not None:
        return earlier
    for resource in (binary_of(ids, paper), document_of(form, ids, paper, house.registry, now), consent):
        tx.resources.put(resource, handoff_id=None, person_id=person.id, at=now)
    keep_watch(house, tx, consent)
    if not from_paper:
        replace_consents(house, tx, actor.id, person.id, ids.consent, form.supersedes)
    reopen_stopped(house, tx, person.id)
    told = {
        "consent": ids.consent, "document": ids.document, "outcome": form.outcome, "form": form.kind,
        "language": form.language, "from": "paper" if from_paper else "screen",
    }  # fmt: skip
    tx.audit.append(AuditEntry(now, "consent.captured", actor.id, told))
    return Captured(ids.consent, ids.binary)


def _pressed_before(tx: Transaction, person_id: str, consent: Resource, scan: Paper | None) -> Captured | None:
    """Find the same form, taken the same day and still standing: a button pressed twice makes one consent, not two.

    Of two, the person would take back one and leave the other. Another scan of the same paper is a paper of its own:
    the first may be the one that nobody can read.
    """
    for stored in tx.resources.of_person(["Consent"], person_id):
        if stored.body.get("status") == "active" and _essence(stored.body) == _essence(consent):
            kept = binary_id(tx, stored.body) or ""
            if scan is None or _is_scan(tx.resources.get("Binary", kept), scan):
                return Captured(stored.body["id"], kept)
    return None


def _is_scan(binary: StoredResource | None, scan: Paper) -> bool:
    return binary is not None and base64.b64decode(binary.body["data"]) == scan.content


def _essence(consent: Resource) -> Resource:
    """Return what makes two papers the same: everything but when and under which ids they were kept."""
    kept = {name: consent[name] for name in consent if name not in _OF_THE_KEEPING}
    tags = [tag for tag in consent.get("meta", {}).get("tag", []) if tag["system"] in (CAPTURED_BY, CAPTURED_FROM)]
    extensions = [one for one in consent.get("extension", []) if not one["url"].endswith("part2-signature")]
    return {**kept, "extension": extensions, "captured": tags}


_OF_THE_KEEPING = frozenset({"id", "meta", "dateTime", "sourceReference", "verification", "extension"})


def _unfit(house: House, consent: Resource, form: ConsentForm) -> list[Shortcoming]:
    """Ask the engine and the profiles for the last word: what they would not take is not kept either."""
    directive = read_directive(house, consent)
    found = [
        Shortcoming("INVALID", finding.rule, finding.message)
        for finding in house.check(consent)
        if finding.severity == "error"
    ]
    if not directive.readable:
        found.append(Shortcoming("UNPARSEABLE", "42 CFR 2.31(a)", "The form cannot be written so that it can be read."))
    if form.outcome == "agreed":
        lacks = sorted({element for grant in directive.grants for element in grant.lacks})
        found += [Shortcoming(one, "42 CFR 2.31(a)", "The form lacks this element.") for one in lacks]
    return found


def _zone(house: House, form: ConsentForm) -> ZoneInfo:
    return ZoneInfo(house.timezone_of(house.registry.get(form.disclosers[0]) if form.disclosers else None))


def _whole_date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text and len(text) == len("2000-01-31") else None
