"""Move a referral by what its recipient says: Task, ServiceRequest and referral row change together."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from gateway.flow.addressing import FILLER, REFERRAL_ID
from gateway.flow.circumstances import UNDERTAKEN
from gateway.flow.house import House
from gateway.flow.messages.outcomes import Outcome
from gateway.flow.messages.status_answers import queue_status
from gateway.flow.referrals import may_have_reached
from gateway.flow.second_look import look_again_soon
from gateway.model.audit import AuditEntry
from gateway.model.findings import Finding
from gateway.model.handoff import Referral, Resource
from gateway.ports import Transaction
from gateway.tracking.status import (
    BUSINESS_STATUS_SYSTEM,
    SERVICE_REQUEST_STATUS,
    Status,
    StatusEvent,
    TaskStatus,
    advance,
    advance_through,
)


def referral_by_identifier(tx: Transaction, identifier: str) -> Referral | None:
    """Return the referral with this placer identifier, if it was ever sent: nobody can answer what never left.

    The identifier is an unguessable keyed hash: who knows it was sent it.
    """
    for stored in tx.resources.by_identifier("Task", REFERRAL_ID, identifier):
        referral = tx.referrals.get(stored.body["id"])
        if referral is not None and may_have_reached(tx, referral.id):
            return referral
    return None


def move(
    house: House,
    tx: Transaction,
    referral: Referral,
    event: StatusEvent,
    *,
    by: str,
    implied: bool = False,
    external_id: str | None = None,
    task: Resource | None = None,
) -> Finding | None:
    """Apply an event to a referral; return why it moved nothing, or None.

    `implied`: nobody wrote it as a status, it implies the steps before it (an admission). `task`: what the recipient
    wrote into the Task besides.
    """
    stored = tx.resources.get("Task", referral.id)
    if stored is None:
        return Finding("error", "task-missing", "Task", "the referral's Task is no longer here")
    status = Status(
        task=cast(TaskStatus, referral.status),
        since=_since(stored.body, stored.updated_at),
        business=referral.business_status,
        reason=referral.reason,
    )
    following = (advance_through if implied else advance)(status, event)
    if isinstance(following, Finding):
        return following
    external = external_id or referral.external_id
    if following is status and task is None and external == referral.external_id:
        return Finding("information", "status-same", "Task.status", "the referral is there already")
    now = house.clock()
    _write(tx, replace(referral, external_id=external, updated_at=now), task or stored.body, following)
    if following is not status:
        queue_status(house, tx, referral)
    if following.task in UNDERTAKEN and status.task not in UNDERTAKEN:
        look_again_soon(house, tx, referral.person_id)  # who treats the person is a circumstance of every decision
    told = {"referral": referral.id, "from": status.task, "to": following.task}
    tx.audit.append(AuditEntry(now, "referral.moved", by, told))
    return None


def _write(tx: Transaction, referral: Referral, task: Resource, status: Status) -> None:
    """Write a status into Task, ServiceRequest and referral row."""
    now, moved_task = referral.updated_at, _moved_task(task, status, referral.external_id)
    tx.resources.put(moved_task, handoff_id=referral.handoff_id, person_id=referral.person_id, at=now)
    _move_request(tx, referral, status, now)
    tx.referrals.save(replace(referral, status=status.task, business_status=status.business, reason=status.reason))


def moved(
    house: House,
    tx: Transaction,
    referral: Referral,
    event: StatusEvent,
    *,
    implied: bool = False,
    external_id: str | None = None,
) -> Outcome:
    """Move a referral by an HL7v2 message, and say what became of the message."""
    finding = move(house, tx, referral, event, by="mllp", implied=implied, external_id=external_id)
    if finding is None or finding.severity == "information":
        return "converted", finding.message if finding else None, referral.handoff_id
    return "quarantined", f"{finding.rule}: {finding.message}", referral.handoff_id


def is_overtaken(tx: Transaction, referral: Referral, event: StatusEvent) -> bool:
    """Say whether a later word on a referral is known than this event."""
    stored = tx.resources.get("Task", referral.id)
    return stored is not None and event.at < _since(stored.body, stored.updated_at)


def _since(task: Resource, otherwise: datetime) -> datetime:
    written = task.get("lastModified", "")
    return datetime.fromisoformat(written) if "T" in written else otherwise


def _moved_task(task: Resource, status: Status, external_id: str | None) -> Resource:
    moved = {
        **{name: value for name, value in task.items() if name not in ("statusReason", "businessStatus")},
        "status": status.task,
        "lastModified": status.since.isoformat(timespec="seconds"),
    }
    if status.reason:
        moved["statusReason"] = {"text": status.reason}
    if status.business:
        moved["businessStatus"] = {"coding": [{"system": BUSINESS_STATUS_SYSTEM, "code": status.business}]}
    if external_id:
        kept = [one for one in task.get("identifier", []) if one.get("type") != FILLER]
        moved["identifier"] = [*kept, {"type": FILLER, "value": external_id}]
    return moved


def _move_request(tx: Transaction, referral: Referral, status: Status, now: datetime) -> None:
    """Let the ServiceRequest follow where the Task's end ends it."""
    wanted = SERVICE_REQUEST_STATUS.get(status.task)
    stored = tx.resources.get("ServiceRequest", referral.service_request_id) if wanted is not None else None
    if stored is not None and stored.body.get("status") != wanted:
        moved = {**stored.body, "status": wanted}
        tx.resources.put(moved, handoff_id=referral.handoff_id, person_id=referral.person_id, at=now)
