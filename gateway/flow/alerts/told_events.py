"""A visit or appointment as a message tells it: that somebody came, left or is to come, and when; not where or why.

What the teller has written of a visit stays behind, but for the class of the patient (PV1-2, which ADT cannot do
without) and the labels: what the visit is protected by protects the news of it.
"""

from gateway.flow.alerts.content import kind_of
from gateway.flow.house import House
from gateway.model.handoff import Resource
from gateway.model.ids import stable_id

_UNKNOWN_CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}
_STATUS = {
    "admitted": "in-progress",
    "registered": "in-progress",
    "discharged": "finished",
    "admission-cancelled": "cancelled",
    "discharge-cancelled": "in-progress",
}
_APPOINTMENT_STATUS = {"booked": "booked", "rescheduled": "booked", "cancelled": "cancelled", "no-show": "noshow"}
_ARRIVES = frozenset({"admitted", "registered"})


def told_visit(house: House, alert: Resource, visit: Resource | None) -> Resource:
    """Return the Encounter that an alert tells of; `visit` is what is kept of it, None where nothing is."""
    kind, at = kind_of(alert), alert.get("sent")
    known = visit or {"id": stable_id(house.key, "alert-visit", alert["id"])}
    kept = known.get("period", {})
    period = {
        "start": kept.get("start") or (at if kind in _ARRIVES else None),
        "end": (kept.get("end") or at) if kind == "discharged" else None,
    }
    stated = {name: value for name, value in period.items() if value}
    return {
        "resourceType": "Encounter",
        "id": known["id"],
        **({"meta": {"security": known["meta"]["security"]}} if known.get("meta", {}).get("security") else {}),
        "status": _STATUS[kind],
        "class": known.get("class") or _UNKNOWN_CLASS,
        "subject": alert["subject"],
        **({"period": stated} if stated else {}),
    }


def told_appointment(house: House, alert: Resource, number: Resource) -> Resource:
    """Return the Appointment that an alert tells of: of which referral, for whom and when.

    `number` is the identifier of the referral that its author knows.
    """
    return {
        "resourceType": "Appointment",
        "id": stable_id(house.key, "alert-appointment", alert["id"]),
        # A reference to what is not sent along does not leave; the number its recipient knows is content.
        "identifier": [{**number, "type": {"text": "referral"}}],
        "status": _APPOINTMENT_STATUS[kind_of(alert)],
        **({"start": alert["sent"], "end": alert["sent"]} if alert.get("sent") else {}),
        "participant": [{"actor": alert["subject"], "status": "accepted"}],
    }
