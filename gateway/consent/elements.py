"""The elements of a written consent (42 CFR 2.31(a)): which one is missing first.

What the paper itself lacks is read once, when the consent is compiled; what depends on who asks and when (signature,
recipient, date, what a covered entity must be told) is looked at for each decision.
"""

from gateway.consent.kinds import CRIMINAL_JUSTICE, STATEMENTS_OF_2024, is_legacy_form
from gateway.consent.purposes import names_tpo
from gateway.consent.recipients import ClassMatch
from gateway.consent.signatures import is_duly_signed
from gateway.consent.situation import Situation
from gateway.model.consent_directive import Directive, Grant

ORDER = (
    "EL_SIGNATURE",
    "EL_PATIENT",
    "EL_DISCLOSER",
    "EL_INFO",
    "EL_RECIPIENT",
    "EL_INTERMEDIARY",
    "EL_CE_STATEMENT",
    "EL_PURPOSE",
    "EL_REVOCATION",
    "EL_EXPIRY",
    "EL_DATE",
    "EL_TPO_STATEMENTS",
)
"""The order in which missing elements are named. A missing signature comes first: an unsigned paper is no written
consent, whatever it says."""


def first_missing(directive: Directive, grant: Grant, match: ClassMatch, situation: Situation) -> str | None:
    """Return the first element the form lacks for this permit and request, e.g. "EL_EXPIRY", or None.

    A legacy form, where a site accepts one, is not asked for the statements the rule did not know then.
    """
    missing = set(grant.lacks)
    is_legacy = is_legacy_form(directive)
    if is_legacy:
        missing -= STATEMENTS_OF_2024
    if situation.names_another(directive.patient):
        missing.add("EL_PATIENT")
    if not is_duly_signed(directive, situation):
        missing.add("EL_SIGNATURE")
    if not match.is_stated:
        missing.add("EL_RECIPIENT")
    if grant.parties and not _names_participants(grant, match, situation):
        missing.add("EL_INTERMEDIARY")
    if not is_legacy and not _tells_covered_entities(directive, situation):
        missing.add("EL_CE_STATEMENT")
    if not _offers_opt_out(directive, situation):
        missing.add("EL_PURPOSE")
    if directive.dated is None or directive.dated > situation.at:
        missing.add("EL_DATE")
    return next(name for name in ORDER if name in missing) if missing else None


def _names_participants(grant: Grant, match: ClassMatch, situation: Situation) -> bool:
    """(a)(4)(ii): an intermediary's participants too, by name or as those who treat, never "all"."""
    if match.lacks_participants:
        return False
    classes = {party.recipient_class for party in grant.parties if party.recipient_class}
    if not classes or "all-participants" in classes:
        return not classes
    return "treating-participants" not in classes or any(
        _is_intermediary(party.organization, situation) for party in grant.parties
    )


def _tells_covered_entities(directive: Directive, situation: Situation) -> bool:
    """(a)(4)(iii): a TPO consent to a covered entity, business associate or class says what may follow."""
    if "ce-redisclosure-statement" in directive.statements or CRIMINAL_JUSTICE in directive.kinds:
        return True
    parties = [party for grant in directive.grants if names_tpo(grant.purposes) for party in grant.parties]
    return not any(party.recipient_class or _is_covered(party.organization, situation) for party in parties)


def _offers_opt_out(directive: Directive, situation: Situation) -> bool:
    """(a)(5)(iii): a consent to fundraising offers the choice not to get it."""
    recipient = situation.recipient.organization
    is_fundraiser = recipient is not None and "fundraising" in recipient.roles
    return not is_fundraiser or "fundraising-opt-out" in directive.statements


def _is_covered(identifier: str | None, situation: Situation) -> bool:
    organization = situation.registry.get(identifier)
    return organization is not None and organization.is_covered(situation.at)


def _is_intermediary(identifier: str | None, situation: Situation) -> bool:
    organization = situation.registry.get(identifier)
    return organization is not None and organization.is_intermediary(situation.at)
