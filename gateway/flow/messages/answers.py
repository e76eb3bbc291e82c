"""Step 11 for HL7v2: read a kept message and let it move what it speaks of."""

from collections.abc import Callable, Sequence
from typing import cast

from gateway.flow.alerts.appointments import tell_appointment
from gateway.flow.consents.segments import take_consents
from gateway.flow.house import House
from gateway.flow.messages.admissions import take_adt, unmatched
from gateway.flow.messages.awaited import take_acknowledgement
from gateway.flow.messages.feeds import take_record
from gateway.flow.messages.inbound import take_referral
from gateway.flow.messages.numbers import locked_by_number, person_by_number, with_numbers
from gateway.flow.messages.outcomes import UNMAPPED, Outcome, joined, put_outcome, put_outcomes, read_or_kept
from gateway.flow.messages.relays import queue_relays
from gateway.flow.messages.sources import NOT_ITS_RECIPIENT, may_answer_for, place_of, sender_of, why_it_waits
from gateway.flow.moves import is_overtaken, moved, referral_by_identifier
from gateway.flow.people import locked_referral
from gateway.flow.referrals import FINAL
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.answers import read_appointment, read_person_update, read_referral_answer
from gateway.formats.hl7v2.order_answers import read_order_answer
from gateway.formats.hl7v2.referral_words import referral_word
from gateway.formats.hl7v2.statements import RECORD_KINDS
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Referral, StoredInput
from gateway.model.hl7_answer import AppointmentEvent, PersonNamed, ReferralAnswer
from gateway.model.partner import Organization
from gateway.ports import Transaction
from gateway.tracking.admission import appointment_event
from gateway.tracking.referral_answer import status_event
from gateway.tracking.status import Status, StatusEvent, TaskStatus

_ANSWERS = frozenset({"RRI", "OSU"})
_NUMBERS = {"REF": "RF1-6.1", "OMG": "ORC-2.1", "OSU": "ORC-2.1"}
"""Where a message has the number of the referral that it makes or answers."""

_NOT_OF_PRODUCTION = "MSH-11: not of production, so it moves nothing here"


def take_messages(house: House, input_ids: Sequence[str], finish: Callable[[Transaction], bool]) -> bool:
    """Read kept messages in their order; what moves nothing is marked with the reason, and nothing is lost.

    `finish` is called in the same transaction, so that what was done and that it was done are one commit; its word is
    returned.
    """

    def take(tx: Transaction) -> bool:
        outcomes = {}
        for input_id in input_ids:
            stored = tx.inputs.get(input_id)
            assert stored is not None, "work always points at a kept message"
            outcomes[input_id] = _taken(house, tx, stored, "worker")
        put_outcomes(tx, outcomes)
        return finish(tx)

    return house.database.write(take)


def take_one(house: House, tx: Transaction, stored: StoredInput, actor: str) -> None:
    """Read a kept message again, after `actor` has said what was not known of it."""
    put_outcome(tx, stored.id, _taken(house, tx, stored, actor))


def _taken(house: House, tx: Transaction, stored: StoredInput, actor: str) -> Outcome:
    message = read_message(stored.payload, house.registry.charset_of)
    outcome = _take(house, tx, stored, message)
    became = joined(take_consents(house, tx, stored, outcome[2]), outcome)
    tx.audit.append(AuditEntry(house.clock(), "message.taken", actor, {"input": stored.id, "state": became[0]}))
    if isinstance(message, Message) and not is_of_training(house, message):
        queue_relays(house, tx, stored, message)
    return became


def _take(house: House, tx: Transaction, stored: StoredInput, message: Message | Unreadable) -> Outcome:
    if isinstance(message, Unreadable):
        return "quarantined", message.reason, None
    code, sender = message.text("MSH-9.1"), sender_of(house, stored)
    if is_of_training(house, message) and code != "ACK":
        is_about_referral = code in _ANSWERS or referral_word(message) is not None
        return "quarantined" if is_about_referral else "skipped", _NOT_OF_PRODUCTION, None
    if sender is None:
        return "quarantined", why_it_waits(house, message), None
    return _take_from(house, tx, stored, sender, message)


def _take_from(house: House, tx: Transaction, stored: StoredInput, sender: Organization, message: Message) -> Outcome:
    """Take a message as the word of a partner."""
    code, is_of_ours, zone = message.text("MSH-9.1"), _is_of_ours(tx, message), house.timezone_of(sender)
    if not is_of_ours and (referred := take_referral(house, tx, stored, sender, message)) is not None:
        return referred
    if code in ("RRI", "REF"):
        return read_or_kept(read_referral_answer(message, zone), lambda answer: _take_answer(house, tx, sender, answer))
    if code == "ACK":
        return take_acknowledgement(house, tx, sender, message)
    fed = take_record(house, tx, stored, sender, message)
    if code == "ADT":
        return joined(take_adt(house, tx, sender, message, fed), fed.made)
    if code == "SIU":
        moved_by = read_or_kept(read_appointment(message, zone), lambda one: _take_appointment(house, tx, sender, one))
        return joined(moved_by, fed.made)
    if is_of_ours:
        answered = read_or_kept(
            read_order_answer(message, zone), lambda answer: _take_answer(house, tx, sender, answer)
        )
        return joined(answered, fed.made)
    return fed.outcome or _unrecorded(house, tx, message)


