"""What a filled form lacks, all at once: the elements of 42 CFR 2.31(a), and what one paper may not mix.

Written from the side of the paper. The engine reads the Consent made of it by itself and has the last word, so a form
that passes here and would not open anything there is never stored (`gateway.flow.consents`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from gateway.model.consent_form import EVERYTHING, INFORMATION, PURPOSES, STATEMENTS, ConsentForm, Shortcoming
from gateway.model.partner import JUSTICE_ROLES, Organization, Registry

ADULT_AGE = 18
_TPO = frozenset({"treatment", "payment", "operations", "coordination"})
_SINGLE_TPO = frozenset({"treatment", "payment", "operations"})
_OF_KIND = {"proceedings": frozenset({"proceeding"}), "criminal-justice-referral": frozenset({"monitoring"})}
"""Purposes that one kind of form asks for and no other kind may have."""
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Reader:
    """What a form is read with: the registry, the instant, and what is known of the person."""

    registry: Registry
    at: datetime
    born: date | None
    """The person's birth date, as far as it is known whole; None: taken to be of age."""
    minor_consent: int | Literal["parental"]
    """From which age a minor signs alone, or "parental" = both sign (42 CFR 2.14)."""


def shortcomings(form: ConsentForm, reader: Reader) -> tuple[Shortcoming, ...]:
    """Return everything that keeps a form from being taken, in the order of the rule; empty = complete.

    A refusal ("no") needs to say of whom, and nothing else: no form is asked of who does not consent.
    """
    checks = _OF_A_REFUSAL if form.outcome == "refused" else _OF_A_CONSENT
    return tuple(found for check in checks for found in check(form, reader))


def signs_alone(reader: Reader, signed: datetime) -> bool:
    """Say whether the person needs nobody beside them to sign: of age, or old enough under state law."""
    age = _age(reader.born, signed)
    if age is None or age >= ADULT_AGE:
        return True
    return reader.minor_consent != "parental" and age >= reader.minor_consent


