"""A visit as an ADT notification tells it: that somebody came or left, and when; nothing of where or why.

What the teller has written of the visit stays behind, but for the class of the patient (PV1-2, which ADT cannot do
without) and the labels: what the visit is protected by protects the news of it.
"""

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
_ARRIVES = frozenset({"admitted", "registered"})


def message_of(alert: Resource) -> str:
    """Return MSH-9 of the notification: the event that the teller's own message had, such as ADT^A01."""
    return f"ADT^{alert['reasonCode'][0]['coding'][0]['code']}"


def told_visit(house: House, alert: Resource, visit: Resource | None) -> Resource:
    """Return the Encounter that an alert tells of; `visit` is what is kept of it, None where nothing is."""
    kind, at = alert["reasonCode"][0]["text"], alert.get("sent")
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
