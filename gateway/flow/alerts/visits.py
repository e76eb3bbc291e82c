"""Alerts: somebody who already knows of a person's referral or care team learns that the person was admitted or left.

What came late is no news: a word on a visit that a later word has overtaken, and one of days ago, alert nobody. How the
news goes is in `delivery`.
"""

from datetime import datetime

from gateway.flow.alerts.content import News, new_alert, queue_alert
from gateway.flow.alerts.waiting import NEWS_FOR
from gateway.flow.alerts.watchers import Watch, watches
from gateway.flow.house import House
from gateway.flow.messages.feeds import Fed
from gateway.model.hl7_answer import AdmissionEvent
from gateway.model.ids import stable_id
from gateway.ports import Transaction

_WORDS = {
    "admitted": "The person was admitted.",
    "registered": "The person has arrived.",
    "discharged": "The person was discharged.",
    "admission-cancelled": "The admission told before was cancelled: it did not happen.",
    "discharge-cancelled": "The discharge told before was cancelled: the person is still there.",
}
UNDOES = {"admission-cancelled": ("admitted", "registered"), "discharge-cancelled": ("discharged",)}
"""Kinds that take an earlier one back, and which."""

_UNSENT = frozenset({"ready", "refused", "held", "dead"})


def raise_alerts(house: House, tx: Transaction, fed: Fed, admission: AdmissionEvent) -> int:
    """Queue the alerts that an event of a visit calls for; return how many.

    Told is nobody but who waits for it (`watches`) and is named by a route.
    """
    if fed.handoff is None or fed.person is None or fed.is_late or admission.kind not in _WORDS or not house.alerts:
        return 0
    if not _is_news(admission, house.clock()):
        return 0
    waiting = watches(house, tx, fed.person.id, fed.handoff.agency, admission)
    return sum(_raise(house, tx, fed, admission, watch) for watch in list(waiting))


def _is_news(admission: AdmissionEvent, now: datetime) -> bool:
    told = admission.at or ""
    if "T" not in told:
        return told[:10] >= (now - NEWS_FOR).date().isoformat()
    return now - datetime.fromisoformat(told) <= NEWS_FOR


def _raise(house: House, tx: Transaction, fed: Fed, admission: AdmissionEvent, watch: Watch) -> bool:
    assert fed.handoff is not None
    parts = (fed.handoff.id, watch.record.id, watch.route.to)
    if admission.kind in UNDOES:
        earlier = [stable_id(house.key, "alert", *parts, kind) for kind in UNDOES[admission.kind]]
        told = [_take_back(house, tx, one) for one in earlier if tx.resources.get("Communication", one) is not None]
        if not any(told):
            return False
    elif admission.kind not in watch.route.events:
        return False
    alert_id = stable_id(house.key, "alert", *parts, admission.kind)
    if tx.resources.get("Communication", alert_id) is not None:
        return False
    alert = new_alert(house, alert_id, _news(fed, admission, watch), watch.route.to)
    queue_alert(house, tx, alert, watch.route, handoff_id=fed.handoff.id, person_id=fed.handoff.person_id or "")
    return True


def _take_back(house: House, tx: Transaction, alert_id: str) -> bool:
    """Stop an alert that has not left; say whether it may have arrived, so that its end must be told too."""
    reached = False
    for work in tx.outbox.of_subject(alert_id):
        if work.state in _UNSENT and work.tries == 0:
            tx.outbox.set_state(work.id, "superseded", "what it tells of was cancelled", house.clock())
        elif work.state != "superseded":
            reached = True
    return reached


def _news(fed: Fed, admission: AdmissionEvent, watch: Watch) -> News:
    assert fed.teller is not None, "whoever tells of a visit is registered"
    visit = fed.visit() if watch.route.transport == "hl7v2" else None
    return News(
        teller=fed.teller.id,
        event=admission.event,
        kind=admission.kind,
        words=_WORDS[admission.kind],
        at=admission.at,
        patient=next(key for key in fed.retold.changed if key.startswith("Patient/")).partition("/")[2],
        referrals=[one.identifier for one in watch.referrals],
        encounter=visit.resource["id"] if visit is not None else "",
    )