def is_of_training(house: House, message: Message) -> bool:
    """Say whether a message is of training or debugging (MSH-11, HL7 table 0103), and this installation is not."""
    return house.processing_id == "P" and message.text("MSH-11.1").strip() in ("T", "D")


def _is_of_ours(tx: Transaction, message: Message) -> bool:
    """Say whether a REF, OMG or OSU is about a referral that we sent: it has our number."""
    path = _NUMBERS.get(message.text("MSH-9.1"))
    return path is not None and referral_by_identifier(tx, message.text(path)) is not None


def _unrecorded(house: House, tx: Transaction, message: Message) -> Outcome:
    """Say why a message that is no answer made no record."""
    named = read_person_update(message)
    if message.text("MSH-9.1") not in RECORD_KINDS or isinstance(named, Unreadable):
        return "skipped", f"{UNMAPPED}a message of this type moves nothing here: kept, and shown", None
    if person_by_number(house, tx, named.identifiers) is None:
        return unmatched(tx, named)
    return "skipped", f"{UNMAPPED}nothing in it is mapped: kept, and shown", None


def _take_answer(house: House, tx: Transaction, sender: Organization, answer: ReferralAnswer) -> Outcome:
    referral = _locked(tx, answer.referral)
    if referral is None:
        return "quarantined", "RF1-6: expected the number of a referral of ours, found an unknown one", None
    if not may_answer_for(sender, referral):
        return "quarantined", NOT_ITS_RECIPIENT, None
    _learn_numbers(house, tx, referral, answer.person)
    now = house.clock()
    event = status_event(Status(cast(TaskStatus, referral.status), now), answer, now)
    if event is None:
        return "converted", None, referral.handoff_id
    # Who completes an order has begun it, and who begins it has accepted it, also where nobody said so.
    is_implied = answer.status in ("in-progress", "completed")
    return moved(house, tx, referral, event, implied=is_implied, external_id=answer.external_id)


def _locked(tx: Transaction, number: str) -> Referral | None:
    """Return the referral of this number as it stands: nobody else moves it before this message has."""
    found = referral_by_identifier(tx, number)
    return locked_referral(tx, found.id) if found is not None else None


def _take_appointment(house: House, tx: Transaction, sender: Organization, appointment: AppointmentEvent) -> Outcome:
    """Move the referral that an appointment names, else the one that is open at its place for this person."""
    event = appointment_event(appointment, house.clock())
    referral = _locked(tx, appointment.referral) if appointment.referral else None
    if referral is not None and not may_answer_for(sender, referral):
        return "quarantined", NOT_ITS_RECIPIENT, None
    if referral is not None:
        return _appointed(house, tx, referral, appointment, event)
    named = appointment.person
    if named is None:
        return "quarantined", "SCH-26: expected the number of a referral of ours, found none or an unknown one", None
    known = locked_by_number(house, tx, named.identifiers)
    if known is None:
        return unmatched(tx, named)
    there = place_of(sender, known[1])
    still_open = [
        one for one in tx.referrals.of_person(known[0].id) if one.recipient == there and one.status not in FINAL
    ]
    if appointment.referral or not still_open:
        return "skipped", "it is an appointment of a known person for no referral of ours", None
    if len(still_open) > 1:
        return "quarantined", "SCH-26: its person has several open referrals there: say which it is for", None
    return _appointed(house, tx, still_open[0], appointment, event)


def _appointed(
    house: House, tx: Transaction, referral: Referral, appointment: AppointmentEvent, event: StatusEvent
) -> Outcome:
    """Move a referral by its appointment, and tell who wrote it; a late word on it is not told."""
    is_late = is_overtaken(tx, referral, event)
    outcome = moved(house, tx, referral, event, implied=True)
    if outcome[0] == "converted" and not is_late:
        said = (appointment.appointment_id, appointment.event, appointment.starts_at or "")
        tell_appointment(house, tx, referral, appointment.kind, starts_at=appointment.starts_at, told_by="^".join(said))
    return outcome


def _learn_numbers(house: House, tx: Transaction, referral: Referral, named: PersonNamed | None) -> None:
    """Keep the recipient's own numbers of a person, so that its admissions are recognized."""
    person = tx.people.get(referral.person_id)
    if person is None or named is None:
        return
    learned = with_numbers(person, referral.recipient, named.identifiers)
    if learned != person:
        tx.people.save(learned, house.clock())
