"""What an alert says: the Communication that is kept and sent by FHIR, and who signs for it.

The news is the teller's: it is the sender and the author, so that where the alert may go is decided by what it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.house import House
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Resource
from gateway.model.ids import stable_id
from gateway.model.route import AlertRoute
from gateway.ports import Transaction

ALERT_ID = "https://warmhandoff.example/id/alert"

_EVENT = "http://terminology.hl7.org/CodeSystem/v2-0003"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"


@dataclass(frozen=True, slots=True)
class News:
    """What happened to whom, as its teller says."""

    teller: str
    """Registry id."""
    event: str
    """The HL7v2 event that tells it (table 0003), such as A01 or S12."""
    kind: str
    words: str
    """For people: nothing of why or where."""
    at: str | None
    """FHIR dateTime."""
    patient: str
    """The id of the Patient it is about."""
    referrals: Iterable[str]
    """The numbers of the recipient's own referrals."""
    encounter: str = ""
    """The id of the visit, where its class is to be told."""


def new_alert(house: House, alert_id: str, news: News, to: str) -> Resource:
    """Write the Communication: of the recipient's own referrals it names the numbers, and else who, what and when."""
    numbers = sorted(news.referrals)
    about = [{"type": "Task", "identifier": {"system": REFERRAL_ID, "value": number}} for number in numbers]
    return {
        "resourceType": "Communication",
        "id": alert_id,
        "identifier": [{"system": ALERT_ID, "value": alert_id}],
        "status": "completed",
        "category": [{"coding": [{"system": _CATEGORY, "code": "alert", "display": "Alert"}]}],
        "priority": "urgent",
        "subject": {"reference": f"Patient/{news.patient}"},
        **({"about": about} if about else {}),
        **({"encounter": {"reference": f"Encounter/{news.encounter}"}} if news.encounter else {}),
        **({"sent": news.at} if news.at else {}),
        "recipient": [house.reference(to)],
        "sender": house.reference(news.teller),
        "reasonCode": [{"coding": [{"system": _EVENT, "code": news.event}], "text": news.kind}],
        "payload": [
            {"contentString": news.words},
            # A reference to what is not sent along does not leave; the number its recipient knows is content.
            *({"contentString": f"Referral {number}"} for number in numbers),
        ],
    }


def kind_of(alert: Resource) -> str:
    """Return the kind of its news."""
    return str(alert["reasonCode"][0]["text"])


def event_of(alert: Resource) -> str:
    """Return the HL7v2 event that tells its news."""
    return str(alert["reasonCode"][0]["coding"][0]["code"])


def signature(house: House, alert: Resource, news: str, at: datetime) -> Resource:
    """Name the teller as the author of its news (a reference), as of everything else it tells."""
    lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return {
        "resourceType": "Provenance",
        "id": stable_id(house.key, "alert-provenance", alert["id"]),
        "target": [{"reference": news}],
        "recorded": at.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": lifecycle, "code": "originate"}]},
        "agent": [{"type": {"coding": [{"system": participant, "code": "author"}]}, "who": alert["sender"]}],
    }


def queue_alert(
    house: House, tx: Transaction, alert: Resource, route: AlertRoute, *, handoff_id: str | None, person_id: str
) -> None:
    """Keep an alert with its signature, and queue its sending. `handoff_id` is of the record it belongs to, if any."""
    now = house.clock()
    for resource in (alert, signature(house, alert, f"Communication/{alert['id']}", now)):
        tx.resources.put(resource, handoff_id=handoff_id, person_id=person_id, at=now)
    tx.outbox.add(
        lane=f"{route.to}/{route.transport}", kind="alert", subject=alert["id"], action="create",
        message_id=house.new_id(), version=1, at=now,
    )  # fmt: skip
    tx.audit.append(AuditEntry(now, "alert.raised", "mllp", {"alert": alert["id"], "rule": route.rule}))
