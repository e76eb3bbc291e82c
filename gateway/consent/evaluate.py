"""Step 13: read every consent of the person by itself, and say for each item which one lets it go, or why none does.

Refusals first: one that applies beats every permit, whatever the dates. Each permit stands
alone; elements of two deficient forms are never added up. The order of the input never matters.
"""

from gateway.consent.consent_checks import Reading, read_permit
from gateway.consent.kinds import CRIMINAL_JUSTICE, NOTES, REGISTRY
from gateway.consent.obligations import of_consent
from gateway.consent.provisions import covers_item, is_about_content, refuses
from gateway.consent.purposes import is_single_tpo, is_tpo, names_tpo
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation
from gateway.model.consent_directive import Directive
from gateway.model.decision import Basis
from gateway.model.labeled import Item
from gateway.model.labels import COUNSELING_NOTES
from gateway.model.partner import Organization

STEP = 1300
_ITEM_STAGES = 50
"""Stages that look at the item come after those that look at the consent alone."""

_DOCUMENTS = frozenset({"DocumentReference", "Binary", "Composition", "Media", "DiagnosticReport"})


def cannot_rely(situation: Situation) -> Withhold | None:
    """Return why the person's consents are no ground to stand on: one is unreadable, or a source is down."""
    if situation.is_unreadable:
        return Withhold("UNPARSEABLE", STEP)
    if "consent_source" in situation.facts.unavailable:
        return Withhold("CONSENT_SOURCE_UNAVAILABLE", STEP + 1)
    return None


def explicit_refusal(item: Item, situation: Situation) -> Withhold | None:
    """Return the refusal of any consent in force that applies to the item, or None."""
    for directive in situation.refusing:
        refusal = refuses(directive, item, situation)
        if refusal is not None:
            is_part = item.type in _DOCUMENTS and is_about_content(refusal)
            return Withhold("UNSEGMENTABLE" if is_part else "EXPLICIT_DENY", STEP + 4)
    return None


def by_consent(
    item: Item, discloser: Organization | None, situation: Situation, only: Directive | None = None
) -> Withhold | Release:
    """Decide an item by the person's consents, for one discloser; `only` = that consent and no other."""
    unreliable = cannot_rely(situation)
    if unreliable is not None:
        return unreliable
    if not situation.directives:
        has_others = situation.consents.any_at(situation.at)
        return Withhold("PATIENT_MISMATCH", STEP + 3) if has_others else Withhold("NO_CONSENT", STEP + 2)
    refusal = explicit_refusal(item, situation)
    if refusal is not None:
        return refusal
    good, farthest = _readings(discloser, situation, only)
    failures = [farthest] if farthest else []
    for reading in good:
        failure = _item_failure(reading, item)
        if failure is None:
            return _release(reading, item, situation)
        failures.append(failure)
    stage, reason, holds = max(failures)
    return Withhold(reason, STEP + 5 + stage, holds)


def _readings(
    discloser: Organization | None, situation: Situation, only: Directive | None
) -> tuple[list[Reading], tuple[int, str, bool] | None]:
    """Read every permit once for this discloser; the same for all items, so kept in the situation's memory."""
    key = (id(discloser), id(only))
    if key not in situation.memory:
        good, farthest = [], None
        for directive in (only,) if only else _permitting(situation.directives):
            for grant in directive.grants:
                found = read_permit(directive, grant, discloser, situation)
                if isinstance(found, Reading):
                    good.append(found)
                else:
                    farthest = found if farthest is None else max(farthest, found)
        situation.memory[key] = good, farthest
    readings: tuple[list[Reading], tuple[int, str, bool] | None] = situation.memory[key]
    return readings


def _permitting(directives: tuple[Directive, ...]) -> tuple[Directive, ...]:
    """Leave aside what permits nothing where anything does: a refusal of something else is no better form than a
    consent that only has to be asked about, and must not speak in its place."""
    return tuple(one for one in directives if any(grant.provisions for grant in one.grants)) or directives


def _item_failure(reading: Reading, item: Item) -> tuple[int, str, bool] | None:
    is_notes = COUNSELING_NOTES in item.labels
    directive = reading.directive
    if directive.mixes_notes:
        return _ITEM_STAGES, "COMBINED_NOTES", not is_notes
    if is_notes and NOTES not in directive.kinds:
        return _ITEM_STAGES + 1, "NOTES_NO_SPECIFIC", False
    if NOTES in directive.kinds and not is_notes:
        return _ITEM_STAGES + 1, "SCOPE_NOT_COVERED", False
    if not reading.grant.provisions or not covers_item(reading.grant.provisions, item):
        return _ITEM_STAGES + 1, "SCOPE_NOT_COVERED", False
    return None


def _release(reading: Reading, item: Item, situation: Situation) -> Release:
    directive, match, purposes = reading.directive, reading.match, situation.request.purposes
    may_redisclose = is_tpo(purposes) and _may_redisclose_tpo(reading, situation)
    obligations = of_consent(purposes, item)
    if not may_redisclose:
        obligations |= {"NO_REDISCLOSE"}
    if match.intermediary is not None and match.by_class:
        obligations |= {"INTERMEDIARY_LOG"}
    return Release(
        reason=_reason(reading),
        step=STEP,
        obligations=obligations,
        basis=Basis("Consent", directive.id, directive.version),
        release=_release_class(directive, may_redisclose),
        yields=names_tpo(purposes),
    )


def _may_redisclose_tpo(reading: Reading, situation: Situation) -> bool:
    """Say whether the recipient may pass on what it gets for TPO (42 CFR 2.33(b))."""
    recipient, at = situation.recipient.organization, situation.at
    if recipient is None:
        return False
    return recipient.is_covered(at) or (recipient.is_program(at) and is_single_tpo(reading.grant.purposes))


def _reason(reading: Reading) -> str:
    if CRIMINAL_JUSTICE in reading.directive.kinds:
        return "OK_CJ_REFERRAL"
    if REGISTRY in reading.directive.kinds:
        return "OK_REGISTRY"
    if reading.match.intermediary is not None:
        return "OK_INTERMEDIARY"
    return "OK_TPO" if "tpo" in [how for _, how in reading.match.by_class] else "OK_CONSENT"


def _release_class(directive: Directive, may_redisclose: bool) -> str:
    if CRIMINAL_JUSTICE in directive.kinds or REGISTRY in directive.kinds:
        return "bound"
    return "tpo" if may_redisclose else "consent"
