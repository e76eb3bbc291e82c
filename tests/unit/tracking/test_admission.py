"""What admissions and appointments mean for a referral."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.model.hl7_answer import AdmissionEvent, AdmissionKind, AppointmentEvent, AppointmentKind, PersonNamed
from gateway.tracking.admission import admission_event, appointment_event, is_put_in_doubt, precedes
from gateway.tracking.status import StatusEvent

RECEIVED = datetime(2026, 11, 2, 14, tzinfo=UTC)
HAPPENED = datetime(2026, 11, 2, 13, 30, tzinfo=UTC)
PERSON = PersonNamed((), "Sample", "Ann", "1990-01-01", "female")
ADMITTED = AdmissionEvent("A01", "admitted", PERSON, "2026-11-02T13:30:00+00:00")
BOOKED = AppointmentEvent("S12", "booked", "R-1", "P-1", None, None, "2026-11-02T13:30:00+00:00")


@pytest.mark.parametrize("kind", ["admitted", "registered"])
def test_an_admission_begins_the_work(kind: AdmissionKind) -> None:
    assert admission_event(replace(ADMITTED, kind=kind), RECEIVED) == StatusEvent("in-progress", "recipient", HAPPENED)


def test_a_discharge_completes_it_with_the_visit_as_result() -> None:
    event = admission_event(replace(ADMITTED, kind="discharged"), RECEIVED)

    assert event == StatusEvent("completed", "recipient", HAPPENED, has_output=True)


@pytest.mark.parametrize("kind", ["updated", "transferred", "admission-cancelled", "discharge-cancelled"])
def test_a_change_or_cancellation_moves_nothing(kind: AdmissionKind) -> None:
    assert admission_event(replace(ADMITTED, kind=kind), RECEIVED) is None


def test_an_event_with_only_a_date_counts_from_when_it_came() -> None:
    event = admission_event(replace(ADMITTED, at="2026-11-02"), RECEIVED)

    assert event is not None
    assert event.at == RECEIVED


@pytest.mark.parametrize(
    ("kind", "business"),
    [("booked", "5.1.1"), ("rescheduled", "5.1.1"), ("no-show", "5.1.2"), ("cancelled", "5.1.3")],
)
def test_an_appointment_is_work_in_progress_with_its_own_business_status(kind: AppointmentKind, business: str) -> None:
    event = appointment_event(replace(BOOKED, kind=kind), RECEIVED)

    assert (event.to, event.business, event.at) == ("in-progress", business, HAPPENED)


@pytest.mark.parametrize(
    ("told", "authored", "before"),
    [
        ("2026-11-02T13:30:00+00:00", "2026-11-02T13:31:00+00:00", True),
        ("2026-11-02T13:30:00+00:00", "2026-11-02T13:30:00+00:00", False),
        ("2026-11-02T13:30:00+00:00", "2026-11-02T07:00:00-08:00", True),
        ("2026-11-02", "2026-11-02T13:31:00+00:00", False),
        ("2026-11-01", "2026-11-02T13:31:00+00:00", True),
        (None, "2026-11-02T13:31:00+00:00", False),
        ("2026-11-01", "", False),
    ],
)
def test_a_visit_precedes_a_referral_only_where_both_times_say_so(
    told: str | None, authored: str, before: bool
) -> None:
    assert precedes(replace(ADMITTED, at=told), authored) is before


@pytest.mark.parametrize(
    ("kind", "status", "doubted"),
    [
        ("admission-cancelled", "in-progress", True),
        ("admission-cancelled", "accepted", False),
        ("discharge-cancelled", "completed", True),
        ("discharge-cancelled", "in-progress", False),
        ("transfer-cancelled", "in-progress", False),
        ("discharged", "completed", False),
    ],
)
def test_a_cancellation_puts_in_doubt_what_its_event_may_have_moved(
    kind: AdmissionKind, status: str, doubted: bool
) -> None:
    assert is_put_in_doubt(status, replace(ADMITTED, kind=kind)) is doubted
