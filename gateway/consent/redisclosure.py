"""Step 10: what a holder other than the Part 2 origin may pass on (42 CFR 2.33(b), (c); 2.34(c); 2.35(d)).

Every hop of a copy binds it, not only the last: nobody can pass on more than what came to them.
"""

from collections.abc import Sequence

from gateway.consent import obligations
from gateway.consent.kinds import CRIMINAL_JUSTICE, REGISTRY
from gateway.consent.outside_part2 import standing
from gateway.consent.purposes import is_payment_or_operations, is_single_tpo, is_tpo
from gateway.consent.reasons import Release, Withhold
from gateway.consent.recipients import relays_for
from gateway.consent.situation import Situation
from gateway.model.consent_directive import Directive
from gateway.model.decision import Basis
from gateway.model.labeled import Hop, Item
from gateway.model.labels import COUNSELING_NOTES
from gateway.model.partner import Organization

STEP = 1000

_BARRED = Withhold("REDISCLOSURE_BARRED", STEP)
_NEVER_ONWARD = frozenset({"research", "audit", "qso", "emergency", "contract"})
"""A copy held for these stays where it is, even if a consent names its holder as discloser."""
_GIVEN = frozenset({"active", "inactive"})
"""A consent in another status was never given, or by mistake."""


def is_bound(item: Item, situation: Situation) -> bool:
    """Say whether an item is a copy that stays with what it was given for, in whosever hands it has come."""
    hops = item.origin.after
    return _given_in_trust(item, situation) is not None or any(one.code in _NEVER_ONWARD for one in hops)


def _given_in_trust(item: Item, situation: Situation) -> Withhold | None:
    """Return why a copy given for a central registry or to a court may not go at all (42 CFR 2.34(c), 2.35(d)).

    A consent that nobody can read may have been one to a court, whatever has taken its place since.
    """
    for hop in item.origin.after:
        under = _consent(hop, situation)
        if hop.code == "central_registry" or (under is not None and REGISTRY in under.kinds):
            return Withhold("REGISTRY_USE_BARRED", STEP)
        if under is not None and (CRIMINAL_JUSTICE in under.kinds or not under.readable):
            return _BARRED
    return None


def onward(item: Item, situation: Situation) -> Release | Withhold | tuple[Organization, Directive | None]:
    """Decide a copy by the table of 2.33: it goes, it does not, or its consents decide.

    The pair (discloser, only consent) means: go on with the consents, as disclosed by that organization.
    """
    barred = _given_in_trust(item, situation)
    if barred is not None:
        return barred
    if situation.recipient.is_law_enforcement:
        return Withhold("LE_NO_BASIS", STEP)
    holder, program = item.origin.discloser, item.origin.program
    if holder is None or program is None or is_bound(item, situation):
        return _BARRED
    is_free = COUNSELING_NOTES not in item.labels and _follows_hipaa(item.origin.after, situation)
    if is_free and _stays_with_care(situation):
        owed = obligations.REDISCLOSURE | obligations.of_author(item)
        released = Release("OK_HIPAA_REDISCLOSURE", STEP, owed, None, "tpo", yields=True)
        return standing(released, item, situation)
    return _on_a_consent(item, holder, program, situation)


def _on_a_consent(
    item: Item, holder: Organization, program: Organization, situation: Situation
) -> Release | Withhold | tuple[Organization, Directive | None]:
    """Decide a copy by the consent it was received under, else by one that names its holder as discloser."""
    hop = item.origin.after[-1]
    under = _consent(hop, situation)
    if under is not None and not any(under is one for one in situation.directives):
        under = None  # another person's, or replaced since: it opens nothing here
    if under is not None and holder.is_program(situation.at) and _is_single_tpo(under):
        return program, under
    is_notes = COUNSELING_NOTES in item.labels
    if under is not None and not is_notes and _is_contractor(hop, holder, situation):
        basis = Basis("Consent", under.id, under.version)
        owed = obligations.CONTRACTOR | obligations.of_author(item)
        return standing(Release("OK_CONSENT", STEP, owed, basis, "consent", yields=True), item, situation)
    if _names_holder(holder, situation):
        return holder, None
    return _BARRED


def _consent(hop: Hop, situation: Situation) -> Directive | None:
    return situation.consents.get(hop.consent, situation.at) if hop.consent else None


def _follows_hipaa(hops: Sequence[Hop], situation: Situation) -> bool:
    """Say whether the last holder may do with it what HIPAA lets it (42 CFR 2.33(b)(1), 2.32(a)(1)).

    That is a covered entity or associate that got it for treatment, payment or operations, under a consent of the
    person or from one that had this freedom itself: a program cannot disclose as HIPAA allows.
    """
    is_free = False
    for hop in hops:
        is_lawful = _is_theirs(hop, situation) or (hop.code == "hipaa" and is_free)
        is_covered = hop.custodian is not None and hop.custodian.is_covered(situation.at)
        is_free = is_lawful and is_covered and bool(hop.purposes) and is_tpo(hop.purposes)
    return is_free


def _is_theirs(hop: Hop, situation: Situation) -> bool:
    """Say whether it was received under a consent that the person gave, also one that has ended or been replaced."""
    under = _consent(hop, situation)
    return under is not None and under.status in _GIVEN and not under.patient.isdisjoint(situation.patient_keys)


def _stays_with_care(situation: Situation) -> bool:
    """Say whether it goes on to covered entities, associates or providers, for treatment, payment or operations."""
    receivers = [one.organization for one in (situation.recipient, *situation.relays)]
    can_receive = all(one is not None and (one.is_covered(situation.at) or one.is_treating) for one in receivers)
    return can_receive and is_tpo(situation.request.purposes)


def _is_single_tpo(directive: Directive) -> bool:
    return any(is_single_tpo(grant.purposes) for grant in directive.grants)


def _is_contractor(hop: Hop, holder: Organization, situation: Situation) -> bool:
    """2.33(b)(3), (c): a payer that holds it for payment or operations, to its contractor under written contract."""
    recipient = situation.recipient.organization
    got_for_payment = bool(hop.purposes) and is_payment_or_operations(hop.purposes)
    return (
        got_for_payment
        and "payer" in holder.roles
        and recipient is not None
        and not relays_for(holder, situation)
        and bool(recipient.agreements_with(holder.id, "contract", situation.at))
        and is_payment_or_operations(situation.request.purposes)
    )


def _names_holder(holder: Organization, situation: Situation) -> bool:
    return any(
        party.organization == holder.id
        for directive in situation.directives
        for party in (*directive.disclosers, *(one for grant in directive.grants for one in grant.disclosers))
    )
