"""Alerts on their way: decided at the instant of sending like a record of their teller, for whom they go to and why.

By FHIR the Communication goes, by HL7v2 the message of the event that it tells: with the person it names, and nothing
else of the visit or the referral.
"""

from typing import cast, get_args

from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.alerts.appointments import WORDS
from gateway.flow.alerts.content import event_of, kind_of, signature
from gateway.flow.alerts.told_events import told_appointment, told_visit
from gateway.flow.alerts.visits import UNDOES
from gateway.flow.deliver import send
from gateway.flow.disclose import Asked, Made, disclose_items, keep_decision
from gateway.flow.house import House
from gateway.flow.messages.status_answers import authors_numbers
from gateway.flow.people import lock_person, why_held
from gateway.flow.sending import Prepared, about_to_leave, claimed, is_wanted, stop, stop_refused
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Resource, Work
from gateway.model.route import AlertEvent, AlertRoute
from gateway.ports import Claim, StoredResource, Transaction

_DESCRIPTIONS = {
    "ADT": "an alert: that the person was admitted or left, and when",
    "SIU": "an alert: an appointment of a referral, and when",
}


def deliver_alert(house: House, claim: Claim, work: Work) -> bool:
    """Send one alert; tell whether its lane may go on with the next."""
    return send(house, claim, work, claimed(house, lambda tx: _prepare(house, tx, claim, work)))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> Prepared:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    lock_person(tx, lambda: _person_of(tx, work))
    if not is_wanted(tx, work):
        return "stopped"
    alert = tx.resources.get("Communication", work.subject)
    handoff = _record_of(tx, alert) if alert is not None else None
    to, _, transport = work.lane.partition("/")
    route = _route_of(house, alert.body, to, transport) if alert is not None else None
    if alert is None or handoff is None or route is None:
        return stop(house, tx, work, "dead", "its record is no longer here, or no route wants it any more")
    if (doubt := why_held(handoff)) is not None:
        return stop(house, tx, work, "held", doubt)
    endpoint = house.endpoint(to, transport)
    kind = "SIU" if kind_of(alert.body) in WORDS else "ADT"
    message = f"{kind}^{event_of(alert.body)}" if transport == "hl7v2" else ""
    news, content = _content(house, tx, handoff, alert.body, message)
    made, decision_id = _decided(house, tx, handoff, alert.body, content, route, work, message)
    if not isinstance(made.outcome, Disclosure) or news in made.record.withheld:
        return stop_refused(house, tx, work, made.record, is_held=made.record.decision == "HOLD")
    if endpoint is None:
        return stop(house, tx, work, "held", f"{to} has no {transport} endpoint in partners/")
    return about_to_leave(
        house, tx, work, made.outcome, endpoint, decision_id=decision_id, purpose=" ".join(route.purpose),
        description=_DESCRIPTIONS[kind], message=message,
    )  # fmt: skip


def _person_of(tx: Transaction, work: Work) -> str | None:
    alert = tx.resources.get("Communication", work.subject)
    handoff = _record_of(tx, alert) if alert is not None else None
    return handoff.person_id if handoff is not None else None


def _record_of(tx: Transaction, alert: StoredResource) -> Handoff | None:
    """Return the record that holds the person of an alert: the teller's of the visit, else that of the referral."""
    if alert.handoff_id is not None:
        return tx.handoffs.get(alert.handoff_id)
    number = alert.body["about"][0]["identifier"]["value"]
    tasks = tx.resources.by_identifier("Task", REFERRAL_ID, number)
    return tx.handoffs.get(tasks[0].handoff_id or "") if tasks else None


def _route_of(house: House, alert: Resource, to: str, transport: str) -> AlertRoute | None:
    """Return the route that still wants this alert; a cancellation goes to whoever wanted what it undoes."""
    kind = kind_of(alert)
    wanted: frozenset[AlertEvent] = frozenset({cast("AlertEvent", kind)})
    if kind in WORDS:
        wanted = frozenset({"appointment"})
    elif kind not in get_args(AlertEvent):
        wanted = frozenset(cast("tuple[AlertEvent, ...]", UNDOES[kind]))
    fits = (one for one in house.alerts if (one.to, one.transport) == (to, transport) and one.events & wanted)
    return next(fits, None)


def _content(
    house: House, tx: Transaction, handoff: Handoff, alert: Resource, message: str
) -> tuple[str, list[Resource]]:
    """Return the news (a reference) and what tells it: with the person it names, and nothing else of the record."""
    kept = {f"{one['resourceType']}/{one['id']}": one for one in tx.handoffs.resources(handoff.id)}
    told = alert
    if message.startswith("SIU"):
        ours = alert["about"][0]["identifier"]
        task = next((one for one in kept.values() if one["resourceType"] == "Task" and ours in _bare(one)), {})
        told = told_appointment(house, alert, next(iter(authors_numbers(task)), ours))
    elif message:
        told = told_visit(house, alert, kept.get(alert.get("encounter", {}).get("reference", "")))
    news = f"{told['resourceType']}/{told['id']}"
    person = alert["subject"]["reference"]
    content = []
    for reference, one in kept.items():
        if one["resourceType"] == "Provenance":
            targets = [target for target in one["target"] if target.get("reference") == person]
            content += [{**one, "target": targets}] if targets else []
        elif reference == person:
            content.append(one)
    return news, [*content, told, signature(house, alert, news, house.clock())]


def _bare(task: Resource) -> list[Resource]:
    """Return the identifiers of a Task as a reference names them."""
    return [{"system": one.get("system"), "value": one.get("value")} for one in task.get("identifier", ())]


def _decided(
    house: House,
    tx: Transaction,
    handoff: Handoff,
    alert: Resource,
    content: list[Resource],
    route: AlertRoute,
    work: Work,
    message: str,
) -> tuple[Made, str]:
    """Decide on an alert as its teller's, in the transaction that claims it."""
    teller = house.registry.find_by_reference(alert["sender"])
    asked = Asked(
        organization=teller.id if teller is not None else None, person=("delivery", "worker"), recipient=route.to,
        purpose=route.purpose, transport=route.transport, channel=route.transport, message=message,
    )  # fmt: skip
    made = disclose_items(house, tx, asked, handoff, content, None)
    return made, keep_decision(house, tx, made.record, made.inputs, asked, handoff, None, work.id)
