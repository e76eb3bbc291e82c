"""How far a referral is that a partner sent us: told to its sender over the reply link, where it may know.

A REF is answered by RRI, an order by OSU^O51 (IHE 360X).

What a recipient does about a person is the recipient's to tell, so the answer is decided as the recipient's word, at
the instant of sending, for its purpose and the person's consents. It holds the sender's own number, the status and the
reason, and never who took the referral: with one program behind a service the name alone would tell of the treatment.
"""

from typing import Any

from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.deliver import send
from gateway.flow.disclose import Asked, disclose_items, keep_decision
from gateway.flow.house import House
from gateway.flow.people import locked_referral, why_held
from gateway.flow.sending import Prepared, about_to_leave, claimed, is_wanted, stop, stop_refused
from gateway.formats.hl7v2.acknowledgement import receive
from gateway.formats.hl7v2.referral_words import is_order
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource, Work
from gateway.model.hl7_header import Hl7Header
from gateway.model.ids import stable_id
from gateway.ports import Claim, Transaction

MAPPING = "hl7v2/ref"
"""Program and mapping of the records that referrals to us become; `program` of a route may name it."""

_PLACER, _FILLER = (
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]} for code in ("PLAC", "FILL")
)
_TOLD = frozenset({"delivered", "awaiting", "sending"})


def queue_status(house: House, tx: Transaction, referral: Referral, *, asked: bool = False) -> None:
    """Queue the answer to the sender of a referral to us, if it is one and its sender takes HL7v2.

    The newest state is told when it is sent, so one answer waits at most; an answer that was asked for is of its own.
    """
    handoff = tx.handoffs.get(referral.handoff_id)
    if handoff is None or handoff.program != MAPPING or house.endpoint(handoff.agency, "hl7v2") is None:
        return
    before = [work for work in tx.outbox.of_subject(referral.id) if work.kind in ("status", "status-asked")]
    if not asked and any(work.state == "ready" and work.kind == "status" for work in before):
        return
    tx.outbox.add(
        lane=f"{handoff.agency}/hl7v2", kind="status-asked" if asked else "status", subject=referral.id,
        action="update" if any(work.state in _TOLD for work in before) else "create",
        message_id=house.new_id(), version=handoff.version, at=house.clock(),
    )  # fmt: skip


def deliver_status(house: House, claim: Claim, work: Work) -> bool:
    """Send one answer; tell whether its lane may go on with the next."""
    return send(house, claim, work, claimed(house, lambda tx: _prepare(house, tx, claim, work)))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> Prepared:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    referral = locked_referral(tx, work.subject)
    if not is_wanted(tx, work):
        return "stopped"
    handoff = tx.handoffs.get(referral.handoff_id) if referral else None
    task = tx.resources.get("Task", work.subject)
    if referral is None or handoff is None or task is None:
        return stop(house, tx, work, "dead", "its referral is no longer here")
    if (doubt := why_held(handoff)) is not None:
        return stop(house, tx, work, "held", doubt)
    endpoint = house.endpoint(handoff.agency, "hl7v2")
    referred = _header(house, tx, handoff)
    message = "OSU^O51" if referred and is_order(referred.message_code) else f"RRI^{_event(work)}"
    asked = Asked(
        organization=referral.recipient, person=("delivery", "worker"), recipient=handoff.agency,
        purpose=referral.purpose, transport="hl7v2", channel="hl7v2", message=message,
    )  # fmt: skip
    content = _answer(house, tx, handoff, referral, task.body)
    made = disclose_items(house, tx, asked, handoff, content, None)
    decision_id = keep_decision(house, tx, made.record, made.inputs, asked, handoff, referral, work.id)
    if not isinstance(made.outcome, Disclosure) or f"Task/{referral.id}" in made.record.withheld:
        return stop_refused(house, tx, work, made.record, is_held=made.record.decision == "HOLD")
    if endpoint is None:
        return stop(house, tx, work, "held", f"{handoff.agency} has no hl7v2 endpoint in partners/")
    told = {"work": work.id, "referral": referral.id}
    tx.audit.append(AuditEntry(house.clock(), "status.told", "worker", told))
    return about_to_leave(
        house, tx, work, made.outcome, endpoint, decision_id=decision_id, purpose=" ".join(referral.purpose),
        description="how far a referral of its recipient is", message=message,
        in_reply_to=referred.control_id if referred else "",
    )  # fmt: skip


def _answer(house: House, tx: Transaction, handoff: Handoff, referral: Referral, task: Resource) -> list[Resource]:
    """Build what the sender is told: its number, ours, how far the referral is and why; signed for by the recipient."""
    numbers = [
        *({**one, "type": _PLACER} for one in authors_numbers(task)[:1]),
        {"type": _FILLER, "system": REFERRAL_ID, "value": referral.identifier},
    ]
    kept = ("id", "status", "statusReason", "businessStatus", "intent", "code", "for", "authoredOn", "lastModified")
    told: Resource = {"resourceType": "Task", **{name: task[name] for name in kept if name in task}}
    told |= {"identifier": numbers, "focus": {"reference": f"ServiceRequest/{referral.service_request_id}"}}
    request = {
        "resourceType": "ServiceRequest", "id": referral.service_request_id, "identifier": numbers,
        "status": "active", "intent": "order", "subject": task.get("for", {}),
    }  # fmt: skip
    about = [one for one in tx.handoffs.resources(handoff.id) if one["resourceType"] == "Patient"]
    who = house.reference(referral.recipient)
    return [*about, *_signed_by_sender(tx, handoff), request, told, _signature(house, referral, who)]


def authors_numbers(task: Resource) -> list[Resource]:
    """Return the identifiers that who wrote a referral knows it by; an empty list where those are ours."""
    return [one for one in task.get("identifier", ()) if one.get("system") != REFERRAL_ID and "type" not in one]


def _signed_by_sender(tx: Transaction, handoff: Handoff) -> list[Resource]:
    """Return who signs for the Patient, so that its origin is decided too."""
    signed = []
    for one in tx.handoffs.resources(handoff.id):
        if one["resourceType"] == "Provenance":
            targets = [target for target in one["target"] if target.get("reference", "").startswith("Patient/")]
            signed += [{**one, "target": targets}] if targets else []
    return signed


def _signature(house: House, referral: Referral, who: dict[str, Any]) -> Resource:
    lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    targets = [f"Task/{referral.id}", f"ServiceRequest/{referral.service_request_id}"]
    return {
        "resourceType": "Provenance",
        "id": stable_id(house.key, "status-provenance", referral.id),
        "target": [{"reference": target} for target in targets],
        "recorded": referral.updated_at.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": lifecycle, "code": "originate"}]},
        "agent": [{"type": {"coding": [{"system": participant, "code": "author"}]}, "who": who}],
    }


def _header(house: House, tx: Transaction, handoff: Handoff) -> Hl7Header | None:
    """Return the header of the message that made the record what it is."""
    stored = tx.inputs.get(handoff.input_id)
    return receive(stored.payload, house.registry.charset_of).header if stored is not None else None


def _event(work: Work) -> str:
    return "I15" if work.kind == "status-asked" else "I13" if work.action == "update" else "I12"
