"""The kinds of consent, and what each paper lacks or mixes by itself (42 CFR 2.31)."""

from collections.abc import Iterator
from datetime import date

from gateway.consent.purposes import LEGAL, Purpose, is_research, is_tpo, names_legal, names_tpo
from gateway.model.consent_directive import Directive, Grant
from gateway.model.labels import COUNSELING_NOTES

PART2 = "part2"
CRIMINAL_JUSTICE = "criminal-justice-referral"
PROCEEDINGS = "proceedings"
REGISTRY = "central-registry"
NOTES = "sud-counseling-notes"
GENERAL = "hipaa-authorization"

FIRST_CURRENT_FORM = date(2024, 4, 16)
"""Forms of earlier editions lack statements of the 2024 rule (89 FR 12472)."""
STATEMENTS_OF_2024 = frozenset({"EL_CE_STATEMENT", "EL_TPO_STATEMENTS"})

_TPO_STATEMENTS = frozenset({"tpo-redisclosure-warning", "refusal-consequences"})


def is_legacy_form(directive: Directive) -> bool:
    """Say whether the form is of an edition before the 2024 rule; no stated edition is a current form."""
    return directive.form_edition is not None and directive.form_edition < FIRST_CURRENT_FORM


def mixes_notes(kinds: frozenset[str], grants: tuple[Grant, ...]) -> bool:
    """Say whether the form mixes counseling notes with anything else (42 CFR 2.31(b)(2)).

    A permit that names no label is for notes in a form of that kind, and for all else in any other.
    """
    is_own_kind = NOTES in kinds
    speaks_of_notes = is_own_kind or any(COUNSELING_NOTES in one.labels for one in grants)
    others = (one for one in grants if not _is_of_notes_only(one) and not (is_own_kind and _names_no_label(one)))
    return speaks_of_notes and (bool(kinds - {NOTES}) or any(others))


def _names_no_label(grant: Grant) -> bool:
    return all(not one.labels and one.confidentiality is None for one in grant.provisions)


def _is_of_notes_only(grant: Grant) -> bool:
    """Say whether one of the provisions of a permit, which all must match, names notes and nothing beside them."""
    return any(one.labels == {COUNSELING_NOTES} and one.confidentiality is None for one in grant.provisions)


def mixes_proceedings(kinds: frozenset[str], grants: tuple[Grant, ...]) -> bool:
    """Say whether the form mixes a use in proceedings with anything else (42 CFR 2.31(d))."""
    stated = {purpose for grant in grants for one in grant.provisions for purpose in one.purposes}
    is_own_kind = PROCEEDINGS in kinds
    return (is_own_kind or names_legal(stated)) and (not LEGAL.issuperset(stated) or (is_own_kind and len(kinds) > 1))


def lacking(directive: Directive, grant: Grant) -> Iterator[str]:
    """Name the elements of 42 CFR 2.31(a) that the paper lacks for one of its permits, whoever asks.

    What it must say once, as a paper, goes by the purposes of all its permits: one form for treatment and for something
    else is a form for treatment, and no event suffices for it that would not for the something else (2.31(c)(2)).
    """
    is_criminal_justice = CRIMINAL_JUSTICE in directive.kinds
    purposes = tuple(purpose for one in directive.grants for purpose in one.purposes)
    if not directive.patient:
        yield "EL_PATIENT"
    if not directive.disclosers and not grant.disclosers:
        yield "EL_DISCLOSER"
    if not grant.states_information:
        yield "EL_INFO"
    if not grant.purposes:
        yield "EL_PURPOSE"
    if "revocation-right" not in directive.statements or (is_criminal_justice and directive.revocable_from is None):
        yield "EL_REVOCATION"
    if not _states_expiry(directive, purposes):
        yield "EL_EXPIRY"
    if names_tpo(purposes) and not is_criminal_justice and not directive.statements >= _TPO_STATEMENTS:
        yield "EL_TPO_STATEMENTS"


def _states_expiry(directive: Directive, purposes: tuple[Purpose, ...]) -> bool:
    """(a)(7): a date, or an event the purpose allows; absence is never "none". 2.35(b) wants the period itself."""
    if directive.period[1] is not None:
        return True
    if CRIMINAL_JUSTICE in directive.kinds or not purposes:
        return False
    if directive.expiry in ("none", "end-of-treatment"):
        return is_tpo(purposes)
    return directive.expiry == "end-of-research-study" and is_research(purposes)
