"""HL7v2 messages that come in: kept before they are answered, read afterwards.

What is found out later about a message's content never changes its acknowledgement: it goes to a person.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.flow.consents.segments import stop_at_once
from gateway.flow.house import House
from gateway.flow.messages.replies import queue_reply
from gateway.flow.messages.watch import DropCounts, answer_of, is_unwatched, population
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, answer_to, judge
from gateway.formats.hl7v2.consent_segments import has_consents
from gateway.model.audit import AuditEntry
from gateway.model.handoff import StoredInput
from gateway.model.hl7_header import PeerAddress, Reception
from gateway.ports import MessageKey, NewWork, SeenMessage, SharedWork, Transaction

_CONTRADICTION = "205"
"""HL7 table 0357, duplicate key identifier: the same MSH-10 with other content."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message with all that can be found out before its turn to be written comes: whoever writes holds up others."""

    house: House
    id: str
    """Of the input it becomes, unless it came before."""
    content: bytes
    sha256: str
    peer: PeerAddress
    reception: Reception
    answer: bytes
    is_watched: bool
    """Its answer follows from it alone, and nothing that is known here may show in it."""
    may_forbid: bool
    """It may hold a CON."""

    @property
    def key(self) -> MessageKey | None:
        """Return by what it is known again; None without an MSH-10."""
        return message_key(self.reception, self.sha256)


def accept_message(house: House, content: bytes, peer: PeerAddress, dropped: DropCounts) -> bytes:
    """Keep a message and return its acknowledgement; the same message again gets the same answer and has no effect.

    Of a feed that is watched, what is about nobody we know is counted in `dropped` and not kept.
    """
    message = read_message(content)
    reception = judge(message, content)
    digest = hashlib.sha256(content).hexdigest()
    feed = population(house, reception, peer)
    if feed is None:
        answer = answer_to(message, reception, house.new_id(), house.clock())
    else:
        answer = answer_of(house, content, reception, digest, feed)
        if isinstance(message, Message) and house.database.read(lambda tx: is_unwatched(tx, message, reception)):
            dropped.add(house, feed)
            return answer
    arrival = _Arrival(
        house, house.new_id(), content, digest, peer, reception, answer,
        is_watched=feed is not None, may_forbid=has_consents(content),
    )  # fmt: skip
    return house.database.write(SharedWork(_take_in, arrival))


def keep_cut(house: House, content: bytes, peer: PeerAddress) -> None:
    """Keep the beginning of a message whose rest never came, for a person; nobody gets an answer."""
    digest = hashlib.sha256(content).hexdigest()
    cut = Reception("error", None, "", "", "the connection ended inside the message")
    arrival = _Arrival(
        house, house.new_id(), content, digest, peer, cut, b"", is_watched=False, may_forbid=False
    )  # fmt: skip
    house.database.write(SharedWork(_take_in, arrival))


def message_key(reception: Reception, sha256: str) -> MessageKey | None:
    """Return by what a message is known again: sending application, facility and MSH-10; None without an MSH-10.

    What was refused is known by its bytes too: its sender may mend it and send it again under the same MSH-10 (HL7
    v2.5.1 ch. 2.9.2.2).
    """
    header = reception.header
    if header is None or not header.control_id:
        return None
    control_id = header.control_id if reception.verdict == "accept" else f"{header.control_id} {sha256}"
    return "^".join(header.sending_application), "^".join(header.sending_facility), control_id


def _take_in(tx: Transaction, arrivals: Sequence[_Arrival]) -> list[bytes]:
    """Keep messages, each once, and return their answers: to one that came before, the answer it got then."""
    now = arrivals[0].house.clock()
    taken: dict[MessageKey, SeenMessage] = {}
    for one in arrivals:
        if one.key is not None:
            taken.setdefault(one.key, SeenMessage(one.sha256, one.answer, one.id))
    known = tx.messages.remember(taken, now)
    answers, new = [], []
    for one in arrivals:
        seen = known[one.key] if one.key is not None else None
        came_before = seen is not None and seen.input_id != one.id
        if seen is not None and came_before and seen.sha256 == one.sha256:
            answers.append(seen.answer)
        elif came_before and one.reception.verdict == "accept":
            text = "The same MSH-10 came before with other content"
            judged = Reception("error", one.reception.header, _CONTRADICTION, "MSH-10", text)
            new.append((one, judged))
            answers.append(one.answer if one.is_watched else _answer(one, judged))
        else:
            new.append((one, one.reception))
            answers.append(one.answer)
    _keep(tx, new, now)
    return answers


def _answer(one: _Arrival, judged: Reception) -> bytes:
    return acknowledge(one.content, judged, one.house.new_id(), one.house.clock())


def _keep(tx: Transaction, new: Sequence[tuple[_Arrival, Reception]], now: datetime) -> None:
    """Keep messages as they were judged, and queue what is to be done about each."""
    stored = [_input(one, judged, now) for one, judged in new]
    accepted = [(one, kept) for (one, _), kept in zip(new, stored, strict=True) if kept.state == "pending"]
    tx.inputs.add(*stored)
    for one, kept in accepted:
        if one.may_forbid:
            stop_at_once(one.house, tx, kept)
    tx.outbox.add_all([_reading(one, now) for one, _ in accepted])
    for one, judged in new:
        queue_reply(one.house, tx, one.reception if one.is_watched else judged, one.id)
        told = {"input": one.id, "sha256": one.sha256, "taken": judged.verdict == "accept"}
        tx.audit.append(AuditEntry(now, "message.kept", "mllp", told))


def _reading(one: _Arrival, now: datetime) -> NewWork:
    return NewWork(f"messages/{one.peer.host}", "answer", one.id, "create", one.house.new_id(), 1, now)


def _input(one: _Arrival, judged: Reception, now: datetime) -> StoredInput:
    accepted = judged.verdict == "accept"
    header = judged.header
    sender = one.house.sender(header, one.peer) if header is not None else None
    return StoredInput(
        id=one.id,
        channel="mllp",
        source="hl7v2",
        client=sender[0].id if sender else None,
        media_type="x-application/hl7-v2+er7",
        payload=one.content,
        sha256=one.sha256,
        received_at=now,
        state="pending" if accepted else "quarantined",
        reason=None if accepted else f"{judged.location} {judged.code} {judged.text}".strip(),
        message_type=_joined(header.message_code, header.trigger_event) if header else None,
        sender=_joined(*header.sending_application[:1], *header.sending_facility[:1]) if header else None,
    )


def _joined(*parts: str) -> str | None:
    return "^".join(part for part in parts if part) or None
