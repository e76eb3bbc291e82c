"""The decision: fifteen steps in the order of docs/consent-engine.md, the first that fails decides; default deny.

Steps 1 to 5 look at the whole request and end it; the others go item by item, so that one doubtful item never
blanks its neighbours. Pure: the clock is an argument, nothing is looked up outside the arguments, and equal input
gives an equal record.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.consent import redisclosure
from gateway.consent.asker import NOT_ENTITLED, may_send, must_hold
from gateway.consent.conclude import Finding, conclude, refuse_whole
from gateway.consent.deidentified import deidentified
from gateway.consent.evaluate import by_consent
from gateway.consent.facts import Facts
from gateway.consent.last_checks import can_arrive, labels_arrive, law_enforcement, passed_on_by_strangers, promised
from gateway.consent.outside_part2 import criminal_history, outside_part2
from gateway.consent.own_access import as_patient, inside_program
from gateway.consent.prepare import prepare
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation, recipient_of
from gateway.consent.switches import Switches
from gateway.consent.without_consent import by_basis
from gateway.model.consent_directive import Consents
from gateway.model.decision import Permit, Refusal
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.labels import PART2
from gateway.model.partner import Registry
from gateway.model.request import Request

_STANDARD = Switches()
_NO_FACTS = Facts()


def decide(
    request: Request,
    records: LabeledRecords,
    consents: Consents,
    *,
    registry: Registry,
    at: datetime,
    facts: Facts = _NO_FACTS,
    switches: Switches = _STANDARD,
) -> Permit | Refusal:
    """Decide whether the records may go to the recipient of the request, at the instant `at`.

    `request` from `read_request`; `records` from `gateway.labeling.label` for the same `at`; `consents` from
    `compile_consents`; `facts` from `read_facts` (among them the Patient index: without it nobody is known). The
    answer names every item: a `Permit` what may go and what each part owes, a `Refusal` why nothing does. Both hold
    the decision record. Raises ValueError for records labeled for another instant.
    """
    prepared = prepare(request, records, consents, registry, facts, switches, at)
    situation, items, seal = prepared.situation, prepared.items, prepared.seal
    if isinstance(situation, Withhold):
        return refuse_whole(items, situation, seal)
    findings = _findings(items, situation)
    left_out = _left_out(findings, situation)
    without = dict(left_out)
    recipients = (request.recipient, *[one for one in request.copies if one not in without])
    return conclude(findings, request, recipients, left_out, seal)


def decide_item(item: Item, situation: Situation) -> Release | Withhold:
    """Decide one item by steps 6 to 15."""
    found = _by_law_and_consent(item, situation)
    if isinstance(found, Withhold):
        return found
    return (
        passed_on_by_strangers(item, found, situation)
        or promised(item, found, situation)
        or labels_arrive(item, found)
        or can_arrive(found, situation)
        or found
    )


def _by_law_and_consent(item: Item, situation: Situation) -> Release | Withhold:
    if situation.must_hold and not may_send(item, situation.request, situation.registry, situation.at):
        return NOT_ENTITLED
    stop = _origin(item, situation) or _whose(item, situation)
    if stop is not None:
        return stop
    if situation.request.basis_type == "deidentified":
        return deidentified(item, situation)
    if item.origin.program is None:
        return outside_part2(item, situation)
    settled = inside_program(item, situation) or criminal_history(item)
    settled = settled or as_patient(situation) or by_basis(item, situation)
    if settled is not None:
        return settled
    if not item.origin.after:
        return law_enforcement(situation) or _disclosed_by_all(item, situation)
    onward = redisclosure.onward(item, situation)
    if isinstance(onward, Withhold | Release):
        return onward
    discloser, only = onward
    return law_enforcement(situation) or by_consent(item, discloser, situation, only)


def _disclosed_by_all(item: Item, situation: Situation) -> Release | Withhold:
    """Decide by the consents, for every program that wrote of it: a consent lets those disclose whom it names.

    What one program made of another's record is a record of both (42 CFR 2.11, 2.31(a)(2)).
    """
    found = by_consent(item, item.origin.program, situation)
    for author in item.origin.authors if isinstance(found, Release) else ():
        if author is not None and author is not item.origin.program and author.is_program(situation.at):
            theirs = by_consent(item, author, situation)
            if isinstance(theirs, Withhold):
                return theirs
    return found


def _origin(item: Item, situation: Situation) -> Withhold | None:
    """Check step 6: another law, or an author nobody knows."""
    authors = item.origin.authors
    for author in authors:
        if author is not None and author.class_at(situation.at).other_law:
            return Withhold("OTHER_LAW_38USC7332", 600, holds=True)
    holders = [hop.custodian for hop in item.origin.hops] if item.origin.program is None else ()
    if not authors or None in authors or None in holders:
        return Withhold("ORIGIN_UNKNOWN", 601, holds=True)
    if PART2 in item.labels and item.origin.program is None:
        # Somebody has labeled it a Part 2 record, and no program is known whose record it would be.
        return Withhold("ORIGIN_UNKNOWN", 602, holds=True)
    return None


def _whose(item: Item, situation: Situation) -> Withhold | None:
    """Check step 7: the item is of this person, and of nobody else."""
    keys = situation.patient_keys
    if item.subjects and keys.issuperset(item.subjects):
        return None
    if situation.request.basis_type == "deidentified":
        return None
    references = {subject for subject in item.subjects if "|" not in subject}
    is_theirs = bool(references) and references <= keys and not situation.names_another(item.subjects)
    return None if is_theirs else Withhold("PATIENT_MISMATCH", 700)


def _findings(items: Sequence[Item], situation: Situation) -> list[Finding]:
    if situation.tells_items_apart:
        return [(item, decide_item(item, situation)) for item in items]
    alike: dict[Any, Release | Withhold] = {}
    findings = []
    for item in items:
        kind = (id(item.origin), item.labels, item.subjects, item.type)
        if kind not in alike:
            alike[kind] = decide_item(item, situation)
        findings.append((item, alike[kind]))
    return findings


def _left_out(findings: Sequence[Finding], situation: Situation) -> list[tuple[str, Withhold]]:
    """Return the recipients of copies who get nothing: who may not have all that the recipient has, has none of it."""
    if not situation.request.copies:
        return []
    released = [item for item, found in findings if isinstance(found, Release)]
    left_out = []
    for copy in situation.request.copies:
        recipient = recipient_of(copy, situation.request, situation.facts, situation.registry, situation.person)
        theirs = replace(situation, recipient=recipient, memory={})
        stops = [found for _, found in _findings(released, theirs) if isinstance(found, Withhold)]
        if must_hold(situation.request, copy, situation.person, situation.registry, situation.at):
            asked = [may_send(item, situation.request, situation.registry, situation.at) for item in released]
            stops += [] if all(asked) else [NOT_ENTITLED]
        if stops:
            left_out.append((copy, _refusal_of_copy(stops)))
    return left_out


def _refusal_of_copy(stops: Sequence[Withhold]) -> Withhold:
    """Name why a copy stays here: what stands in the consents before who may ask for copies."""
    return min(stops, key=lambda one: (one == NOT_ENTITLED, one.step, one.reason))
