"""Alerts: somebody who already knows of a person's referral or care team learns that the person was admitted or left.

The news is the teller's, so it goes like a record of the teller's: decided at the instant of sending, for its recipient
and purpose, by its own consent. It holds who, what and when, and nothing of why. What came late is no news: a word on a
visit that a later word has overtaken, and one of days ago, alert nobody.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast, get_args

from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.deliver import Prepared, Ready, send
from gateway.flow.disclose import Asked, Made, disclose_items, keep_decision
from gateway.flow.feeds import Fed
from gateway.flow.house import House
from gateway.flow.referrals import FINAL, may_have_reached
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource, Work, WorkState
from gateway.model.hl7_answer import AdmissionEvent
from gateway.model.ids import stable_id
from gateway.model.route import AlertEvent, AlertRoute
from gateway.model.transport import Envelope
from gateway.ports import Claim, Transaction
from gateway.tracking.admission import precedes

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

    Told is nobody but the agency of a record with an open referral or a care team, and those whom such a referral has
    reached: a route names who of them wants to know.
    """
    if fed.handoff is None or fed.person is None or fed.is_late or admission.kind not in _WORDS or not house.alerts:
        return 0
    if not _is_news(admission, house.clock()):
        return 0
    raised = 0
    for record in tx.handoffs.of_person(fed.person.id):
        referrals = [one for one in tx.referrals.of_handoff(record.id) if one.status not in FINAL]
        if record.state in ("active", "unrouted") and (referrals or _has_team(tx, record)):
            for route in _routes(house, tx, record, referrals, fed.handoff.agency):
                raised += _raise(house, tx, fed, admission, record, referrals, route)
    return raised


def _is_news(admission: AdmissionEvent, now: datetime) -> bool:
    told = admission.at or ""
    if "T" not in told:
        return told[:10] >= (now - NEWS_FOR).date().isoformat()
    return now - datetime.fromisoformat(told) <= NEWS_FOR


def _has_team(tx: Transaction, record: Handoff) -> bool:
    resources = tx.handoffs.resources(record.id)
    return any(one["resourceType"] == "CareTeam" and one.get("status") == "active" for one in resources)


def _routes(
    house: House, tx: Transaction, record: Handoff, referrals: list[Referral], teller: str
) -> Iterator[AlertRoute]:
    aware = {record.agency} | {one.recipient for one in referrals if may_have_reached(tx, one.id)}
    aware -= {teller}  # nobody is told its own news
    for route in house.alerts:
        fits = not route.program or bool({record.program, record.mapping} & route.program)
        if fits and (not route.agency or record.agency in route.agency) and route.to in aware:
            yield route


def _raise(
    house: House,
    tx: Transaction,
    fed: Fed,
    admission: AdmissionEvent,
    record: Handoff,
    referrals: list[Referral],
    route: AlertRoute,
) -> int:
    known = [one for one in referrals if not precedes(admission, _authored(tx, one))]
    if referrals and not known:
        return 0
    assert fed.handoff is not None
    parts = (fed.handoff.id, record.id, route.to)
    if admission.kind in _UNDOES:
        earlier = [stable_id(house.key, "alert", *parts, kind) for kind in _UNDOES[admission.kind]]
        told = [_take_back(house, tx, one) for one in earlier if tx.resources.get("Communication", one) is not None]
        if not any(told):
            return 0
    elif admission.kind not in route.events:
        return 0
    alert_id = stable_id(house.key, "alert", *parts, admission.kind)
    if tx.resources.get("Communication", alert_id) is not None:
        return 0
    _queue(house, tx, fed, _alert(house, fed, admission, record, known, route, alert_id), route)
    return 1


def _authored(tx: Transaction, referral: Referral) -> str:
    task = tx.resources.get("Task", referral.id)
    return str(task.body.get("authoredOn", "")) if task else ""


def _take_back(house: House, tx: Transaction, alert_id: str) -> bool:
    """Stop an alert that has not left; say whether it may have arrived, so that its end must be told too."""
    reached = False
    for work in tx.outbox.of_subject(alert_id):
        if work.state in _UNSENT and work.tries == 0:
            tx.outbox.set_state(work.id, "superseded", "what it tells of was cancelled", house.clock())
        elif work.state != "superseded":
            reached = True
    return reached


