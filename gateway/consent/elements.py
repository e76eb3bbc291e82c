"""The elements of a written consent (42 CFR 2.31(a)): which one is missing first."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.consent.purposes import is_research, is_tpo, names_tpo
from gateway.consent.recipients import ClassMatch
from gateway.consent.signatures import is_duly_signed
from gateway.consent.situation import Situation
from gateway.model.consent_directive import Directive, Provision

CRIMINAL_JUSTICE = "criminal-justice-referral"


@dataclass(frozen=True, slots=True)
class _Form:
    """One permit of one form, with what its elements depend on."""

    directive: Directive
    path: tuple[Provision, ...]
    purposes: tuple[tuple[str, str], ...]
    match: ClassMatch
    situation: Situation


def first_missing(
    directive: Directive,
    path: tuple[Provision, ...],
    purposes: tuple[tuple[str, str], ...],
    match: ClassMatch,
    situation: Situation,
) -> str | None:
    """Return the first element the form lacks for this permit, e.g. "EL_EXPIRY", or None.

    A missing signature is named before the rest: an unsigned paper is no written consent, whatever it says.
    """
    form = _Form(directive, path, purposes, match, situation)
    return next((name for name, is_present in _ELEMENTS if not is_present(form)), None)


def _patient(form: _Form) -> bool:
    return bool(form.directive.patient)


def _discloser(form: _Form) -> bool:
    return bool(form.directive.disclosers) or any(one.disclosers for one in form.path)


def _information(form: _Form) -> bool:
    return any(one.states_information for one in form.path)


def _recipient(form: _Form) -> bool:
    return form.match.is_stated


def _intermediary(form: _Form) -> bool:
    """(a)(4)(ii): its participants too, by name or as those with a treating relationship, never "all"."""
    classes = {party.recipient_class for party in form.match.parties}
    if "all-participants" in classes or form.match.lacks_participants:
        return False
    return "treating-participants" not in classes or any(
        party.organization is not None and _is_intermediary(party.organization, form.situation)
        for party in form.match.parties
    )


def _covered_entity_statement(form: _Form) -> bool:
    """(a)(4)(iii): a TPO consent to a covered entity, business associate or class says what may follow."""
    if not _is_asked_about_tpo(form):
        return True
    has_covered = any(party.recipient_class or _is_covered(party.organization, form) for party in form.match.parties)
    return not has_covered or "ce-redisclosure-statement" in form.directive.statements


def _purpose(form: _Form) -> bool:
    """(a)(5); and for fundraising the choice not to get it, (a)(5)(iii)."""
    recipient = form.situation.recipient.organization
    is_fundraiser = recipient is not None and "fundraising" in recipient.roles
    if is_fundraiser and "fundraising-opt-out" not in form.directive.statements:
        return False
    return bool(form.purposes)


def _revocation(form: _Form) -> bool:
    """(a)(6), and for 2.35 the time from which it can be revoked, 2.35(c)."""
    directive = form.directive
    is_stated = "revocation-right" in directive.statements
    return is_stated and (CRIMINAL_JUSTICE not in directive.kinds or directive.revocable_from is not None)


def _expiry(form: _Form) -> bool:
    """(a)(7): a date, or an event the purpose allows; absence is never "none"."""
    directive = form.directive
    if directive.period[1] is not None:
        return True
    if CRIMINAL_JUSTICE in directive.kinds or not form.purposes:
        return False
    if directive.expiry in ("none", "end-of-treatment"):
        return is_tpo(form.purposes)
    return directive.expiry == "end-of-research-study" and is_research(form.purposes)


def _signature(form: _Form) -> bool:
    return is_duly_signed(form.directive, form.situation)


def _date(form: _Form) -> bool:
    return form.directive.dated is not None and form.directive.dated <= form.situation.at


def _tpo_statements(form: _Form) -> bool:
    """(a)(10): what may become of the records, and of a refusal."""
    if not _is_asked_about_tpo(form):
        return True
    return {"tpo-redisclosure-warning", "refusal-consequences"} <= form.directive.statements


def _is_asked_about_tpo(form: _Form) -> bool:
    return names_tpo(form.purposes) and CRIMINAL_JUSTICE not in form.directive.kinds


def _is_covered(identifier: str | None, form: _Form) -> bool:
    organization = form.situation.registry.get(identifier)
    return organization is not None and organization.is_covered(form.situation.at)


def _is_intermediary(identifier: str, situation: Situation) -> bool:
    organization = situation.registry.get(identifier)
    return organization is not None and organization.is_intermediary(situation.at)


_ELEMENTS: tuple[tuple[str, Callable[[_Form], bool]], ...] = (
    ("EL_SIGNATURE", _signature),
    ("EL_PATIENT", _patient),
    ("EL_DISCLOSER", _discloser),
    ("EL_INFO", _information),
    ("EL_RECIPIENT", _recipient),
    ("EL_INTERMEDIARY", _intermediary),
    ("EL_CE_STATEMENT", _covered_entity_statement),
    ("EL_PURPOSE", _purpose),
    ("EL_REVOCATION", _revocation),
    ("EL_EXPIRY", _expiry),
    ("EL_DATE", _date),
    ("EL_TPO_STATEMENTS", _tpo_statements),
)
