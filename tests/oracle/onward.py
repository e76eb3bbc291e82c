"""A copy in the hands of somebody after its Part 2 origin. 42 CFR 2.33(b), (c), 2.34, 2.35(d), 2.52(b), 2.53(a).

Every hop of its way binds it: what was released for research, audit, a service, an emergency or a contract goes on
to nobody by way of whoever got it from there, and a covered entity has the freedom of 2.33(b)(1) only where it got
the record under a consent of the person, or from one that had this freedom.
"""

from tests.oracle import papers, purposes
from tests.oracle.by_consents import by_consents, cannot_rely, unless_refused
from tests.oracle.matter import Matter, Word, no, unordered, yes
from tests.oracle.reading import NOTES, Hop, Item
from tests.oracle.receivers import TREATING, extra_receivers

_NEVER_ONWARD = {"research", "audit", "qso", "emergency", "contract"}
_IN_TRUST = {"central-registry", "criminal-justice-referral", "unreadable"}
BOUND = _NEVER_ONWARD | _IN_TRUST
_BARRED = ("REDISCLOSURE_BARRED", "REGISTRY_USE_BARRED", "LE_NO_BASIS", "SUBPOENA_ALONE")


def onward_disclosure(matter: Matter, item: Item, origin: str, onward: list[Hop]) -> Word:
    """Decide a copy that somebody holds after the origin."""
    if stopped := cannot_rely(matter):
        return unordered(stopped, *_BARRED, "CONSENT_SOURCE_UNAVAILABLE", "UNPARSEABLE")
    kinds = {kind_of_hop(matter, one) for one in onward}
    if _IN_TRUST & kinds:
        first = "REGISTRY_USE_BARRED" if "central-registry" in kinds else "REDISCLOSURE_BARRED"
        return no(10, first, *(["REDISCLOSURE_BARRED"] if len(_IN_TRUST & kinds) > 1 else []))
    if matter.law_enforcement:
        return no(10, "LE_NO_BASIS")
    if purposes.LEGAL in matter.ask.purposes:
        return no(12, "SUBPOENA_ALONE", "REDISCLOSURE_BARRED")
    if _NEVER_ONWARD & kinds:
        return no(10, "REDISCLOSURE_BARRED")
    return _by_the_table(matter, item, origin, onward)


def kind_of_hop(matter: Matter, hop: Hop) -> str:
    """Return what a hop was: the kind of the consent it was under, whose ever that is, or its code.

    What nobody can read may have been of any kind, also where it was replaced since.
    """
    if not hop.under.startswith("Consent/"):
        return hop.under.replace("_", "-")
    under = next((one for one in matter.existing if f"Consent/{one['id']}" == hop.under), None)
    if under is not None and not papers.is_readable(under):
        return "unreadable"
    return papers.kind_of(under) if under else "unknown"


def _by_the_table(matter: Matter, item: Item, origin: str, onward: list[Hop]) -> Word:
    """Apply the table of 2.33(b) to who holds the copy now."""
    last = onward[-1]
    under = next((one for one in matter.papers if f"Consent/{one['id']}" == last.under), None)
    notes = NOTES in item.stated_labels
    if _is_free(matter, onward) and _stays_in_care(matter) and not notes:
        return unless_refused(matter, item, yes(10, "OK_HIPAA_REDISCLOSURE", "LABEL", "PROCEEDINGS_BAR"))
    if under and matter.partners.is_program(last.custodian) and papers.is_single_tpo(under):
        return by_consents(matter, item, origin, [under])
    if under and _is_for_a_contractor(matter, last) and not notes:
        return unless_refused(matter, item, yes(10, "OK_CONSENT", "NOTICE", "MIN", "LABEL"))
    if any(last.custodian in map(matter.partners.named, papers.disclosers(one)) for one in matter.papers):
        return by_consents(matter, item, last.custodian, matter.papers)
    return no(10, "REDISCLOSURE_BARRED")


def _is_free(matter: Matter, onward: list[Hop]) -> bool:
    """Say whether the last holder has the freedom of 2.33(b)(1): under a consent for care, or from one that had it."""
    free = False
    for hop in onward:
        for_care = bool(hop.reason) and all(map(purposes.is_tpo, hop.reason))
        given = [one for one in matter.theirs if one.get("status") in ("active", "inactive") and "patient" in one]
        lawful = any(f"Consent/{one['id']}" == hop.under for one in given) or (hop.under == "hipaa" and free)
        free = for_care and lawful and matter.partners.is_covered(hop.custodian)
    return free


def _stays_in_care(matter: Matter) -> bool:
    """Say whether it goes on for treatment, payment or operations, to those who may have it for them."""
    receivers = [matter.ask.recipient, *extra_receivers(matter.ask, None)]
    may_have = [matter.partners.is_covered(one) or matter.partners.roles(one) & TREATING for one in receivers]
    return all(map(purposes.is_tpo, matter.ask.purposes)) and all(may_have)


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
