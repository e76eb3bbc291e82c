"""What R4 asks of a whole resource, beyond any single row: both times of an appointment, no course of an error."""

from datetime import datetime, timedelta

from gateway.model.handoff import Resource

_HAVE_A_COURSE = frozenset(("AllergyIntolerance", "Condition"))
"""Resources that are active or over, but neither where they were entered in error."""


def settle(resource: Resource) -> None:
    """Mend a resource in place once all that was said of it is in it."""
    kind = resource["resourceType"]
    if kind == "Appointment":
        _complete_times(resource)
    elif kind in _HAVE_A_COURSE and "entered-in-error" in str(resource.get("verificationStatus", "")):
        resource.pop("clinicalStatus", None)  # FHIR R4 ait-2, con-5


def _complete_times(appointment: Resource) -> None:
    """Give an Appointment both its times or none (FHIR R4 app-2): the end by its length, else the start once more."""
    start = appointment.get("start")
    if start is None:
        appointment.pop("end", None)
    elif "end" not in appointment:
        minutes = appointment.get("minutesDuration", 0)
        ends = datetime.fromisoformat(start) + timedelta(minutes=minutes)
        appointment["end"] = ends.isoformat(timespec="seconds")
