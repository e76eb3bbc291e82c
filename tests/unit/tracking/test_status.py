"""The state machine of a referral: every pair of states, every side, and what comes late."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from gateway.model.findings import Finding
from gateway.tracking.status import Party, Status, StatusEvent, TaskStatus, advance, advance_through

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
EARLIER = NOON - timedelta(hours=1)

ALLOWED = {
    ("draft", "requested", "source"),
    ("requested", "accepted", "recipient"),
    ("requested", "rejected", "recipient"),
    ("requested", "cancelled", "source"),
    ("accepted", "cancelled", "source"),
    ("accepted", "in-progress", "recipient"),
    ("accepted", "on-hold", "recipient"),
    ("accepted", "failed", "recipient"),
    ("in-progress", "on-hold", "recipient"),
    ("in-progress", "completed", "recipient"),
    ("in-progress", "failed", "recipient"),
    ("on-hold", "in-progress", "recipient"),
    ("on-hold", "failed", "recipient"),
}
STATES: tuple[TaskStatus, ...] = get_args(TaskStatus)
PARTIES: tuple[Party, ...] = get_args(Party)


def event(to: TaskStatus, by: Party, at: datetime = LATER, reason: str | None = "said so") -> StatusEvent:
    return StatusEvent(to, by, at, reason=reason, has_output=True)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("by", PARTIES)
def test_only_the_steps_of_the_table_are_taken_and_only_by_their_side(
    before: TaskStatus, after: TaskStatus, by: Party
) -> None:
    outcome = advance(Status(before, NOON), event(after, by))

    if before == after:
        assert isinstance(outcome, Status)
        assert outcome.task == before
    elif (before, after, by) in ALLOWED or (after == "entered-in-error" and by == "source"):
        assert isinstance(outcome, Status)
        assert (outcome.task, outcome.since, outcome.reason) == (after, LATER, "said so")
    else:
        assert isinstance(outcome, Finding)
        assert (outcome.severity, outcome.rule) == ("error", "task-transition")


@pytest.mark.parametrize(
    ("before", "after", "by"),
    [
        ("requested", "rejected", "recipient"),
        ("requested", "cancelled", "source"),
        ("accepted", "on-hold", "recipient"),
        ("in-progress", "failed", "recipient"),
        ("completed", "entered-in-error", "source"),
    ],
)
def test_a_step_that_needs_a_reason_is_refused_without_one(before: TaskStatus, after: TaskStatus, by: Party) -> None:
    outcome = advance(Status(before, NOON), event(after, by, reason=None))

    assert isinstance(outcome, Finding)
    assert outcome.rule == "task-status-reason"


def test_completed_needs_an_output_or_the_reason_why_there_is_none() -> None:
    status = Status("in-progress", NOON)

    bare = advance(status, StatusEvent("completed", "recipient", LATER))
    explained = advance(status, StatusEvent("completed", "recipient", LATER, reason="the person moved away"))

    assert isinstance(bare, Finding)
    assert bare.rule == "task-output"
    assert isinstance(explained, Status)


def test_the_same_status_again_is_the_same_object_and_a_new_reason_is_taken_in() -> None:
    status = Status("accepted", NOON, business="3.0")

    assert advance(status, StatusEvent("accepted", "recipient", LATER)) is status
    assert advance(status, StatusEvent("accepted", "recipient", LATER, reason="bed 3")) == Status(
        "accepted", LATER, "3.0", "bed 3"
    )
    assert advance(status, StatusEvent("accepted", "recipient", EARLIER, reason="old words")) is status


def test_a_status_brings_its_business_status_and_a_visit_its_own() -> None:
    accepted = advance(Status("requested", NOON), StatusEvent("accepted", "recipient", LATER))
    booked = advance(Status("accepted", NOON), StatusEvent("in-progress", "recipient", LATER, business="5.1.1"))

    assert isinstance(accepted, Status)
    assert accepted.business == "3.0"
    assert isinstance(booked, Status)
    assert booked.business == "5.1.1"


def test_a_late_message_never_moves_a_referral_backwards() -> None:
    for status in (Status("in-progress", NOON), Status("on-hold", NOON), Status("completed", NOON)):
        outcome = advance(status, event("accepted", "recipient", EARLIER))

        assert isinstance(outcome, Finding)
        assert (outcome.severity, outcome.rule) == ("information", "status-late")


def test_work_taken_up_before_it_was_put_on_hold_does_not_end_the_hold() -> None:
    outcome = advance(Status("on-hold", NOON), event("in-progress", "recipient", EARLIER))

    assert isinstance(outcome, Finding)
    assert outcome.rule == "status-late"


def test_a_step_forward_counts_even_when_a_clock_is_behind() -> None:
    outcome = advance(Status("requested", NOON), event("accepted", "recipient", EARLIER))

    assert isinstance(outcome, Status)
    assert outcome.task == "accepted"


def test_only_expiry_fails_a_referral_that_nobody_answered() -> None:
    expired = StatusEvent("failed", "recipient", LATER, reason="expired", is_expiry=True)

    outcome = advance(Status("requested", NOON), expired)

    assert isinstance(outcome, Status)
    assert outcome.task == "failed"


def test_cancelling_begun_work_says_what_to_do_instead() -> None:
    outcome = advance(Status("in-progress", NOON), event("cancelled", "source"))

    assert isinstance(outcome, Finding)
    assert "second Task" in outcome.message


@pytest.mark.parametrize(
    ("before", "to", "after"),
    [
        ("requested", "in-progress", "in-progress"),
        ("accepted", "in-progress", "in-progress"),
        ("on-hold", "in-progress", "in-progress"),
        ("requested", "completed", "completed"),
        ("on-hold", "completed", "completed"),
        ("in-progress", "completed", "completed"),
    ],
)
def test_an_event_implies_the_steps_before_it(before: TaskStatus, to: TaskStatus, after: TaskStatus) -> None:
    outcome = advance_through(Status(before, NOON), event(to, "recipient"))

    assert isinstance(outcome, Status)
    assert outcome.task == after


@pytest.mark.parametrize("before", ["completed", "rejected", "cancelled", "failed"])
def test_an_admission_reopens_nothing(before: TaskStatus) -> None:
    outcome = advance_through(Status(before, NOON), event("in-progress", "recipient"))

    assert isinstance(outcome, Finding)
    assert outcome.rule == "status-late"


def test_a_second_admission_changes_nothing_and_a_missed_visit_its_business_status() -> None:
    status = Status("in-progress", NOON, business="5.1.1")

    again = advance_through(status, StatusEvent("in-progress", "recipient", LATER))
    missed = advance_through(status, StatusEvent("in-progress", "recipient", LATER, business="5.1.2"))

    assert again is status
    assert isinstance(missed, Status)
    assert (missed.task, missed.business) == ("in-progress", "5.1.2")
