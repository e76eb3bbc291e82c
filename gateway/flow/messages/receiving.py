"""HL7v2 messages that come in: kept before they are answered, read afterwards.

What is found out later about a message's content never changes its acknowledgement: it goes to a person.
"""

import hashlib

from gateway.flow.consents.segments import stop_at_once
from gateway.flow.house import House
from gateway.flow.messages.replies import queue_reply
from gateway.flow.messages.watch import DropCounts, answer_of, is_unwatched, population
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.model.audit import AuditEntry
from gateway.model.handoff import StoredInput
from gateway.model.hl7_header import Hl7Header, PeerAddress, Reception
from gateway.ports import SeenMessage, Transaction

_CONTRADICTION = "205"
"""HL7 table 0357, duplicate key identifier: the same MSH-10 with other content."""


def accept_message(house: House, content: bytes, peer: PeerAddress, dropped: DropCounts) -> bytes:
    """Keep a message and return its acknowledgement; the same message again gets the same answer and has no effect.

    Of a feed that is watched, what is about nobody we know is counted in `dropped` and not kept.
    """
    reception = receive(content)
    digest = hashlib.sha256(content).hexdigest()
    feed = population(house, reception, peer)
    if feed is None:
        return house.database.write(lambda tx: _take_in(house, tx, content, digest, peer, reception))
    answer = answer_of(house, content, reception, digest, feed)
    message = read_message(content)
    if isinstance(message, Message) and house.database.read(lambda tx: is_unwatched(tx, message, reception)):
        dropped.add(house, feed)
        return answer
    return house.database.write(lambda tx: _take_in(house, tx, content, digest, peer, reception, answer))


def _take_in(
    house: House,
    tx: Transaction,
    content: bytes,
    digest: str,
    peer: PeerAddress,
    reception: Reception,
    fixed: bytes | None = None,
) -> bytes:
    """Keep a message once and return its answer: the `fixed` one where nothing known here may change it."""
    key = message_key(reception.header)
    seen = tx.messages.seen(*key) if key else None
    if seen is not None and seen.sha256 == digest:
        return seen.answer
    judged = reception
    if seen is not None and reception.verdict == "accept":
        text = "The same MSH-10 came before with other content"
        judged = Reception("error", reception.header, _CONTRADICTION, "MSH-10", text)
    now = house.clock()
    answer = acknowledge(content, judged, house.new_id(), now) if fixed is None else fixed
    input_id = _keep(house, tx, content, digest, peer, judged)
    queue_reply(house, tx, judged if fixed is None else reception, input_id)
    if key and seen is None:
        tx.messages.remember(*key, SeenMessage(digest, answer, input_id), now)
    return answer


def keep_cut(house: House, content: bytes, peer: PeerAddress) -> None:
    """Keep the beginning of a message whose rest never came, for a person; nobody gets an answer."""
    digest = hashlib.sha256(content).hexdigest()
    cut = Reception("error", None, "", "", "the connection ended inside the message")
    house.database.write(lambda tx: _keep(house, tx, content, digest, peer, cut))


def message_key(header: Hl7Header | None) -> tuple[str, str, str] | None:
    """Return by what a message is known again: sending application, facility and MSH-10; None without an MSH-10."""
    if header is None or not header.control_id:
        return None
    return "^".join(header.sending_application), "^".join(header.sending_facility), header.control_id


def _keep(house: House, tx: Transaction, content: bytes, digest: str, peer: PeerAddress, reception: Reception) -> str:
    now = house.clock()
    input_id = house.new_id()
    accepted = reception.verdict == "accept"
    reason = None if accepted else f"{reception.location} {reception.code} {reception.text}".strip()
    header = reception.header
    sender = house.sender(header, peer) if header is not None else None
    stored = StoredInput(
        id=input_id,
        channel="mllp",
        source="hl7v2",
        client=sender[0].id if sender else None,
        media_type="x-application/hl7-v2+er7",
        payload=content,
        sha256=digest,
        received_at=now,
        state="pending" if accepted else "quarantined",
        reason=reason,
        message_type=_joined(header.message_code, header.trigger_event) if header else None,
        sender=_joined(*header.sending_application[:1], *header.sending_facility[:1]) if header else None,
    )
    tx.inputs.add(stored)
    if accepted:
        stop_at_once(house, tx, stored)
        tx.outbox.add(
            lane=f"messages/{peer.host}", kind="answer", subject=input_id, action="create",
            message_id=house.new_id(), version=1, at=now,
        )  # fmt: skip
    tx.audit.append(AuditEntry(now, "message.kept", "mllp", {"input": input_id, "sha256": digest, "taken": accepted}))
    return input_id


def _joined(*parts: str) -> str | None:
    return "^".join(part for part in parts if part) or None
