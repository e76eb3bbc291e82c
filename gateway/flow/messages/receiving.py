"""HL7v2 messages that come in: kept before they are answered, read afterwards.

What is found out later about a message's content never changes its acknowledgement: it goes to a person.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.flow.consents.segments import stop_at_once
from gateway.flow.house import House
from gateway.flow.messages.replies import queue_reply
from gateway.flow.messages.watch import DropCounts, Population, answer_of, is_unwatched, population
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, answer_to, judge
from gateway.formats.hl7v2.consent_segments import has_consents
from gateway.model.audit import AuditEntry
from gateway.model.handoff import MessageKey, StoredInput
from gateway.model.hl7_header import Hl7Header, PeerAddress, Reception
from gateway.model.ids import id_in_order
from gateway.ports import NewWork, SeenMessage, SharedWork, Transaction

_CONTRADICTION = "205"
"""HL7 table 0357, duplicate key identifier: the same MSH-10 with other content."""


KNOWN_AGAIN_FOR = timedelta(days=30)
"""How long a message is known by its MSH-10; senders repeat within hours, and their numbers come round in months."""


_READ_IN_TURN_BYTES = 64 * 1024
"""Who writes reads what is shorter himself; longer messages would hold up the others meanwhile.

Connections that all read at once take the interpreter from each other: that cost more than the reading.
"""


@dataclass(frozen=True, slots=True)
class _Unread:
    """A message as it came."""

    house: House
    content: bytes
    peer: PeerAddress


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message with all that can be found out from it alone."""

    house: House
    stored: StoredInput
    """What is kept of it, unless it came before."""
    host: str
    reception: Reception
    is_watched: bool
    """Its answer follows from it alone, and nothing that is known here may show in it."""
    may_forbid: bool
    """It may hold a CON."""


def accept_message(house: House, content: bytes, peer: PeerAddress, dropped: DropCounts) -> bytes:
    """Keep a message and return its acknowledgement; the same message again gets the same answer and has no effect.

    Of a feed that is watched, what is about nobody we know is counted in `dropped` and not kept.
    """
    unread = _Unread(house, content, peer)
    if len(content) <= _READ_IN_TURN_BYTES and not house.registry.watches_feeds:
        return house.database.write(SharedWork(_take_in, unread))
    message = read_message(content, house.registry.charset_of)
    reception = judge(message, content)
    feed = population(house, reception, peer)
    arrival = _arrival(unread, message, reception, feed)
    if feed is None or isinstance(message, Unreadable):
        return house.database.write(SharedWork(_take_in, arrival))
    if house.database.read(lambda tx: is_unwatched(tx, message, reception)):
        dropped.add(house, feed)
        return arrival.stored.answer or b""
    return house.database.write(SharedWork(_take_in, arrival))


def keep_cut(house: House, content: bytes, peer: PeerAddress) -> None:
    """Keep the beginning of a message whose rest never came, for a person; nobody gets an answer."""
    cut = Reception("error", None, "", "", "the connection ended inside the message")
    stored = _input(house, content, hashlib.sha256(content).hexdigest(), peer, cut, None)
    arrival = _Arrival(house, stored, peer.host, cut, is_watched=False, may_forbid=False)
    house.database.write(SharedWork(_take_in, arrival))


def _read(unread: _Unread) -> _Arrival:
    """Find out what can be found out about a message of no watched feed."""
    message = read_message(unread.content, unread.house.registry.charset_of)
    return _arrival(unread, message, judge(message, unread.content), None)


def _arrival(unread: _Unread, message: Message | Unreadable, reception: Reception, feed: Population | None) -> _Arrival:
    house, content = unread.house, unread.content
    digest = hashlib.sha256(content).hexdigest()
    if feed is None:
        answer = answer_to(message, reception, house.new_id(), house.clock())
    else:
        answer = answer_of(house, content, reception, digest, feed)
    stored = _input(house, content, digest, unread.peer, reception, answer)
    return _Arrival(house, stored, unread.peer.host, reception, feed is not None, has_consents(content))


def _input(
    house: House, content: bytes, sha256: str, peer: PeerAddress, reception: Reception, answer: bytes | None
) -> StoredInput:
    accepted, header, now = reception.verdict == "accept", reception.header, house.clock()
    sender = house.sender(header, peer) if header is not None else None
    return StoredInput(
        id=id_in_order(now, house.new_id()),
        channel="mllp",
        source="hl7v2",
        client=sender[0].id if sender else None,
        media_type="x-application/hl7-v2+er7",
        payload=content,
        sha256=sha256,
        received_at=now,
        state="pending" if accepted else "quarantined",
        reason=None if accepted else _reason(reception),
        message_type=_joined(header.message_code, header.trigger_event) if header else None,
        sender=_joined(*header.sending_application[:1], *header.sending_facility[:1]) if header else None,
        known_by=_key(reception, sha256, is_proven=sender is not None or not _is_claimed(house, header)),
        answer=answer,
    )


