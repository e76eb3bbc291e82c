"""Alerts: somebody who already knows of a person's referral or care team learns that the person was admitted or left.

The news is the teller's, so it goes like a record of the teller's: decided at the instant of sending, for its recipient
and purpose, by its own consent. It holds who, what and when, and nothing of why: as a Communication by FHIR, as an ADT
of the teller's own event by HL7v2. What came late is no news: a word on a
visit that a later word has overtaken, and one of days ago, alert nobody.
"""

from datetime import datetime, timedelta
from typing import cast, get_args

from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.deliver import Prepared, Ready, send
from gateway.flow.disclose import Asked, Made, disclose_items, keep_decision
from gateway.flow.feeds import Fed
from gateway.flow.house import House
from gateway.flow.told_visits import message_of, told_visit
from gateway.flow.watchers import Watch, watches
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Resource, Work, WorkState
from gateway.model.hl7_answer import AdmissionEvent
from gateway.model.ids import stable_id
from gateway.model.route import AlertEvent, AlertRoute
from gateway.model.transport import Envelope
from gateway.ports import Claim, Transaction

ALERT_ID = "https://warmhandoff.example/id/alert"

NEWS_FOR = timedelta(days=3)
"""How old an event may be and still be told: after that nobody can act on it at once."""

_WORDS = {
    "admitted": "The person was admitted.",
    "registered": "The person has arrived.",
    "discharged": "The person was discharged.",
    "admission-cancelled": "The admission told before was cancelled: it did not happen.",
    "discharge-cancelled": "The discharge told before was cancelled: the person is still there.",
}
_UNDOES = {"admission-cancelled": ("admitted", "registered"), "discharge-cancelled": ("discharged",)}
_EVENT = "http://terminology.hl7.org/CodeSystem/v2-0003"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
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
    if admission.kind in _UNDOES:
        earlier = [stable_id(house.key, "alert", *parts, kind) for kind in _UNDOES[admission.kind]]
        told = [_take_back(house, tx, one) for one in earlier if tx.resources.get("Communication", one) is not None]
        if not any(told):
            return False
    elif admission.kind not in watch.route.events:
        return False
    alert_id = stable_id(house.key, "alert", *parts, admission.kind)
    if tx.resources.get("Communication", alert_id) is not None:
        return False
    _queue(house, tx, fed, _alert(house, fed, admission, watch, alert_id), watch.route)
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


def _alert(house: House, fed: Fed, admission: AdmissionEvent, watch: Watch, alert_id: str) -> Resource:
    """Write the Communication: of the recipient's own referrals it names the numbers, of the visit nothing but when."""
    assert fed.teller is not None
    numbers = sorted(one.identifier for one in watch.referrals)
    about = [{"type": "Task", "identifier": {"system": REFERRAL_ID, "value": number}} for number in numbers]
    visit = fed.visit() if watch.route.transport == "hl7v2" else None
    return {
        "resourceType": "Communication",
        "id": alert_id,
        "identifier": [{"system": ALERT_ID, "value": alert_id}],
        "status": "completed",
        "category": [{"coding": [{"system": _CATEGORY, "code": "alert", "display": "Alert"}]}],
        "priority": "urgent",
        "subject": {"reference": f"Patient/{_patient(fed)}"},
        **({"about": about} if about else {}),
        **({"encounter": {"reference": f"Encounter/{visit.resource['id']}"}} if visit else {}),
        **({"sent": admission.at} if admission.at else {}),
        "recipient": [house.reference(watch.route.to)],
        "sender": house.reference(fed.teller.id),
        "reasonCode": [{"coding": [{"system": _EVENT, "code": admission.event}], "text": admission.kind}],
        "payload": [
            {"contentString": _WORDS[admission.kind]},
            # A reference to what is not sent along does not leave; the number its recipient knows is content.
            *({"contentString": f"Referral {number}"} for number in numbers),
        ],
    }


def _patient(fed: Fed) -> str:
    return next(key for key in fed.retold.changed if key.startswith("Patient/")).partition("/")[2]


def _queue(house: House, tx: Transaction, fed: Fed, alert: Resource, route: AlertRoute) -> None:
    assert fed.handoff is not None
    assert fed.person is not None
    now = house.clock()
    for resource in (alert, _signature(house, alert, now)):
        tx.resources.put(resource, handoff_id=fed.handoff.id, person_id=fed.person.id, at=now)
    tx.outbox.add(
        lane=f"{route.to}/{route.transport}", kind="alert", subject=alert["id"], action="create",
        message_id=house.new_id(), version=fed.handoff.version, at=now,
    )  # fmt: skip
    tx.audit.append(AuditEntry(now, "alert.raised", "mllp", {"alert": alert["id"], "rule": route.rule}))


