"""Steps 8 to 10 for what we push: decide and redact in the transaction that claims the sending, then send.

The claim commits with its decision and intent before the first byte leaves, and no lock is held across the network.
A consent revoked before that commit wins; one revoked after it stops the next sending. What became of a sending is
written down together with the claim of the next of its lane: one commit lies between the two.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from gateway.flow.addressing import for_referral
from gateway.flow.disclose import Asked, disclose, keep_decision
from gateway.flow.house import House
from gateway.flow.messages.awaited import await_application
from gateway.flow.pacing import goes_on, has_breaker, rest
from gateway.flow.people import locked_referral, why_held
from gateway.flow.releases.review_queue import open_held_items
from gateway.flow.sending import Prepared, Ready, about_to_leave, claimed, is_wanted, stop, stop_refused
from gateway.model.audit import AuditEntry
from gateway.model.decision import Refusal
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import Handoff, Referral, Resource, SendResult, Work
from gateway.ports import Claim, Transaction

_OF_A_CANCELLATION = frozenset({"Patient", "ServiceRequest", "Task", "Provenance"})
"""What a recipient needs to understand that a referral is withdrawn; nothing else is sent again for it."""

_CANCELLATION = "a cancellation asks for nothing and tells its recipient nothing new"
"""Why it needs no agreement of its own. A refusal still stops it, and so does a missing Part 2 consent."""


Settle = Callable[[Transaction], bool]
"""Writes down what became of a sending, and tells whether its lane may go on with the next."""


def deliver(house: House, claim: Claim, row: Sequence[Work]) -> bool:
    """Send pieces of work in their order, as far as their lane goes on; tell whether it may go on after the last."""
    settle: Settle | None = None
    for work in row:
        prepared = _settle_and_prepare(house, claim, settle, work)
        if prepared == "lost":
            return False
        settle = None if prepared == "stopped" else _sent(house, claim, work, prepared)
    return settle is None or house.database.write(settle)


def send(house: House, claim: Claim, work: Work, prepared: Prepared) -> bool:
    """Send what was prepared, and write down what became of it; tell whether the lane may go on with the next."""
    if isinstance(prepared, str):
        return prepared == "stopped"
    return house.database.write(_sent(house, claim, work, prepared))


def carry(house: House, claim: Claim, work: Work, sending: Callable[[], SendResult]) -> bool:
    """Do one sending whose claim is committed, and write down what became of it, as `send`."""
    return house.database.write(_carried(house, claim, work, sending))


def _settle_and_prepare(house: House, claim: Claim, settle: Settle | None, work: Work) -> Prepared:
    """Write down what became of the last sending, where there was one, and claim the next in one transaction.

    Where that fails, the last one is written down by itself: its receiver has it, whatever is wrong with the next.
    """
    if settle is None:
        return claimed(house, lambda tx: _prepare(house, tx, claim, work))
    is_settled = False
    try:
        prepared = claimed(house, lambda tx: _prepare(house, tx, claim, work) if settle(tx) else "lost")
        is_settled = True
    finally:
        if not is_settled:
            house.database.write(settle)
    return prepared


def _sent(house: House, claim: Claim, work: Work, ready: Ready) -> Settle:
    transport = house.transports[ready.endpoint.transport]
    return _carried(house, claim, work, lambda: transport.send(ready.disclosure, ready.endpoint, ready.envelope))


def _carried(house: House, claim: Claim, work: Work, sending: Callable[[], SendResult]) -> Settle:
    """Do one sending whose claim is committed."""
    began = house.clock()
    try:
        result = sending()
    except TryLater as error:
        reason, asked_s = str(error), error.after_s
        return lambda tx: try_again(house, tx, claim, work, reason, asked_s)
    except WillNeverWork as error:
        reason = str(error)
        return lambda tx: give_up(house, tx, claim, work, reason, began)
    return lambda tx: _delivered(house, tx, claim, work, result, began)


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> Prepared:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    referral = locked_referral(tx, work.subject)
    if not is_wanted(tx, work):
        return "stopped"
    handoff = tx.handoffs.get(referral.handoff_id) if referral else None
    if referral is None or handoff is None:
        return stop(house, tx, work, "dead", "its referral is no longer here")
    if (doubt := why_held(handoff)) is not None:
        return stop(house, tx, work, "held", doubt)
    endpoint = house.endpoint(referral.taken_by, referral.transport)
    if work.action == "cancel":
        referral = replace(referral, without_agreement=_CANCELLATION)
    asked = asked_for(handoff, referral)
    made = disclose(house, tx, asked, handoff, referral, _content(tx, handoff, referral, work))
    decision_id = keep_decision(house, tx, made.record, made.inputs, asked, handoff, referral, work.id)
    if isinstance(made.outcome, Refusal):
        is_held = made.record.decision == "HOLD" or bool(made.record.held)
        return stop_refused(house, tx, work, made.record, is_held=is_held)
    if endpoint is None:
        return stop(house, tx, work, "held", f"{referral.taken_by} has no {referral.transport} endpoint in partners/")
    if made.record.held:
        open_held_items(house, tx, referral, made.record)
    return about_to_leave(
        house, tx, work, made.outcome, endpoint, decision_id=decision_id, purpose=" ".join(referral.purpose),
        description=f"{work.action} of a referral, {len(made.outcome.content['entry'])} resources",
    )  # fmt: skip


def asked_for(handoff: Handoff, referral: Referral) -> Asked:
    """Our own worker sends on behalf of the agency that made the referral."""
    return Asked(
        organization=handoff.agency,
        person=("delivery", "worker"),
        recipient=referral.recipient,
        purpose=referral.purpose,
        transport=referral.transport,
        channel=referral.transport,
        via=(referral.via,) if referral.via else (),
    )


def _content(tx: Transaction, handoff: Handoff, referral: Referral, work: Work) -> list[Resource]:
    resources = for_referral(tx.handoffs.resources(handoff.id), referral.id, referral.service_request_id)
    if work.action != "cancel":
        return resources
    return [resource for resource in resources if resource["resourceType"] in _OF_A_CANCELLATION]


def _delivered(house: House, tx: Transaction, claim: Claim, work: Work, result: SendResult, began: datetime) -> bool:
    now = house.clock()
    tx.decisions.confirm(
        message_id=work.message_id, code=result.code, sent=result.sent, answered=result.answered, at=now
    )
    if result.awaits_application:
        await_application(house, tx, work)
    else:
        tx.outbox.set_state(work.id, "delivered", None, now)
    tx.audit.append(AuditEntry(now, "delivery.sent", "worker", {"work": work.id, "code": result.code}))
    return goes_on(house, tx, claim, began)


def try_again(
    house: House, tx: Transaction, claim: Claim, work: Work, reason: str, asked_s: float = 0.0
) -> bool:  # fmt: skip
    """Let the lane rest, for `asked_s` seconds where the receiver asked for it.

    After the last try the work becomes a dead letter, and a lane without a breaker goes on.
    """
    now = house.clock()
    if not tx.outbox.owns(claim, now, house.lease):
        return False
    tries = work.tries + 1
    if tries < house.retry.max_tries:
        tx.outbox.set_state(work.id, "ready", reason, now)
    else:
        _bury(tx, work, f"given up after {tries} tries: {reason}", now)
        if not has_breaker(house, work.lane):
            return True
    rest(house, tx, claim, work.tries, asked_s)
    return False


def give_up(house: House, tx: Transaction, claim: Claim, work: Work, reason: str, began: datetime) -> bool:
    """Make a dead letter of what the receiver refused, for a person; tell whether the lane may go on.

    Who comes too late says nothing: whoever has the lane now may have been answered better.
    """
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return False
    _bury(tx, work, reason, house.clock())
    return goes_on(house, tx, claim, began)


def _bury(tx: Transaction, work: Work, reason: str, now: datetime) -> None:
    tx.outbox.set_state(work.id, "dead", reason, now)
    tx.audit.append(AuditEntry(now, "delivery.dead", "worker", {"work": work.id, "lane": work.lane}))