def _is_claimed(house: House, header: Hl7Header | None) -> bool:
    """Tell whether a partner sends under these names."""
    names = (header.sending_application, header.sending_facility) if header is not None else ((), ())
    return house.registry.sender(*("".join(name[:1]) for name in names)) is not None


def _key(reception: Reception, sha256: str, *, is_proven: bool) -> MessageKey | None:
    """Return by what a message is known again: sending application, facility and MSH-10; None without an MSH-10.

    What was refused is known by its bytes too: its sender may mend it and send it again under the same MSH-10 (HL7
    v2.5.1 ch. 2.9.2.2). So is what came under a partner's names without the certificate of its feed: it must not take
    the number of what that partner will send.
    """
    header = reception.header
    if header is None or not header.control_id:
        return None
    is_known_by_number = reception.verdict == "accept" and is_proven
    control_id = header.control_id if is_known_by_number else f"{header.control_id} {sha256}"
    return "^".join(header.sending_application), "^".join(header.sending_facility), control_id


def _reason(reception: Reception) -> str:
    return f"{reception.location} {reception.code} {reception.text}".strip()


def _joined(*parts: str) -> str | None:
    return "^".join(part for part in parts if part) or None


def _take_in(tx: Transaction, messages: Sequence[_Arrival | _Unread]) -> list[bytes]:
    """Keep messages, each once, and return their answers: to one that came before, the answer it got then."""
    arrivals = [_read(one) if isinstance(one, _Unread) else one for one in messages]
    known = _known(tx, [one.stored for one in arrivals])
    answers, new = [], []
    for arrival in arrivals:
        one, key = arrival, arrival.stored.known_by
        seen = known[key] if key is not None else None
        if seen is None:
            tx.inputs.add(one.stored)
        elif seen.input_id != one.stored.id:
            if seen.sha256 == one.stored.sha256:
                answers.append(seen.answer)
                continue
            one = _contradicting(one)
            tx.inputs.add(one.stored)
        answers.append(one.stored.answer or b"")
        new.append(one)
    _see_to(tx, new)
    return answers


def _known(tx: Transaction, arrived: Sequence[StoredInput]) -> Mapping[MessageKey, SeenMessage]:
    """Keep the messages whose keys nobody has, and return who has each key now."""
    firsts: dict[MessageKey, StoredInput] = {}
    for one in arrived:
        if one.known_by is not None:
            firsts.setdefault(one.known_by, one)
    known = tx.messages.add([*firsts.values()])
    outlived = {key: seen.input_id for key, seen in known.items() if _is_outlived(seen, firsts[key].received_at)}
    if not outlived:
        return known
    tx.messages.forget(outlived.values())
    return {**known, **tx.messages.add([firsts[key] for key in outlived])}


def _is_outlived(seen: SeenMessage, now: datetime) -> bool:
    """Tell whether a message is known no more; one that is unread or waits for a person is, for as long as it does."""
    return seen.state == "done" and seen.at <= now - KNOWN_AGAIN_FOR


def _contradicting(one: _Arrival) -> _Arrival:
    """Judge a message again whose MSH-10 stands for another one."""
    stored, judged = replace(one.stored, known_by=None), one.reception
    if judged.verdict == "accept":
        text = "The same MSH-10 came before with other content"
        judged = Reception("error", one.reception.header, _CONTRADICTION, "MSH-10", text)
        stored = replace(stored, state="quarantined", reason=_reason(judged))
    if one.is_watched:
        return replace(one, stored=stored)
    answer = acknowledge(stored.payload, judged, one.house.new_id(), one.house.clock())
    return replace(one, stored=replace(stored, answer=answer), reception=judged)


def _see_to(tx: Transaction, kept: Sequence[_Arrival]) -> None:
    """Queue what is to be done about messages that were just kept."""
    accepted = [one for one in kept if one.stored.state == "pending"]
    for one in accepted:
        if one.may_forbid:
            stop_at_once(one.house, tx, one.stored)
    tx.outbox.add_all([_reading(one) for one in accepted])
    for one in kept:
        queue_reply(one.house, tx, one.reception, one.stored.id)
        told = {"input": one.stored.id, "sha256": one.stored.sha256, "taken": one.stored.state == "pending"}
        tx.audit.append(AuditEntry(one.stored.received_at, "message.kept", "mllp", told))


def _reading(one: _Arrival) -> NewWork:
    stored = one.stored
    return NewWork(f"messages/{one.host}", "answer", stored.id, "create", one.house.new_id(), 1, stored.received_at)
