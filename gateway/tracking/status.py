"""How far a referral has come: which step may follow which, by whom, and what it must say.

The machine is that of FHIR R4 Task.status, narrowed to what SDOH Clinical Care and the Clinical Order Workflows guide
allow; business status codes are those of BSeR.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gateway.model.findings import Finding

TaskStatus = Literal[
    "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed",
    "completed", "entered-in-error",
]  # fmt: skip
"""Every code of FHIR R4 Task.status. `received` and `ready` are not used between partners here."""

Party = Literal["source", "recipient"]
"""Who moves the referral: the side that asked, or the side that was asked."""

BUSINESS_STATUS_SYSTEM = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"

BUSINESS_STATUS: dict[TaskStatus, str] = {
    "requested": "2.0",
    "accepted": "3.0",
    "rejected": "4.0",
    "cancelled": "6.0",
    "completed": "7.0",
}
"""What a status means by itself; the visit's own steps (5.1.1 booked to 5.1.4 done) come with their event."""

SERVICE_REQUEST_STATUS: dict[TaskStatus, str] = {
    "draft": "draft",
    "cancelled": "revoked",
    "failed": "revoked",
    "completed": "completed",
    "entered-in-error": "entered-in-error",
}
"""What becomes of the ServiceRequest; `active` where nothing is said: `rejected` revokes once the source agrees."""

_STEPS: dict[tuple[str, str], Party] = {
    ("draft", "requested"): "source",
    ("requested", "accepted"): "recipient",
    ("requested", "rejected"): "recipient",
    ("requested", "cancelled"): "source",
    ("accepted", "cancelled"): "source",
    ("accepted", "in-progress"): "recipient",
    ("accepted", "on-hold"): "recipient",
    ("accepted", "failed"): "recipient",
    ("in-progress", "on-hold"): "recipient",
    ("in-progress", "completed"): "recipient",
    ("in-progress", "failed"): "recipient",
    ("on-hold", "in-progress"): "recipient",
    ("on-hold", "failed"): "recipient",
}

_NEEDS_REASON = frozenset(("rejected", "cancelled", "on-hold", "failed", "entered-in-error"))

_WAY: tuple[TaskStatus, ...] = ("requested", "accepted", "in-progress", "completed")
"""The way of a referral that goes well."""

_FAR: dict[str, int] = {
    "draft": 0, "requested": 1, "accepted": 2, "on-hold": 3, "in-progress": 3, "completed": 4, "rejected": 4,
    "cancelled": 4, "failed": 4, "entered-in-error": 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """Where a referral is, and since which instant that is known."""

    task: TaskStatus
    since: datetime
    business: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """Somebody says that the referral is now `to`; `at` is when it happened, not when we heard of it."""

    to: TaskStatus
    by: Party
    at: datetime
    reason: str | None = None
    business: str | None = None
    has_output: bool = False
    """For `completed`: there is at least one result. Without, the reason must say why."""
    is_expiry: bool = False
    """The time to answer ran out: the one way from `requested` to `failed`."""


def happened_at(told: str | None, received_at: datetime) -> datetime:
    """Return when a message says something happened (FHIR dateTime); where it names no time, when it was received."""
    return datetime.fromisoformat(told) if told and "T" in told else received_at


def advance(status: Status, event: StatusEvent) -> Status | Finding:
    """Return the next status, the same object where nothing changes, or why the event moves nothing.

    A finding of severity `information` is an event that came late: a finer or later state is known already. An
    `error` is a step that is not allowed, not theirs to take, or lacks what it must say.
    """
    if event.to == status.task:
        return _restated(status, event)
    if event.at < status.since and _FAR.get(event.to, 0) <= _FAR[status.task]:
        return Finding("information", "status-late", "Task.status", "a later state of this referral is known already")
    finding = _objection(status, event)
    return finding or Status(event.to, event.at, event.business or BUSINESS_STATUS.get(event.to), event.reason)


def advance_through(status: Status, event: StatusEvent) -> Status | Finding:
    """Advance by an event that implies the steps before it: who admits a person has accepted the referral.

    For events that no person wrote as a status (ADT, SIU): a referral that is as far already stays as it is.
    """
    if event.to not in _WAY:
        return advance(status, event)
    # Work on hold is taken up again where acceptance left it.
    reached = _FAR["accepted" if status.task == "on-hold" else status.task]
    if event.to != status.task and reached >= _FAR[event.to]:
        return Finding("information", "status-late", "Task.status", "the referral is as far already")
    for step in _WAY[1 : _WAY.index(event.to)]:
        if _FAR[step] > reached:
            passed = advance(status, StatusEvent(step, event.by, event.at))
            if isinstance(passed, Finding):
                return passed
            status = passed
    return advance(status, event)


def _restated(status: Status, event: StatusEvent) -> Status:
    if event.at < status.since:
        return status
    business, reason = event.business or status.business, event.reason or status.reason
    if (business, reason) == (status.business, status.reason):
        return status
    return replace(status, business=business, reason=reason, since=event.at)


def _objection(status: Status, event: StatusEvent) -> Finding | None:
    if event.to == "entered-in-error":
        allowed = event.by == "source"
    elif event.is_expiry and (status.task, event.to) == ("requested", "failed"):
        allowed = True
    else:
        allowed = _STEPS.get((status.task, event.to)) == event.by
    if not allowed:
        return Finding("error", "task-transition", "Task.status", _refusal(status, event))
    if event.to in _NEEDS_REASON and not event.reason:
        return Finding("error", "task-status-reason", "Task.statusReason", f"{event.to} must say why")
    if event.to == "completed" and not event.has_output and not event.reason:
        return Finding(
            "error", "task-output", "Task.output", "completed needs an output or the reason why there is none"
        )
    return None


def _refusal(status: Status, event: StatusEvent) -> str:
    if event.to == "cancelled" and status.task in ("in-progress", "on-hold"):
        return "work has begun: ask the recipient with a second Task, code abort, whose focus is this one"
    return f"{status.task} to {event.to} is no step of the {event.by}"