def _signature(house: House, alert: Resource, at: datetime, news: str = "") -> Resource:
    """Name the teller as the author of its news (a reference; "" for the alert), as of everything else it tells."""
    lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return {
        "resourceType": "Provenance",
        "id": stable_id(house.key, "alert-provenance", alert["id"]),
        "target": [{"reference": news or f"Communication/{alert['id']}"}],
        "recorded": at.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": lifecycle, "code": "originate"}]},
        "agent": [{"type": {"coding": [{"system": participant, "code": "author"}]}, "who": alert["sender"]}],
    }


def deliver_alert(house: House, claim: Claim, work: Work) -> bool:
    """Send one alert; tell whether its lane may go on with the next."""
    return send(house, claim, work, house.database.write(lambda tx: _prepare(house, tx, claim, work)))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> Prepared:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    current, alert = tx.outbox.get(work.id), tx.resources.get("Communication", work.subject)
    if current is None or current.state not in ("ready", "sending"):
        return "stopped"
    handoff = tx.handoffs.get(alert.handoff_id) if alert is not None and alert.handoff_id else None
    to, _, transport = work.lane.partition("/")
    route = _route_of(house, alert.body, to, transport) if alert is not None else None
    if alert is None or handoff is None or route is None:
        return _stop(house, tx, work, "dead", "its visit is no longer here, or no route wants it any more")
    endpoint = house.endpoint(to, transport)
    news, content = _content(house, tx, handoff, alert.body, transport)
    message = message_of(alert.body) if transport == "hl7v2" else ""
    made, decision_id = _decided(house, tx, handoff, content, route, work, message)
    if not isinstance(made.outcome, Disclosure) or news in made.record.withheld:
        state: WorkState = "held" if made.record.decision == "HOLD" else "refused"
        return _stop(house, tx, work, state, f"{made.record.reason} ({made.record.section})")
    if endpoint is None:
        return _stop(house, tx, work, "held", f"{to} has no {transport} endpoint in partners/")
    tx.outbox.set_state(work.id, "sending", None, house.clock())
    tx.decisions.intend(
        decision_id=decision_id, message_id=work.message_id, purpose=" ".join(route.purpose),
        description="an alert: that the person was admitted or left, and when", at=house.clock(),
    )  # fmt: skip
    envelope = Envelope(work.message_id, work.action, work.created_at.isoformat(), message)
    return Ready(made.outcome, endpoint, envelope)


def _route_of(house: House, alert: Resource, to: str, transport: str) -> AlertRoute | None:
    """Return the route that still wants this alert; a cancellation goes to whoever wanted what it undoes."""
    kind = alert["reasonCode"][0]["text"]
    wanted = cast("tuple[AlertEvent, ...]", (kind,) if kind in get_args(AlertEvent) else _UNDOES[kind])
    fits = (one for one in house.alerts if (one.to, one.transport) == (to, transport) and one.events & {*wanted})
    return next(fits, None)


def _content(
    house: House, tx: Transaction, handoff: Handoff, alert: Resource, transport: str
) -> tuple[str, list[Resource]]:
    """Return the news (a reference) and what tells it: with the person it names, and nothing else of the visit."""
    news = f"Communication/{alert['id']}"
    kept = {f"{one['resourceType']}/{one['id']}": one for one in tx.handoffs.resources(handoff.id)}
    told: list[Resource] = []
    if transport == "hl7v2":
        visit = told_visit(house, alert, kept.get(alert.get("encounter", {}).get("reference", "")))
        news = f"Encounter/{visit['id']}"
        told = [visit, _signature(house, alert, house.clock(), news)]
    named = {alert["subject"]["reference"]} | ({news} if not told else set())
    content = []
    for reference, one in kept.items():
        if one["resourceType"] == "Provenance":
            targets = [target for target in one["target"] if target.get("reference") in named]
            content += [{**one, "target": targets}] if targets else []
        elif reference in named:
            content.append(one)
    return news, [*content, *told]


def _decided(
    house: House,
    tx: Transaction,
    handoff: Handoff,
    content: list[Resource],
    route: AlertRoute,
    work: Work,
    message: str,
) -> tuple[Made, str]:
    """Decide on an alert in the transaction that claims it."""
    asked = Asked(
        organization=handoff.agency, person=("delivery", "worker"), recipient=route.to, purpose=route.purpose,
        transport=route.transport, channel=route.transport, message=message,
    )  # fmt: skip
    made = disclose_items(house, tx, asked, handoff, content, None)
    return made, keep_decision(house, tx, made.record, made.inputs, asked, handoff, None, work.id)


def _stop(house: House, tx: Transaction, work: Work, state: WorkState, reason: str) -> Prepared:
    tx.outbox.set_state(work.id, state, reason, house.clock())
    return "stopped"