def _alert(
    house: House,
    fed: Fed,
    admission: AdmissionEvent,
    record: Handoff,
    referrals: list[Referral],
    route: AlertRoute,
    alert_id: str,
) -> Resource:
    """Write the Communication: of the recipient's own referrals it names the numbers, of the visit nothing but when."""
    assert fed.teller is not None
    own = [one for one in referrals if route.to in (record.agency, one.recipient)]
    about = [
        {"type": "Task", "identifier": {"system": REFERRAL_ID, "value": one.identifier}}
        for one in sorted(own, key=lambda one: one.id)
    ]
    return {
        "resourceType": "Communication",
        "id": alert_id,
        "identifier": [{"system": ALERT_ID, "value": alert_id}],
        "status": "completed",
        "category": [{"coding": [{"system": _CATEGORY, "code": "alert", "display": "Alert"}]}],
        "priority": "urgent",
        "subject": {"reference": f"Patient/{_patient(fed)}"},
        **({"about": about} if about else {}),
        **({"sent": admission.at} if admission.at else {}),
        "recipient": [house.reference(route.to)],
        "sender": house.reference(fed.teller.id),
        "reasonCode": [{"coding": [{"system": _EVENT, "code": admission.event}], "text": admission.kind}],
        "payload": [
            {"contentString": _WORDS[admission.kind]},
            # A reference to what is not sent along does not leave; the number its recipient knows is content.
            *({"contentString": f"Referral {one['identifier']['value']}"} for one in about),
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


def _signature(house: House, alert: Resource, at: datetime) -> Resource:
    """Name the teller as the author of its news, as of everything else it tells."""
    lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return {
        "resourceType": "Provenance",
        "id": stable_id(house.key, "alert-provenance", alert["id"]),
        "target": [{"reference": f"Communication/{alert['id']}"}],
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
    made, decision_id = _decided(house, tx, handoff, alert.body, route, work)
    if not isinstance(made.outcome, Disclosure) or f"Communication/{alert.body['id']}" in made.record.withheld:
        state: WorkState = "held" if made.record.decision == "HOLD" else "refused"
        return _stop(house, tx, work, state, f"{made.record.reason} ({made.record.section})")
    if endpoint is None:
        return _stop(house, tx, work, "held", f"{to} has no {transport} endpoint in partners/")
    tx.outbox.set_state(work.id, "sending", None, house.clock())
    tx.decisions.intend(
        decision_id=decision_id, message_id=work.message_id, purpose=" ".join(route.purpose),
        description="an alert: that the person was admitted or left, and when", at=house.clock(),
    )  # fmt: skip
    return Ready(made.outcome, endpoint, Envelope(work.message_id, work.action, work.created_at.isoformat()))


def _route_of(house: House, alert: Resource, to: str, transport: str) -> AlertRoute | None:
    """Return the route that still wants this alert; a cancellation goes to whoever wanted what it undoes."""
    kind = alert["reasonCode"][0]["text"]
    wanted = cast("tuple[AlertEvent, ...]", (kind,) if kind in get_args(AlertEvent) else _UNDOES[kind])
    fits = (one for one in house.alerts if (one.to, one.transport) == (to, transport) and one.events & {*wanted})
    return next(fits, None)


def _decided(
    house: House, tx: Transaction, handoff: Handoff, alert: Resource, route: AlertRoute, work: Work
) -> tuple[Made, str]:
    """Decide on the alert and the person it names, nothing else of the visit, in the transaction that claims it."""
    named = {f"Communication/{alert['id']}", alert["subject"]["reference"]}
    content = []
    for one in tx.handoffs.resources(handoff.id):
        if one["resourceType"] == "Provenance":
            targets = [target for target in one["target"] if target.get("reference") in named]
            content += [{**one, "target": targets}] if targets else []
        elif f"{one['resourceType']}/{one['id']}" in named:
            content.append(one)
    asked = Asked(
        organization=handoff.agency, person=("delivery", "worker"), recipient=route.to, purpose=route.purpose,
        transport=route.transport, channel=route.transport,
    )  # fmt: skip
    made = disclose_items(house, tx, asked, handoff, content, None)
    return made, keep_decision(house, tx, made.record, made.inputs, asked, handoff, None, work.id)


def _stop(house: House, tx: Transaction, work: Work, state: WorkState, reason: str) -> Prepared:
    tx.outbox.set_state(work.id, state, reason, house.clock())
    return "stopped"
