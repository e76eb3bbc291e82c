"""Appointments of a referral: that its recipient gave, moved or cancelled one is told to who wrote the referral.

It is the recipient's news, so it is decided at the instant of sending by the recipient's consents, like every alert. It
names the referral, whether and when; not with whom, where or for what. The record of the referral stays as its agency
wrote it: the news is kept beside it.
"""

from gateway.flow.alerts.content import News, new_alert, queue_alert
from gateway.flow.alerts.watchers import wrote_referral
from gateway.flow.house import House
from gateway.model.handoff import Referral
from gateway.model.hl7_answer import AppointmentKind
from gateway.model.ids import stable_id
from gateway.ports import Transaction

APPOINTMENT = "appointment"

WORDS: dict[str, str] = {
    "booked": "An appointment was given.",
    "rescheduled": "The appointment was moved.",
    "cancelled": "The appointment was cancelled.",
    "no-show": "The person did not come to the appointment.",
}
_EVENTS: dict[str, str] = {"booked": "S12", "rescheduled": "S13", "cancelled": "S15", "no-show": "S26"}


def tell_appointment(
    house: House,
    tx: Transaction,
    referral: Referral,
    kind: AppointmentKind,
    *,
    starts_at: str | None,
    told_by: str,
) -> int:
    """Queue the news of an appointment for each who wrote the referral and is to hear of it; return how many.

    `starts_at` is when it is (FHIR dateTime), None where its recipient did not say. `told_by` names the telling: the
    same told again is told once.
    """
    routes = [one for one in house.alerts if APPOINTMENT in one.events and one.to != referral.recipient]
    handoff = tx.handoffs.get(referral.handoff_id) if routes else None
    task = tx.resources.get("Task", referral.id) if handoff else None
    if handoff is None or task is None:
        return 0
    news = News(
        teller=referral.recipient, event=_EVENTS[kind], kind=kind, words=WORDS[kind], at=starts_at,
        patient=str(task.body.get("for", {}).get("reference", "")).rpartition("/")[2], referrals=(referral.identifier,),
    )  # fmt: skip
    told = 0
    for route in routes:
        alert_id = stable_id(house.key, "appointment-alert", referral.id, route.to, told_by)
        if tx.resources.get("Communication", alert_id) is None and wrote_referral(house, tx, route, handoff, referral):
            alert = new_alert(house, alert_id, news, route.to)
            queue_alert(house, tx, alert, route, handoff_id=None, person_id=referral.person_id)
            told += 1
    return told
