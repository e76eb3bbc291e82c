"""Step 11 for FHIR: what partners write about referrals and consents."""

import re
from typing import Any, cast

import orjson

from gateway.flow.access import can_see, read
from gateway.flow.house import House
from gateway.flow.moves import move
from gateway.flow.people import person_by_reference
from gateway.flow.referrals import may_have_reached, reopen_refused
from gateway.model.audit import AuditEntry
from gateway.model.caller import Caller
from gateway.model.exchange import NOT_FOUND, Answer, Problem
from gateway.model.handoff import Referral, Resource
from gateway.ports import StoredResource, Transaction
from gateway.tracking.status import BUSINESS_STATUS_SYSTEM, StatusEvent, TaskStatus

FILED_BY = "https://warmhandoff.example/id/filed-by"
"""Tag system: which organization filed a Consent here. A Consent with it is never overwritten by an import."""

_RECIPIENT_WRITES = ("output", "note")
_BOOKED_VISITS = re.compile(r"5\.1\.[1-4]")


def update_task(house: House, caller: Caller, task_id: str, body: dict[str, Any], if_match: int) -> Answer | Problem:
    """Let the recipient of a referral move it by its Task (FHIR R4 Task state machine).

    Taken from the body: status, statusReason, businessStatus, output, note and the recipient's own (FILL) identifier;
    everything else is ours and stays as it is. A consent that has ended in between does not undo the answer, but the
    response then holds no more than what the recipient has just said. A referral that was never sent and may not be
    seen now does not exist for its recipient.
    """

    errors = [finding for finding in house.check_foreign(body) if finding.severity == "error"]
    if errors:
        return Problem(422, "invariant", errors[0].location, errors[0].message)

    def write(tx: Transaction) -> Problem | None:
        referral = tx.referrals.get(task_id)
        stored = tx.resources.get("Task", task_id)
        if referral is None or stored is None or referral.recipient != caller.organization:
            return NOT_FOUND
        if not (may_have_reached(tx, referral) or can_see(house, tx, caller, referral)):
            return NOT_FOUND
        if stored.version != if_match:
            return Problem(412, "conflict", "Task", "Read the Task again: it has another version.")
        return _move_by(house, tx, caller, referral, stored, body)

    problem = house.database.write(write)
    if problem is not None:
        return problem
    return read(house, caller, "Task", task_id) or _echo(body)


def _move_by(
    house: House, tx: Transaction, caller: Caller, referral: Referral, stored: StoredResource, body: Resource
) -> Problem | None:
    merged = {**stored.body, **{name: body[name] for name in _RECIPIENT_WRITES if name in body}}
    errors = [finding for finding in house.check(merged) if finding.severity == "error"]
    if errors:
        return Problem(422, "invariant", errors[0].location, errors[0].message)
    event = StatusEvent(
        to=cast(TaskStatus, body.get("status")),
        by="recipient",
        at=house.clock(),
        reason=body.get("statusReason", {}).get("text"),
        business=_business_status(body),
        has_output=bool(merged.get("output")),
    )
    finding = move(house, tx, referral, event, by=caller.client, external_id=_filler(body), task=merged)
    if finding is not None and finding.severity == "error":
        return Problem(409, "business-rule", finding.location, finding.message)
    return None


def _business_status(body: Resource) -> str | None:
    for coding in body.get("businessStatus", {}).get("coding", []):
        if coding.get("system") == BUSINESS_STATUS_SYSTEM and _BOOKED_VISITS.fullmatch(str(coding.get("code"))):
            return str(coding["code"])
    return None


def _filler(body: Resource) -> str | None:
    for identifier in body.get("identifier", []):
        codes = [coding.get("code") for coding in identifier.get("type", {}).get("coding", [])]
        if "FILL" in codes and identifier.get("value"):
            return str(identifier["value"])
    return None


