"""What a filled form lacks, all at once: the elements of 42 CFR 2.31(a), and what one paper may not mix.

Written from the side of the paper. The engine reads the Consent made of it by itself and has the last word, so a form
that passes here and would not open anything there is never stored (`gateway.flow.consents.taking`).
"""

from collections.abc import Callable, Iterator

from gateway.formats.consent_paper.reader import Reader, short
from gateway.formats.consent_paper.signing import unsigned
from gateway.formats.consent_paper.statements import TPO, unstated
from gateway.model.consent_form import EVERYTHING, INFORMATION, PURPOSES, ConsentForm, FormKind, Shortcoming
from gateway.model.partner import JUSTICE_ROLES

_SINGLE_TPO = frozenset({"treatment", "payment", "operations"})
_ONLY_OF: dict[FormKind, frozenset[str]] = {
    "proceedings": frozenset({"proceeding"}),
    "criminal-justice-referral": frozenset({"monitoring"}),
}
"""Purposes that one kind of form has alone, and no other kind may have (42 CFR 2.31(d), 2.35)."""
_LONGEST_TEXT = 500


def shortcomings(form: ConsentForm, reader: Reader) -> tuple[Shortcoming, ...]:
    """Return everything that keeps a form from being taken, in the order of the rule; empty = complete.

    A refusal ("no") needs to say whose records and of which program, and nothing else: who does not consent is asked
    for no form.
    """
    checks = _OF_A_REFUSAL if form.outcome == "refused" else _OF_A_CONSENT
    return tuple(found for check in checks for found in check(form, reader))


