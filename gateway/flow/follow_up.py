"""Step 11 for FHIR: what partners write about referrals."""

import re
from typing import Any, cast

import orjson

from gateway.flow.alerts.appointments import tell_appointment
from gateway.flow.house import House
from gateway.flow.moves import move
from gateway.flow.pulls.access import can_see, read
from gateway.flow.referrals import may_have_reached
from gateway.model.caller import Caller
from gateway.model.exchange import NOT_FOUND, Answer, Problem
from gateway.model.handoff import Referral, Resource
from gateway.ports import StoredResource, Transaction
from gateway.tracking.admission import appointment_kind
from gateway.tracking.status import BUSINESS_STATUS_SYSTEM, StatusEvent, TaskStatus

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
        # Everything is looked up whatever is found: the work must not tell what is not theirs from what is not there.
        is_open = can_see(house, tx, caller, task_id)  # first: it locks the person
        referral, stored = tx.referrals.get(task_id), tx.resources.get("Task", task_id)
        has_reached = may_have_reached(tx, task_id)
        if referral is None or stored is None or referral.recipient != caller.organization:
            return NOT_FOUND
        if not (has_reached or is_open):
            return NOT_FOUND
        if stored.version != if_match:
            message = "Read the Task again: it has another version."
            return Problem(412, "conflict", "Task", message, stored.version if is_open else None)
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
    written = merged if merged != stored.body else None  # the same again is no new version
    finding = move(house, tx, referral, event, by=caller.client, external_id=_filler(body), task=written)
    if finding is not None and finding.severity == "error":
        return Problem(409, "business-rule", finding.location, finding.message)
    kind = appointment_kind(event.business)
    if finding is None and kind is not None and event.business != referral.business_status:
        told_by = f"Task/{stored.version + 1}"
        tell_appointment(house, tx, referral, kind, starts_at=None, told_by=told_by)
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
