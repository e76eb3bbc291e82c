"""The application answer that a sender in enhanced mode waits for: a message of its own, over the reply link.

HL7 v2.5.1 ch. 2.9.3.2. The reply link is the hl7v2 endpoint of the partner whose application and facility sent the
message; where the registry has none, nothing can be sent back, and the sender has its CA.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.flow.deliver import give_up, try_again
from gateway.flow.house import House
from gateway.flow.pacing import goes_on
from gateway.flow.sending import claimed
from gateway.formats.hl7v2.acknowledgement import owes_application_answer, receive
from gateway.model.audit import AuditEntry
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import SendResult, Work
from gateway.model.hl7_header import Reception
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.ports import Claim, Transaction


@dataclass(frozen=True, slots=True)
class _Ready:
    received: bytes
    endpoint: Endpoint


def queue_reply(house: House, tx: Transaction, reception: Reception, input_id: str) -> None:
    """Enqueue the application answer to a message that was just kept, where one is owed and there is a reply link."""
    if reception.header is None or not owes_application_answer(reception):
        return
    link = house.reply_link(reception.header)
    if link is None:
        return
    organization, _ = link
    tx.outbox.add(
        lane=f"{organization.id}/hl7v2", kind="acknowledge", subject=input_id, action="create",
        message_id=house.new_id(), version=1, at=house.clock(),
    )  # fmt: skip


def reply(house: House, claim: Claim, work: Work) -> bool:
    """Send one application answer; tell whether its lane may go on with the next."""
    prepared = claimed(house, lambda tx: _prepare(house, tx, claim, work))
    if isinstance(prepared, str):
        return prepared == "stopped"
    envelope = Envelope(work.message_id, work.action, work.created_at.isoformat())
    began = house.clock()
    try:
        result = house.acknowledge(prepared.received, prepared.endpoint, envelope)
    except TryLater as error:
        reason = str(error)
        return house.database.write(lambda tx: try_again(house, tx, claim, work, reason))
    except WillNeverWork as error:
        reason = str(error)
        return house.database.write(lambda tx: give_up(house, tx, claim, work, reason, began))
    return house.database.write(lambda tx: _replied(house, tx, claim, work, result, began))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> _Ready | Literal["lost", "stopped"]:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    stored = tx.inputs.get(work.subject)
    header = receive(stored.payload, house.registry.charset_of).header if stored else None
    link = house.reply_link(header) if header else None
    if stored is None or link is None:
        reason = "no partner has an hl7v2 endpoint with this sender's application and facility any more"
        tx.outbox.set_state(work.id, "dead", reason, house.clock())
        return "stopped"
    tx.outbox.set_state(work.id, "sending", None, house.clock())
    return _Ready(stored.payload, link[1])


def _replied(house: House, tx: Transaction, claim: Claim, work: Work, result: SendResult, began: datetime) -> bool:
    now = house.clock()
    tx.outbox.set_state(work.id, "delivered", None, now)
    tx.audit.append(AuditEntry(now, "message.answered", "worker", {"input": work.subject, "code": result.code}))
    return goes_on(house, tx, claim, began)