def _patient(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.patient_id:
        yield short("EL_PATIENT", "(a)(1)", "Say whose records these are: choose a person of the index.")


def _disclosers(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.disclosers:
        yield short("EL_DISCLOSER", "(a)(2)", "Say who may disclose: choose at least one program.")
    yield from _unknown("EL_DISCLOSER", "(a)(2)", form.disclosers, reader)


def _information(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if form.kind == "counseling-notes":
        if form.information:
            yield short("COMBINED_NOTES", "(b)", "A form for counseling notes names nothing else: use a second form.")
        return
    if not form.information:
        yield short("EL_INFO", "(a)(3)", "Say what may be disclosed: all of it, or at least one kind.")
    if unknown := set(form.information) - set(INFORMATION):
        yield short("EL_INFO", "(a)(3)", f"{len(unknown)} of the chosen kinds of information are not of this form.")
    if EVERYTHING in form.information and len(form.information) > 1:
        yield short("EL_INFO", "(a)(3)", "Choose either all records or single kinds, not both.")


def _recipients(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    to = form.recipients
    if not (to.named or to.treating_class or to.intermediary):
        yield short("EL_RECIPIENT", "(a)(4)", "Say to whom: name at least one recipient, or choose the class.")
    yield from _known_recipients(form, reader)
    if to.treating_class and not _SINGLE_TPO.issuperset(form.purposes):
        yield short(
            "EL_RECIPIENT", "(a)(4)(i)", "The class of recipients is for treatment, payment and operations only."
        )
    if set(form.disclosers) & {*to.named, *to.participants}:
        yield short("EL_RECIPIENT", "(a)(4)", "A program needs no consent to tell itself: take it off the recipients.")


def _known_recipients(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    to = form.recipients
    yield from _unknown("EL_RECIPIENT", "(a)(4)", (*to.named, *to.participants), reader)


def _intermediary(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    to = form.recipients
    if to.participants and not to.intermediary:
        yield short("EL_INTERMEDIARY", "(a)(4)(ii)", "Name the intermediary that passes on to these participants.")
    if not to.intermediary:
        return
    through = reader.registry.get(to.intermediary)
    if through is None or not through.is_intermediary(reader.at):
        yield short(
            "EL_INTERMEDIARY", "(a)(4)(ii)", "Choose an organization that the registry knows as an intermediary."
        )
    elif set(to.participants) - through.members:
        yield short("EL_INTERMEDIARY", "(a)(4)(ii)", "Name only participants that are members of the intermediary.")


def _purposes(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    chosen = set(form.purposes)
    if not chosen:
        yield short("EL_PURPOSE", "(a)(5)", "Say for what: choose at least one purpose.")
    if unknown := chosen - set(PURPOSES):
        yield short("EL_PURPOSE", "(a)(5)", f"{len(unknown)} of the chosen purposes are not of this form.")
    own = _ONLY_OF.get(form.kind, frozenset())
    if own and chosen and chosen != own:
        yield short("EL_PURPOSE", "(a)(5)", f"This form is for one purpose only: {', '.join(own)}.")
    elif not own and chosen & frozenset().union(*_ONLY_OF.values()):
        yield short("COMBINED_PROCEEDING", "(d)", "A proceeding, or watching over a condition, has a form of its own.")


def _proceedings(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if form.kind == "proceedings" and not form.proceeding.strip():
        yield short("EL_PURPOSE", "(d)", "Say which proceeding the records may be used in.")


def _fundraising(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not any("fundraising" in one.roles for one in reader.known(form.recipients.named)):
        return
    if form.wants_fundraising is None:
        yield short("EL_PURPOSE", "(a)(5)(iii)", "Ask whether the person wants fundraising, and write it down.")
    elif not form.wants_fundraising:
        yield short("EL_PURPOSE", "(a)(5)(iii)", "The person wants no fundraising: take off who does it.")


def _expiry(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    on, event = form.expiry.on, form.expiry.event
    if on is None and not event:
        yield short("EL_EXPIRY", "(a)(7)", "Say when it ends: a date, or an event the purpose allows.")
    if on is not None and event:
        yield short("EL_EXPIRY", "(a)(7)", "Choose either a date or an event, not both.")
    if on is not None and on < reader.at.date():
        yield short("EL_EXPIRY", "(a)(7)", "The date it ends with is over.")
    if not event:
        return
    if form.kind == "criminal-justice-referral":
        yield short("EL_EXPIRY", "2.35(b)", "This form states its period: choose a date.")
    elif event == "end-of-research-study" and set(form.purposes) != {"research"}:
        yield short("EL_EXPIRY", "(a)(7)", "Only a consent for research may end with a study.")
    elif event != "end-of-research-study" and not TPO.issuperset(form.purposes):
        yield short("EL_EXPIRY", "(a)(7)", "Only a consent for treatment, payment or operations may end with no date.")


def _criminal_justice(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    bound = form.criminal_justice
    if form.kind != "criminal-justice-referral":
        if bound is not None:
            yield short("CJ_NOT_ELIGIBLE", "2.35", "Only the form of 42 CFR 2.35 binds the person to a period.")
        return
    if bound is None:
        yield short("CJ_NOT_ELIGIBLE", "2.35(a)", "Say what treatment is a condition of: disposition, parole, release.")
    elif bound.revocable_from is None:
        yield short("EL_REVOCATION", "2.35(c)", "Say from which day on it can be taken back.")
    elif form.expiry.on is not None and bound.revocable_from > form.expiry.on:
        yield short("EL_REVOCATION", "2.35(c)", "It must be possible to take it back before it ends.")
    to = form.recipients
    strangers = [one for one in reader.known(to.named) if not one.roles & JUSTICE_ROLES]
    if strangers or to.treating_class or to.intermediary:
        yield short("CJ_NOT_ELIGIBLE", "2.35(a)", "Name only those who supervise: a court, probation or a prosecutor.")


def _lengths(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    texts = [form.proceeding]
    for one in form.signatures:
        texts += [one.signer.name, one.signer.document, one.device, one.witness]
    if form.criminal_justice is not None:
        texts.append(form.criminal_justice.revocable_event)
    if form.interpreter is not None:
        texts += [form.interpreter.name, form.interpreter.language]
    if any(len(text) > _LONGEST_TEXT for text in texts):
        yield short("TOO_LONG", "(a)", f"A text of the form is longer than {_LONGEST_TEXT} characters.")


def _unknown(element: str, rule: str, ids: tuple[str, ...], reader: Reader) -> Iterator[Shortcoming]:
    if missing := sum(one not in reader.registry for one in ids):
        yield short(element, rule, f"{missing} of the chosen organizations are not in the registry.")


_Check = Callable[[ConsentForm, Reader], Iterator[Shortcoming]]
_OF_A_REFUSAL: tuple[_Check, ...] = (_patient, _disclosers, _known_recipients, _lengths)
_OF_A_CONSENT: tuple[_Check, ...] = (
    _patient, _disclosers, _information, _recipients, _intermediary, _purposes, _proceedings, _fundraising, unstated,
    _expiry, _criminal_justice, unsigned, _lengths,
)  # fmt: skip
