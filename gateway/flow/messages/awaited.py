"""Deliveries that a receiver's system has (CA) and its application has not answered: a state of its own, with an end.

HL7 v2.5.1 ch. 2.9.3: in enhanced mode the second answer comes as a message of its own, minutes or hours later.
"""

from gateway.flow.house import House
from gateway.flow.messages.outcomes import Outcome
from gateway.flow.messages.sources import NOT_ITS_RECIPIENT, may_answer
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.acknowledgement import read_acknowledgement
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Work, WorkState
from gateway.model.partner import Organization
from gateway.ports import Claim, Transaction
from gateway.tracking.acknowledgement import judge

LANE = "application-answers"
"""Where the looks at the clock wait; all have the same patience, so the first in the lane is the first due."""

_UNANSWERED = "CA, and no application answer within"

_MAY_BE_ANSWERED: tuple[WorkState, ...] = ("awaiting", "sending", "dead")
"""The answer may overtake the CA, and may come when nobody expected it any more."""


def _answer_to(work_id: int) -> str:
    return f"the answer to work {work_id}"


def await_application(house: House, tx: Transaction, work: Work) -> None:
    """Let a delivery wait for its application answer, unless that has come already."""
    now = house.clock()
    tx.turns.take(_answer_to(work.id))  # the answer may come while this is written
    current = tx.outbox.get(work.id)
    if current is None or current.state != "sending":
        return
    tx.outbox.set_state(work.id, "awaiting", "CA; its application has not answered yet", now)
    tx.outbox.add(
        lane=LANE, kind="await", subject=str(work.id), action=work.action, message_id=house.new_id(),
        version=work.version, at=now,
    )  # fmt: skip


def is_unanswered(work: Work) -> bool:
    """Tell whether the receiver's system has a delivery that was given up for its application has not answered."""
    return work.state == "dead" and (work.reason or "").startswith(_UNANSWERED)


def look(house: House, claim: Claim, piece: Work) -> bool:
    """Give up on an application that has not answered in time; tell whether the lane may go on with the next."""

    def give_up(tx: Transaction) -> bool:
        now, due = house.clock(), piece.created_at + house.answer_within
        if not tx.outbox.owns(claim, now, house.lease):
            return False
        if now < due:
            tx.outbox.back_off(piece.lane, due)
            return False
        tx.turns.take(_answer_to(int(piece.subject)))
        work = tx.outbox.get(int(piece.subject))
        if work is not None and work.state == "awaiting" and work.updated_at <= piece.created_at:
            hours = house.answer_within.total_seconds() / 3600
            tx.outbox.set_state(work.id, "dead", f"{_UNANSWERED} {hours:g} hours", now)
            tx.audit.append(AuditEntry(now, "delivery.unanswered", "worker", {"work": work.id}))
        tx.outbox.set_state(piece.id, "delivered", None, now)
        return True

    return house.database.write(give_up)


def take_acknowledgement(house: House, tx: Transaction, sender: Organization, message: Message) -> Outcome:
    """Take an ACK that came as a message of its own: the application answer to something we sent."""
    acknowledgement = read_acknowledgement(message.raw)
    if acknowledgement is None:
        return "quarantined", "MSA-1: expected an acknowledgement code, found none of HL7 table 0008", None
    work = _awaited(tx, acknowledgement.control_id)
    if work is None or acknowledgement.code.startswith("C"):
        return "skipped", "MSA-2: an answer to no message of ours that waits for one", None
    if not may_answer(sender, tx, work):
        return "quarantined", NOT_ITS_RECIPIENT, None
    answered = tx.referrals.get(work.subject)
    outcome = judge(acknowledgement)
    now = house.clock()
    tx.turns.take(_answer_to(work.id))
    if outcome.kind == "accepted":
        tx.outbox.set_state(work.id, "delivered", None, now)
    else:
        # Its system took the message and its application did not: nothing that the same bytes would change.
        tx.outbox.set_state(work.id, "dead", f"its application refused: {outcome.reason}", now)
    told = {"work": work.id, "code": acknowledgement.code}
    tx.audit.append(AuditEntry(now, "delivery.answered", "mllp", told))
    return "converted", f"the application answer {acknowledgement.code}", answered.handoff_id if answered else None


def _awaited(tx: Transaction, control_id: str) -> Work | None:
    """Find what was sent under this MSH-10 and may still be answered; what waits for it comes first."""
    sent = [work for work in tx.outbox.sent_as(control_id) if work.state in _MAY_BE_ANSWERED]
    return min(sent, key=lambda work: _MAY_BE_ANSWERED.index(work.state), default=None)
