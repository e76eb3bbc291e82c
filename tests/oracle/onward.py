"""A copy in the hands of somebody after its Part 2 origin. 42 CFR 2.33(b), (c), 2.34, 2.35(d)."""

from tests.oracle import papers, purposes
from tests.oracle.by_consents import by_consents, cannot_rely, unless_refused
from tests.oracle.matter import Matter, Word, no, yes
from tests.oracle.reading import NOTES, Hop, Item, Json, NotJudged
from tests.oracle.receivers import TREATING, extra_receivers

_NEVER_ONWARD = {"research", "audit", "qso", "emergency", "contract"}


def onward_disclosure(matter: Matter, item: Item, origin: str, onward: list[Hop]) -> Word:
    """Decide a copy that somebody holds after the origin."""
    ask, last = matter.ask, onward[-1]
    if len(onward) > 1 or ask.recipient in (last.custodian, *item.authors) or last.custodian in item.authors:
        raise NotJudged("a longer chain, or a copy that comes home")
    if cannot_rely(matter):
        raise NotJudged("a copy, and a paper that nobody can read")
    theirs = {f"Consent/{one['id']}": one for one in matter.papers}
    if last.under.startswith("Consent/") and last.under not in theirs:
        raise NotJudged("a copy received under a consent that is not here, not theirs, or replaced")
    under = theirs.get(last.under)
    if last.under == "central_registry" or (under and papers.kind_of(under) == "central-registry"):
        return no(10, "REGISTRY_USE_BARRED")
    if under and papers.kind_of(under) == "criminal-justice-referral":
        return no(10, "REDISCLOSURE_BARRED")
    if matter.law_enforcement:
        return no(10, "LE_NO_BASIS")
    if purposes.LEGAL in ask.purposes:
        return no(12, "SUBPOENA_ALONE", "REDISCLOSURE_BARRED")
    if not under and last.under not in _NEVER_ONWARD:
        raise NotJudged("a copy received under something else")
    if NOTES in item.stated_labels:
        raise NotJudged("counseling notes in other hands")
    if last.under == "emergency" and matter.partners.is_covered(last.custodian):
        raise NotJudged("whether HIPAA lets a hospital pass on what it got in an emergency")
    if under is None:
        return no(10, "REDISCLOSURE_BARRED")
    return _with_consent_behind_it(matter, item, origin, last, under)


def _with_consent_behind_it(matter: Matter, item: Item, origin: str, last: Hop, under: Json) -> Word:
    """Apply the table of 2.33(b) to a copy that was received under a consent."""
    if matter.partners.is_covered(last.custodian) and _stays_in_care(matter, last):
        return unless_refused(matter, item, yes(10, "OK_HIPAA_REDISCLOSURE", "LABEL", "PROCEEDINGS_BAR"))
    if matter.partners.is_program(last.custodian) and papers.is_single_tpo(under):
        return by_consents(matter, item, origin, [under])
    if _is_for_a_contractor(matter, last):
        return unless_refused(matter, item, yes(10, "OK_CONSENT", "NOTICE", "MIN", "LABEL"))
    if any(last.custodian in map(matter.partners.named, papers.disclosers(one)) for one in matter.papers):
        return by_consents(matter, item, last.custodian, matter.papers)
    return no(10, "REDISCLOSURE_BARRED")


def _stays_in_care(matter: Matter, last: Hop) -> bool:
    """Say whether a copy came for treatment, payment or operations and goes on for them, to those who may have it."""
    receivers = [matter.ask.recipient, *extra_receivers(matter.ask, None)]
    may_have = [matter.partners.is_covered(one) or matter.partners.roles(one) & TREATING for one in receivers]
    return bool(last.reason) and all(map(purposes.is_tpo, (*last.reason, *matter.ask.purposes))) and all(may_have)


def _is_for_a_contractor(matter: Matter, last: Hop) -> bool:
    """Say whether a payer passes it to its contractor, under contract, for payment or operations all the way."""
    kinds = (purposes.PAYMENT, purposes.OPERATIONS)
    for one in (*last.reason, *matter.ask.purposes):
        if not any(purposes.is_under(one, kind) for kind in kinds):
            return False
    if extra_receivers(matter.ask, last.custodian):
        return False
    agreed = matter.partners.agreement(matter.ask.recipient, "", "contract", last.custodian)
    return bool(last.reason) and "payer" in matter.partners.roles(last.custodian) and agreed is not None