def _echo(body: Resource) -> Answer:
    """Answer with what the caller has just written and nothing else."""
    own = {name: body[name] for name in ("resourceType", "id", "status", "intent") if name in body}
    return Answer(orjson.dumps(own), None, None)


def file_consent(
    house: House, caller: Caller, body: dict[str, Any], consent_id: str | None, if_match: int | None
) -> Answer | Problem:
    """Create a Consent, or write its next version; committed before it is acknowledged.

    A revocation committed here stops everything that is not yet claimed for sending; a new consent lets what was
    refused be decided again. Refused: a Consent about nobody we know, one that is not valid, one that belongs to
    another organization.
    """
    errors = [finding for finding in house.check_foreign(body) if finding.severity == "error"]
    if errors:
        return Problem(422, "invariant", errors[0].location, errors[0].message)

    def write(tx: Transaction) -> Answer | Problem:
        person = person_by_reference(tx, body.get("patient"))
        if person is None:
            return Problem(422, "value", "Consent.patient", "Expected a Patient of this gateway, found none.")
        stored = tx.resources.get("Consent", consent_id) if consent_id is not None else None
        if consent_id is not None:
            if stored is None or not _may_write(tx, caller, stored):
                return NOT_FOUND
            if stored.version != if_match:
                return Problem(412, "conflict", "Consent", "Read the Consent again: it has a newer version.")
            if stored.person_id != person:
                return Problem(422, "business-rule", "Consent.patient", "A Consent cannot move to another person.")
        tx.people.lock(person)
        return _keep_consent(house, tx, caller, body, consent_id or house.new_id(), stored, person)

    return house.database.write(write)


def _keep_consent(
    house: House,
    tx: Transaction,
    caller: Caller,
    body: Resource,
    consent_id: str,
    stored: StoredResource | None,
    person: str,
) -> Answer:
    now = house.clock()
    tags = [tag for tag in body.get("meta", {}).get("tag", []) if tag.get("system") != FILED_BY]
    meta = {**body.get("meta", {}), "tag": [*tags, {"system": FILED_BY, "code": caller.organization}]}
    kept = {**body, "id": consent_id, "meta": meta}
    if not _is_discloser(house, caller, body):
        kept = _as_external(kept, caller)
    handoff_id = stored.handoff_id if stored else None
    version = tx.resources.put(kept, handoff_id=handoff_id, person_id=person, at=now)
    if kept.get("status") == "active":
        reopen_refused(house, tx, person)
    tx.audit.append(
        AuditEntry(
            now,
            "consent.filed",
            caller.client,
            {"consent": consent_id, "version": version, "status": kept.get("status")},
        )
    )
    return Answer(orjson.dumps(kept), version, now)


def _is_discloser(house: House, caller: Caller, body: Resource) -> bool:
    """Say whether the caller files a consent to disclosures by itself, and by nobody else."""
    named = [house.registry.find_by_reference(reference) for reference in body.get("organization", [])]
    return bool(named) and all(one is not None and one.id == caller.organization for one in named)


def _as_external(consent: Resource, caller: Caller) -> Resource:
    """Mark a consent that the discloser did not file: a person has to verify it before anything leaves on it.

    Who would receive the records must not be able to let itself have them by writing that it may.
    """
    unverified = {name: value for name, value in consent.items() if name != "verification"}
    source = f"urn:warm-handoff:filed-by:{caller.organization}"
    return {**unverified, "meta": {**consent["meta"], "source": source}}


def _may_write(tx: Transaction, caller: Caller, stored: StoredResource) -> bool:
    """Say whether a Consent is the caller's: filed by its organization, or part of a record it sent."""
    filed_by = {tag.get("code") for tag in stored.body.get("meta", {}).get("tag", []) if tag.get("system") == FILED_BY}
    if filed_by:
        return caller.organization in filed_by
    handoff = tx.handoffs.get(stored.handoff_id) if stored.handoff_id else None
    return handoff is not None and handoff.agency == caller.organization
