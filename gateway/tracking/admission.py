"""What an admission, a discharge or an appointment of a referred person means for the referral.

Only for events at the organization the referral went to, about the person it is about: finding both is the work of
`flow` and `identity`.
"""

from datetime import datetime

from gateway.model.hl7_answer import AdmissionEvent, AppointmentEvent, AppointmentKind
from gateway.tracking.status import StatusEvent, happened_at

_VISIT: dict[AppointmentKind, str] = {
    "booked": "5.1.1",
    "rescheduled": "5.1.1",
    "no-show": "5.1.2",
    "cancelled": "5.1.3",
}
"""BSeR business status of an appointment."""


def admission_event(admission: AdmissionEvent, received_at: datetime) -> StatusEvent | None:
    """Turn an ADT into the step it implies, to be used with `advance_through`; None when it moves no referral.

    Admission and registration begin the work; a discharge completes it, and the visit is its result. A change or a
    transfer says nothing new, and what is cancelled takes nothing back (`is_put_in_doubt`).
    """
    at = happened_at(admission.at, received_at)
    if admission.kind in ("admitted", "registered"):
        return StatusEvent("in-progress", "recipient", at)
    if admission.kind == "discharged":
        return StatusEvent("completed", "recipient", at, has_output=True)
    return None


def is_put_in_doubt(status: str, admission: AdmissionEvent) -> bool:
    """Tell whether a cancellation may undo what moved a referral to this status.

    A message never takes a status back: who is right, the recipient or its registration desk, is for people to say.
    """
    return (admission.kind, status) in _DOUBTED


_DOUBTED = frozenset((("admission-cancelled", "in-progress"), ("discharge-cancelled", "completed")))


def precedes(admission: AdmissionEvent, authored: str) -> bool:
    """Tell whether a visit's event happened before the referral was written, and so says nothing about it.

    Feeds replay whole histories. Where either is only a date, dates are compared, and the same day does not precede.
    """
    told = admission.at or ""
    if "T" in told and "T" in authored:
        return datetime.fromisoformat(told) < datetime.fromisoformat(authored)
    return bool(told and authored) and told[:10] < authored[:10]


def appointment_event(appointment: AppointmentEvent, received_at: datetime) -> StatusEvent:
    """Turn a SIU into the step it implies, for `advance_through`; the visit's fate is the business status."""
    at = happened_at(appointment.at, received_at)
    return StatusEvent("in-progress", "recipient", at, business=_VISIT[appointment.kind])


def appointment_kind(business_status: str | None) -> AppointmentKind | None:
    """Return what a business status says of an appointment; one that was moved is not told from one that was given."""
    return next((kind for kind, code in _VISIT.items() if code == business_status), None)