def _patient(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.patient_id:
        yield _lacks("EL_PATIENT", "(a)(1)", "Say whose records these are: choose a person of the index.")


def _disclosers(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.disclosers:
        yield _lacks("EL_DISCLOSER", "(a)(2)", "Say who may disclose: choose at least one program.")
    yield from _unknown("EL_DISCLOSER", "(a)(2)", form.disclosers, reader)


def _information(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if form.kind == "counseling-notes":
        if form.information:
            yield _wrong("COMBINED_NOTES", "(b)", "A form for counseling notes names nothing else: use a second form.")
        return
    if not form.information:
        yield _lacks("EL_INFO", "(a)(3)", "Say what may be disclosed: all of it, or at least one kind.")
    if unknown := set(form.information) - set(INFORMATION):
        yield _wrong("EL_INFO", "(a)(3)", f"{len(unknown)} of the chosen kinds of information are not of this form.")
    if EVERYTHING in form.information and len(form.information) > 1:
        yield _wrong("EL_INFO", "(a)(3)", "Choose either all records or single kinds, not both.")


def _recipients(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    to = form.recipients
    if not (to.named or to.treating_class or to.intermediary):
        yield _lacks("EL_RECIPIENT", "(a)(4)", "Say to whom: name at least one recipient, or choose the class.")
    yield from _unknown("EL_RECIPIENT", "(a)(4)", (*to.named, *to.participants), reader)
    if to.treating_class and not _SINGLE_TPO.issuperset(form.purposes):
        yield _wrong(
            "EL_RECIPIENT", "(a)(4)(i)", "The class of recipients is for treatment, payment and operations only."
        )
    if set(form.disclosers) & {*to.named, *to.participants}:
        yield _wrong("EL_RECIPIENT", "(a)(4)", "A program needs no consent to tell itself: take it off the recipients.")


def _intermediary(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    to = form.recipients
    if to.participants and not to.intermediary:
        yield _lacks("EL_INTERMEDIARY", "(a)(4)(ii)", "Name the intermediary that passes on to these participants.")
    if not to.intermediary:
        return
    through = reader.registry.get(to.intermediary)
    if through is None or "intermediary" not in through.roles:
        yield _lacks(
            "EL_INTERMEDIARY", "(a)(4)(ii)", "Choose an organization that the registry knows as an intermediary."
        )
    elif set(to.participants) - set(through.members):
        yield _wrong("EL_INTERMEDIARY", "(a)(4)(ii)", "Name only participants that are members of the intermediary.")


def _purposes(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.purposes:
        yield _lacks("EL_PURPOSE", "(a)(5)", "Say for what: choose at least one purpose.")
    if unknown := set(form.purposes) - set(PURPOSES):
        yield _wrong("EL_PURPOSE", "(a)(5)", f"{len(unknown)} of the chosen purposes are not of this form.")
    own = _OF_KIND.get(form.kind, frozenset())
    if own and form.purposes and set(form.purposes) != own:
        yield _wrong("COMBINED_PROCEEDING", _RULE[form.kind], "This form has one purpose only: leave out the others.")
    others = {purpose for kind, purposes in _OF_KIND.items() if kind != form.kind for purpose in purposes}
    if others & set(form.purposes) and not own:
        yield _wrong("COMBINED_PROCEEDING", "(d)", "A proceeding or its supervision needs a form of its own.")


def _fundraising(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not any("fundraising" in one.roles for one in _known(form.recipients.named, reader)):
        return
    if form.wants_fundraising is None:
        yield _lacks("EL_PURPOSE", "(a)(5)(iii)", "Ask whether the person wants fundraising, and write it down.")
    elif not form.wants_fundraising:
        yield _wrong(
            "EL_PURPOSE", "(a)(5)(iii)", "The person wants no fundraising: take the fundraiser off the recipients."
        )


def _statements(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    """Ask a paper that is not ours for what it has to tell; ours tells it by itself."""
    if form.statements is None:
        return
    for name in needed_statements(form, reader.registry):
        if name not in form.statements:
            yield _lacks(*_STATEMENT[name])


def needed_statements(form: ConsentForm, registry: Registry) -> tuple[str, ...]:
    """Name what the paper has to tell the person, by STATEMENTS, for what was chosen on it."""
    needed = {"revocation-right"}
    if _TPO & set(form.purposes) and form.kind != "criminal-justice-referral":
        needed |= {"ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"}
    if any("fundraising" in one.roles for one in map(registry.get, form.recipients.named) if one):
        needed |= {"fundraising-opt-out"}
    return tuple(name for name in STATEMENTS if name in needed)


def _expiry(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    on, event = form.expiry.on, form.expiry.event
    if on is None and not event:
        yield _lacks("EL_EXPIRY", "(a)(7)", "Say when it ends: a date, or an event the purpose allows.")
    if on is not None and event:
        yield _wrong("EL_EXPIRY", "(a)(7)", "Choose either a date or an event, not both.")
    if on is not None and on < reader.at.date():
        yield _wrong("EL_EXPIRY", "(a)(7)", "The date it ends with is over.")
    if form.kind == "criminal-justice-referral" and event:
        yield _wrong("EL_EXPIRY", "2.35(b)", "This form states its period: choose a date.")
    elif event in ("none", "end-of-treatment") and not _TPO.issuperset(form.purposes):
        yield _wrong("EL_EXPIRY", "(a)(7)", "Only a consent for treatment, payment or operations may end with no date.")
    elif event == "end-of-research-study" and set(form.purposes) != {"research"}:
        yield _wrong("EL_EXPIRY", "(a)(7)", "Only a consent for research may end with a study.")


def _signature(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if not form.signatures:
        yield _lacks("EL_SIGNATURE", "(a)(8)", "The form is not signed.")
        return
    for one in form.signatures:
        yield from _evidence(one.signer.name, one.at, reader)
        if one.method == "drawn" and not one.strokes:
            yield _lacks("EL_SIGNATURE", "(a)(8)", "The signature is to be drawn, and nothing was drawn.")
        if one.signer.capacity in ("guardian", "personal-representative") and not one.signer.document.strip():
            yield _lacks("EL_SIGNATURE", "2.15", "Say what shows the right to sign for the person.")
    yield from _capacities(form, reader)


def _evidence(name: str, at: datetime, reader: Reader) -> Iterator[Shortcoming]:
    if not name.strip():
        yield _lacks("EL_SIGNATURE", "(a)(8)", "Write the name of who signs.")
    if at > reader.at:
        yield _lacks("EL_DATE", "(a)(9)", "The date of signing is yet to come.")


def _capacities(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    """Check that those signed whom 42 CFR 2.14 and 2.15 ask for."""
    capacities = {one.signer.capacity for one in form.signatures}
    signed = min(one.at for one in form.signatures)
    age = _age(reader.born, signed)
    if age is not None and age < ADULT_AGE:
        if "patient" not in capacities:
            yield _lacks("EL_SIGNATURE", "2.14", "A minor signs for themselves, also where a parent signs too.")
        if not signs_alone(reader, signed) and not capacities & {"parental", "guardian"}:
            yield _lacks("EL_SIGNATURE", "2.14", "At this age a parent or guardian signs too.")
    elif "parental" in capacities:
        yield _wrong("EL_SIGNATURE", "2.14", "A parent does not sign for a person who is of age.")
    if "director-determination" in capacities and set(form.purposes) != {"payment"}:
        yield _wrong("EL_SIGNATURE", "2.15(a)(2)", "A program director may consent for payment only.")


def _criminal_justice(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if form.kind != "criminal-justice-referral":
        if form.criminal_justice is not None:
            yield _wrong("CJ_NOT_ELIGIBLE", "2.35", "Only the form of 42 CFR 2.35 binds the person to a period.")
        return
    bound = form.criminal_justice
    if bound is None:
        yield _lacks(
            "CJ_NOT_ELIGIBLE", "2.35(a)", "Say what treatment is a condition of: disposition, parole, release."
        )
    elif bound.revocable_from is None:
        yield _lacks("EL_REVOCATION", "2.35(c)", "Say from which day on it can be taken back.")
    elif form.expiry.on is not None and bound.revocable_from > form.expiry.on:
        yield _wrong("EL_REVOCATION", "2.35(c)", "It must be possible to take it back before it ends.")
    to = form.recipients
    strangers = [one for one in _known(to.named, reader) if not one.roles & JUSTICE_ROLES]
    if strangers or to.treating_class or to.intermediary:
        yield _wrong("CJ_NOT_ELIGIBLE", "2.35(a)", "Name only those who supervise: a court, probation or a prosecutor.")


def _proceedings(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    if form.kind == "proceedings" and not form.proceeding.strip():
        yield _lacks("EL_PURPOSE", "(d)", "Say which proceeding the records may be used in.")


def _supersedes(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    texts = [form.proceeding, *(text for one in form.signatures for text in (one.signer.name, one.signer.document))]
    if form.criminal_justice is not None:
        texts.append(form.criminal_justice.revocable_event)
    if any(len(text) > _LONGEST_TEXT for text in texts):
        yield _wrong("TOO_LONG", "(a)", f"A text of the form is longer than {_LONGEST_TEXT} characters.")


_Check = Callable[[ConsentForm, Reader], Iterator[Shortcoming]]
_OF_A_REFUSAL: tuple[_Check, ...] = (_patient, _disclosers)
_OF_A_CONSENT: tuple[_Check, ...] = (
    _patient, _disclosers, _information, _recipients, _intermediary, _purposes, _proceedings, _fundraising, _statements,
    _expiry, _criminal_justice, _signature, _supersedes,
)  # fmt: skip

_RULE = {"proceedings": "(d)", "criminal-justice-referral": "2.35"}
_STATEMENT = {
    "revocation-right": ("EL_REVOCATION", "(a)(6)", "The paper does not say that and how it can be taken back."),
    "ce-redisclosure-statement": (
        "EL_CE_STATEMENT", "(a)(4)(iii)", "The paper does not say what covered entities may do with the records.",
    ),
    "tpo-redisclosure-warning": (
        "EL_TPO_STATEMENTS", "(a)(10)(i)", "The paper does not warn that records may be passed on.",
    ),
    "refusal-consequences": (
        "EL_TPO_STATEMENTS", "(a)(10)(ii)", "The paper does not say what follows from not signing.",
    ),
    "fundraising-opt-out": (
        "EL_PURPOSE", "(a)(5)(iii)", "The paper does not offer the choice against fundraising.",
    ),
}  # fmt: skip


def _unknown(element: str, rule: str, ids: tuple[str, ...], reader: Reader) -> Iterator[Shortcoming]:
    if missing := sum(one not in reader.registry for one in ids):
        yield _wrong(element, rule, f"{missing} of the chosen organizations are not in the registry.")


def _known(ids: tuple[str, ...], reader: Reader) -> list[Organization]:
    return [one for one in map(reader.registry.get, ids) if one is not None]


def _age(born: date | None, at: datetime) -> int | None:
    if born is None:
        return None
    had_birthday = (at.month, at.day) >= (born.month, born.day)
    return at.year - born.year - (0 if had_birthday else 1)


def _lacks(element: str, rule: str, words: str) -> Shortcoming:
    return Shortcoming(element, _cited(rule), words)


_wrong = _lacks


def _cited(rule: str) -> str:
    return f"42 CFR 2.31{rule}" if rule.startswith("(") else f"42 CFR {rule}"
