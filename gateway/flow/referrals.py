"""Keep referrals and the work of sending them in step with the record they come from."""

from dataclasses import replace
from datetime import datetime

from gateway.flow.addressing import Addressed
from gateway.flow.alerts.waiting import resume_alerts
from gateway.flow.house import House
from gateway.flow.messages.awaited import is_unanswered
from gateway.flow.news import sees_more, what_it_sees
from gateway.model.handoff import DeliveryAction, Handoff, Referral, Work, WorkState
from gateway.ports import Transaction

FINAL = frozenset({"completed", "rejected", "failed", "cancelled", "entered-in-error"})
"""Task states that nothing follows (FHIR R4 Task state machine)."""

_REACHED = frozenset({"sending", "awaiting", "delivered"})
"""Work in these states has, or may have, reached its recipient; so has what its system took and nobody answered."""


def seen_before(house: House, tx: Transaction, handoff: Handoff) -> dict[str, bytes]:
    """Return what each recipient who has a referral of a handoff may see of it, before the handoff changes."""
    reached = [one for one in tx.referrals.of_handoff(handoff.id) if may_have_reached(tx, one.id)]
    seen = {one.id: what_it_sees(house, tx, handoff, one) for one in reached}
    return {task_id: view for task_id, view in seen.items() if view is not None}


def enqueue(
    house: House,
    tx: Transaction,
    handoff: Handoff,
    one: Addressed,
    person_id: str,
    *,
    hold: str | None,
    before: bytes | None = None,
) -> None:
    """Store one addressed referral and the work that brings its recipient up to date.

    A recipient who has it gets an update, unless what it may see is still what it was `before`; work that never left
    is decided anew with the newest content.
    """
    now = house.clock()
    known = tx.referrals.get(one.task["id"])
    referral = _referral(handoff, one, person_id, known, now)
    tx.referrals.save(referral)
    if before is not None and what_it_sees(house, tx, handoff, referral) == before:
        return
    if known is not None:
        tx.referrals.save(replace(referral, updated_at=now))
    if known is not None and known.status in FINAL:
        return
    work = tx.outbox.of_subject(one.task["id"])
    state: WorkState = "held" if hold else "ready"
    if any(map(_has_reached, work)):
        _supersede(house, tx, work)
        add_work(house, tx, one.task["id"], referral.lane, "update", handoff.version, state, hold)
    elif unfinished := [piece for piece in work if piece.state != "superseded"]:
        tx.outbox.set_state(unfinished[-1].id, state, hold, now)
    else:
        add_work(house, tx, one.task["id"], referral.lane, "create", handoff.version, state, hold)


def _referral(handoff: Handoff, one: Addressed, person_id: str, known: Referral | None, now: datetime) -> Referral:
    return Referral(
        id=one.task["id"],
        handoff_id=handoff.id,
        service_request_id=one.service_request["id"],
        identifier=one.identifier,
        person_id=person_id,
        recipient=one.recipient.organization,
        transport=one.recipient.transport,
        purpose=one.recipient.purpose,
        status=known.status if known else one.task["status"],
        business_status=known.business_status if known else None,
        reason=known.reason if known else None,
        external_id=known.external_id if known else None,
        updated_at=known.updated_at if known else now,
        without_agreement=one.recipient.without_agreement,
        via=one.recipient.via,
    )


def cancel(house: House, tx: Transaction, referral: Referral, version: int) -> None:
    """Stop what is queued for a referral, and tell its recipient if it may have arrived."""
    work = tx.outbox.of_subject(referral.id)
    _supersede(house, tx, work)
    if any(map(_has_reached, work)) and referral.status not in FINAL:
        add_work(house, tx, referral.id, referral.lane, "cancel", version, "ready", None)


def may_have_reached(tx: Transaction, referral_id: str) -> bool:
    """Say whether a referral has left for its recipient, or may have: a try that failed can have arrived."""
    return any(_has_reached(piece) or piece.tries > 0 for piece in tx.outbox.of_subject(referral_id))


def reopen_refused(house: House, tx: Transaction, person_id: str) -> None:
    """Let refused work of a person be decided again, alerts too, for what it lacked may have come.

    Who was sent a part of a record and may now have more of it gets that as an update.
    """
    resume_alerts(house, tx, person_id, lambda alert: alert.state == "refused")
    for referral in tx.referrals.of_person(person_id):
        work = tx.outbox.of_subject(referral.id)
        for piece in work:
            if piece.state == "refused":
                tx.outbox.set_state(piece.id, "ready", None, house.clock())
        is_under_way = any(piece.state in ("refused", "ready", "held") for piece in work)
        handoff = tx.handoffs.get(referral.handoff_id)
        if handoff is None or handoff.state == "held" or is_under_way or referral.status in FINAL:
            continue
        if sees_more(house, tx, referral):
            add_work(house, tx, referral.id, referral.lane, "update", handoff.version, "ready", None)


def release_held(house: House, tx: Transaction, handoff_id: str) -> None:
    """Let held work of a handoff go on once a person has decided who it is about."""
    for referral in tx.referrals.of_handoff(handoff_id):
        for piece in tx.outbox.of_subject(referral.id):
            if piece.state == "held":
                tx.outbox.set_state(piece.id, "ready", None, house.clock())


def add_work(
    house: House,
    tx: Transaction,
    referral_id: str,
    lane: str,
    action: DeliveryAction,
    version: int,
    state: WorkState,
    reason: str | None,
) -> None:
    """Enqueue one delivery with a message id of its own."""
    tx.outbox.add(
        lane=lane, kind="deliver", subject=referral_id, action=action, message_id=house.new_id(), version=version,
        at=house.clock(), state=state, reason=reason,
    )  # fmt: skip


def _has_reached(piece: Work) -> bool:
    return piece.state in _REACHED or is_unanswered(piece)


def _supersede(house: House, tx: Transaction, work: list[Work]) -> None:
    for piece in work:
        if not _has_reached(piece) and piece.state != "superseded":
            tx.outbox.set_state(piece.id, "superseded", "a newer version of the record took its place", house.clock())
