"""Step 13: read every consent of the person by itself, and say for each item which one lets it go, or why none does.

Refusals first: one that applies beats every permit, whatever the dates (part2-rules section 7). Each permit stands
alone; elements of two deficient forms are never added up. The order of the input never matters.
"""

from gateway.consent.consent_checks import Reading, read_permit
from gateway.consent.kinds import CRIMINAL_JUSTICE, NOTES, REGISTRY
from gateway.consent.obligations import of_consent
from gateway.consent.provisions import covers_item, is_about_content, refuses
from gateway.consent.purposes import is_single_tpo, is_tpo
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

DOCUMENTS = frozenset({"DocumentReference", "Binary", "Composition", "Media", "DiagnosticReport"})


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
            is_part = item.type in DOCUMENTS and is_about_content(refusal)
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
            return _release(reading, item)
        failures.append(failure)
    stage, reason, holds = max(failures, key=lambda one: (one[0], one[1], one[2]))
    return Withhold(reason, STEP + 5 + stage, holds)


def _readings(
    discloser: Organization | None, situation: Situation, only: Directive | None
) -> tuple[list[Reading], tuple[int, str, bool] | None]:
    """Read every permit once for this discloser; the same for all items, so kept in the situation's memory."""
    key = (discloser.id if discloser else None, only.reference if only else None)
    if key not in situation.memory:
        results = [
            read_permit(directive, grant, discloser, situation)
            for directive in ((only,) if only else situation.directives)
            for grant in directive.grants
        ]
        good = [one for one in results if isinstance(one, Reading)]
        bad = [one for one in results if not isinstance(one, Reading)]
        situation.memory[key] = good, max(bad, default=None)
    found: tuple[list[Reading], tuple[int, str, bool] | None] = situation.memory[key]
    return found


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


def _release(reading: Reading, item: Item) -> Release:
    directive, match, situation = reading.directive, reading.match, reading.situation
    recipient = situation.recipient.organization
    is_class = bool(match.by_class)
    is_covered = recipient is not None and recipient.is_covered(situation.at)
    is_program = recipient is not None and recipient.is_program(situation.at)
    for_tpo = is_tpo(situation.request.purposes)
    may_redisclose = for_tpo and (is_covered or (is_program and is_single_tpo(reading.grant.purposes)))
    obligations = of_consent(situation.request.purposes, item)
    if not may_redisclose:
        obligations |= {"NO_REDISCLOSE"}
    if match.intermediary is not None and is_class:
        obligations |= {"INTERMEDIARY_LOG"}
    return Release(
        reason=_reason(reading),
        step=STEP,
        obligations=obligations,
        basis=Basis("Consent", directive.id, directive.version),
        release=_release_class(directive, may_redisclose),
        yields=for_tpo,
    )


def _reason(reading: Reading) -> str:
    if CRIMINAL_JUSTICE in reading.directive.kinds:
        return "OK_CJ_REFERRAL"
    if REGISTRY in reading.directive.kinds:
        return "OK_REGISTRY"
    if reading.match.intermediary is not None:
        return "OK_INTERMEDIARY"
    return "OK_TPO" if any(how == "tpo" for _, how in reading.match.by_class) else "OK_CONSENT"


def _release_class(directive: Directive, may_redisclose: bool) -> str:
    if directive.kinds & {CRIMINAL_JUSTICE, REGISTRY}:
        return "bound"
    return "tpo" if may_redisclose else "consent"
