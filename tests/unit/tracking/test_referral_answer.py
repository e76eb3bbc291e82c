"""How a recipient's answer moves a referral."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from gateway.model.hl7_answer import AnswerStatus, ReferralAnswer
from gateway.tracking.referral_answer import status_event
from gateway.tracking.status import Status, StatusEvent, TaskStatus, advance

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 2, 14, tzinfo=UTC)
ACCEPTED = ReferralAnswer("I12", "R-1", "X-9", "accepted", "", "2026-11-02T13:00:00+00:00", None)


def test_an_acceptance_is_a_step_at_the_time_the_recipient_states() -> None:
    event = status_event(Status("requested", NOON), ACCEPTED, RECEIVED)

    assert event == StatusEvent("accepted", "recipient", datetime(2026, 11, 2, 13, tzinfo=UTC))


def test_an_answer_without_a_time_of_day_counts_from_when_it_came() -> None:
    event = status_event(Status("requested", NOON), replace(ACCEPTED, at="2026-11-02"), RECEIVED)

    assert event is not None
    assert event.at == RECEIVED


@pytest.mark.parametrize(
    ("known", "answered"),
    [
        ("in-progress", "accepted"),
        ("on-hold", "accepted"),
        ("completed", "accepted"),
        ("accepted", "requested"),
        ("in-progress", "requested"),
        ("cancelled", "rejected"),
        ("completed", "in-progress"),
    ],
)
def test_a_coarser_answer_leaves_the_finer_state(known: TaskStatus, answered: AnswerStatus) -> None:
    assert status_event(Status(known, NOON), replace(ACCEPTED, status=answered), RECEIVED) is None


@pytest.mark.parametrize(("answered", "after"), [("rejected", "rejected"), ("failed", "failed")])
def test_a_refusal_or_expiry_without_words_still_moves_the_referral(answered: AnswerStatus, after: str) -> None:
    status = Status("requested", NOON)
    event = status_event(status, replace(ACCEPTED, status=answered), RECEIVED)

    assert event is not None
    outcome = advance(status, event)
    assert isinstance(outcome, Status)
    assert outcome.task == after
    assert outcome.reason


@pytest.mark.parametrize(("visit", "business"), [("booked", "5.1.1"), ("done", "5.1.4"), (None, None)])
def test_what_an_answer_says_of_the_visit_is_the_business_status(
    visit: Literal["booked", "done"] | None, business: str | None
) -> None:
    answer = replace(ACCEPTED, status="in-progress", visit=visit)

    event = status_event(Status("requested", NOON), answer, RECEIVED)

    assert event is not None
    assert (event.to, event.business) == ("in-progress", business)
