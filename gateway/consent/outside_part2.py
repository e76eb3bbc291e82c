"""Step 9: items no Part 2 program made or received. HIPAA, state law and the bar on criminal justice information."""

from gateway.consent import obligations
from gateway.consent.evaluate import by_consent, cannot_rely, explicit_refusal
from gateway.consent.own_access import as_patient
from gateway.consent.purposes import DUTY, LOCATE, is_treatment
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import ADULT_AGE, Situation
from gateway.model.labeled import Item
from gateway.model.labels import CRIMINAL_JUSTICE_INFORMATION

STEP = 900

STATE_ALLOWS: dict[tuple[str, str, str, tuple[str, str], bool], frozenset[str]] = {
    ("WA", "mental_health", "police", DUTY, True): frozenset({"Encounter"}),
}
"""(state, role of the author, role of the recipient, purpose, patient is a minor) -> resource types it may have.

RCW 70.02.240: of a minor, an officer on duty may learn the fact and the dates of admission and discharge, no more.
"""

_STATE_CLASSES = {("WA", "mental_health"): "STATE_MH"}
"""(state, role of the author) of information that law enforcement gets from STATE_ALLOWS only (RCW 70.02.230)."""

_LOCATING = frozenset({"Patient", "Encounter"})
"""45 CFR 164.512(f)(2): who, where, times of treatment. The type of injury stands in the Encounter's reason."""


def outside_part2(item: Item, situation: Situation) -> Release | Withhold:
    """Decide an item that is no Part 2 record."""
    if CRIMINAL_JUSTICE_INFORMATION in item.labels and obligations.of_author(item):
        return Withhold("CJI_BARRED", STEP)
    own = as_patient(situation)
    if own is not None:
        return own
    state = _by_state_law(item, situation) or _by_hipaa_basis(item, situation)
    if state is not None:
        return state
    if situation.recipient.is_law_enforcement:
        return Withhold("LE_NO_BASIS", STEP + 3)
    if _is_for_treatment(situation):
        return standing(_release(item, "OK_NOT_PART2", obligations.NOT_PART2), item, situation)
    return _agreed(item, situation)


def standing(release: Release, item: Item, situation: Situation) -> Release | Withhold:
    """Let a permit without consent stand only if no consent might refuse it: unreadable, unreachable or refusing."""
    return cannot_rely(situation) or explicit_refusal(item, situation) or release


def _release(item: Item, reason: str, owed: frozenset[str], yields: bool = True) -> Release:
    return Release(reason, STEP, owed | obligations.of_author(item), None, "non_part2", yields=yields)


def _is_for_treatment(situation: Situation) -> bool:
    """Say whether everybody who receives is a provider, and treats (45 CFR 164.506(c)(2))."""
    receivers = (situation.recipient, *situation.relays)
    are_providers = all(one.organization is not None and one.organization.is_treating for one in receivers)
    is_allowed = situation.switches.hipaa_treatment == "allow"
    return is_allowed and are_providers and is_treatment(situation.request.purposes)


def _by_state_law(item: Item, situation: Situation) -> Release | Withhold | None:
    if not situation.recipient.is_law_enforcement:
        return None
    organization = situation.recipient.organization
    roles = organization.roles if organization else frozenset({"police"})
    age = situation.person.age_at(situation.at) if situation.person else None
    is_minor = age is not None and age < ADULT_AGE
    for author in item.origin.authors:
        for role in author.roles if author else ():
            reason = _STATE_CLASSES.get((author.state or "", role)) if author else None
            if reason is None or author is None:
                continue
            allowed = [
                STATE_ALLOWS.get((author.state or "", role, recipient_role, purpose, is_minor), frozenset())
                for recipient_role in roles
                for purpose in situation.request.purposes
            ]
            if any(item.type in types for types in allowed):
                release = _release(item, "OK_NOT_PART2", obligations.TO_POLICE, yields=False)
                return standing(release, item, situation)
            return Withhold(reason, STEP + 1)
    return None


def _by_hipaa_basis(item: Item, situation: Situation) -> Release | Withhold | None:
    basis = situation.request.basis or {}
    recipient = situation.recipient
    if basis.get("type") == "hipaa_locate" and recipient.is_law_enforcement:
        if situation.request.purposes != (LOCATE,) or not basis.get("subject"):
            return None
        if item.type not in _LOCATING:
            return Withhold("MIN_NECESSARY", STEP + 2)
        return _release(item, "OK_HIPAA_512F", obligations.TO_POLICE, yields=False)
    if basis.get("type") == "lawful_custody" and basis.get("facility"):
        organization = recipient.organization
        if organization is not None and "jail_health" in organization.roles:
            return _release(item, "OK_HIPAA_512K5", obligations.NOT_PART2, yields=False)
    return None


def _agreed(item: Item, situation: Situation) -> Release | Withhold:
    """Let anybody else have it only by a consent of the person that is good in every element."""
    found = by_consent(item, item.origin.holder, situation)
    if isinstance(found, Withhold):
        return Withhold("NO_CONSENT", STEP + 4)
    owed = obligations.AGREED_OUTSIDE_PART2 | obligations.of_author(item)
    return Release(found.reason, STEP, owed, found.basis, "non_part2", yields=found.yields)
