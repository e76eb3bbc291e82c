"""Step 9: items no Part 2 program made or received. HIPAA, state law and the bar on criminal justice information."""

from gateway.consent import obligations
from gateway.consent.evaluate import by_consent, cannot_rely, explicit_refusal
from gateway.consent.own_access import as_patient
from gateway.consent.purposes import LOCATE, is_for_custody, is_treatment
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation
from gateway.consent.state_law import by_state_law, rules_for
from gateway.model.labeled import Item
from gateway.model.labels import CRIMINAL_JUSTICE_INFORMATION

STEP = 900

_LOCATING = frozenset({"Patient", "Encounter"})
"""45 CFR 164.512(f)(2): who, where, times of treatment. The type of injury stands in the Encounter's reason."""


def criminal_history(item: Item) -> Withhold | None:
    """Return the bar on criminal justice information that police wrote down, in whosever hands it has come.

    28 CFR 20.33: no health record is a place for it, and neither is one of a Part 2 program.
    """
    is_barred = CRIMINAL_JUSTICE_INFORMATION in item.labels and obligations.of_author(item)
    return Withhold("CJI_BARRED", STEP) if is_barred else None


def outside_part2(item: Item, situation: Situation) -> Release | Withhold:
    """Decide an item that is no Part 2 record."""
    barred = criminal_history(item)
    if barred is not None:
        return barred
    own = as_patient(situation)
    if own is not None:
        return own
    rules = rules_for(item, situation)
    state = by_state_law(rules, item, situation)
    if isinstance(state, Withhold):
        return state if situation.recipient.is_law_enforcement else _agreed(item, situation, state)
    if rules and situation.recipient.is_law_enforcement:
        release = _release(item, "OK_NOT_PART2", obligations.TO_POLICE)
        return standing(release._replace(elements=state), item, situation)
    found = _by_hipaa(item, situation)
    return found._replace(elements=state) if isinstance(found, Release) else found


def _by_hipaa(item: Item, situation: Situation) -> Release | Withhold:
    invoked = _by_hipaa_basis(item, situation)
    if invoked is not None:
        return invoked
    if situation.recipient.is_law_enforcement:
        return Withhold("LE_NO_BASIS", STEP + 3)
    if _is_for_treatment(situation):
        return standing(_release(item, "OK_NOT_PART2", obligations.NOT_PART2, yields=True), item, situation)
    return _agreed(item, situation, Withhold("NO_CONSENT", STEP + 4))


def standing(release: Release, item: Item, situation: Situation) -> Release | Withhold:
    """Let a permit without consent stand only if no consent might refuse it: unreadable, unreachable or refusing."""
    return cannot_rely(situation) or explicit_refusal(item, situation) or release


def _release(item: Item, reason: str, owed: frozenset[str], yields: bool = False) -> Release:
    return Release(reason, STEP, owed | obligations.of_author(item), None, "non_part2", yields=yields)


def _is_for_treatment(situation: Situation) -> bool:
    """Say whether everybody who receives is a provider, and treats (45 CFR 164.506(c)(2))."""
    receivers = (situation.recipient, *situation.relays)
    are_providers = all(one.organization is not None and one.organization.is_treating for one in receivers)
    is_allowed = situation.switches.hipaa_treatment == "allow"
    return is_allowed and are_providers and is_treatment(situation.request.purposes)


def _by_hipaa_basis(item: Item, situation: Situation) -> Release | Withhold | None:
    basis = situation.request.basis or {}
    recipient = situation.recipient
    if basis.get("type") == "hipaa_locate" and recipient.is_law_enforcement:
        if situation.request.purposes != (LOCATE,) or not basis.get("subject"):
            return None
        if item.type not in _LOCATING:
            return Withhold("MIN_NECESSARY", STEP + 2)
        return _release(item, "OK_HIPAA_512F", obligations.TO_POLICE)
    if basis.get("type") == "lawful_custody" and basis.get("facility") and is_for_custody(situation.request.purposes):
        organization = recipient.organization
        if organization is not None and "jail_health" in organization.roles:
            return _release(item, "OK_HIPAA_512K5", obligations.NOT_PART2)
    return None


def _agreed(item: Item, situation: Situation, otherwise: Withhold) -> Release | Withhold:
    """Let anybody else have it only by a consent of the person that is good in every element."""
    found = by_consent(item, item.origin.holder, situation)
    if isinstance(found, Withhold):
        return otherwise
    owed = obligations.AGREED_OUTSIDE_PART2 | obligations.of_author(item)
    return Release(found.reason, STEP, owed, found.basis, "non_part2", yields=found.yields)
