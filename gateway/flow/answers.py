"""Step 11 for HL7v2: read a kept message and let it move what it speaks of."""

from typing import cast

from gateway.flow.admissions import take_adt
from gateway.flow.awaited import take_acknowledgement
from gateway.flow.consent_segments import take_consents, with_consents
from gateway.flow.house import House
from gateway.flow.moves import moved, referral_by_identifier
from gateway.flow.numbers import with_numbers
from gateway.flow.outcomes import Outcome, read_or_kept
from gateway.formats.hl7v2 import Unreadable, read_message
from gateway.formats.hl7v2.answers import read_appointment, read_referral_answer
from gateway.model.audit import AuditEntry
from gateway.model.handoff import InputRecord, Referral
from gateway.model.hl7_answer import AppointmentEvent, PersonNamed, ReferralAnswer
from gateway.ports import Transaction
from gateway.tracking.admission import appointment_event
from gateway.tracking.referral_answer import status_event
from gateway.tracking.status import Status, TaskStatus


def take_message(house: House, input_id: str) -> None:
    """Read a kept message; what moves nothing is marked with the reason, and nothing is lost."""

    def take(tx: Transaction) -> None:
        stored = tx.inputs.get(input_id)
        assert stored is not None, "work always points at a kept message"
        state, reason, handoff_id = with_consents(_take(house, tx, stored.payload), take_consents(house, tx, stored))
        tx.inputs.put_records([InputRecord(input_id, 1, state, reason, handoff_id)])
        tx.inputs.set_state(input_id, "quarantined" if state == "quarantined" else "done", reason)
        tx.audit.append(AuditEntry(house.clock(), "message.taken", "worker", {"input": input_id, "state": state}))

    house.database.write(take)


def _take(house: House, tx: Transaction, payload: bytes) -> Outcome:
    message = read_message(payload)
    if isinstance(message, Unreadable):
        return "quarantined", message.reason, None
    code = message.text("MSH-9.1")
    if code in ("RRI", "REF"):
        return read_or_kept(read_referral_answer(message), lambda answer: _take_answer(house, tx, answer))
    if code == "ACK":
        return take_acknowledgement(house, tx, message)
    if code == "SIU":
        return read_or_kept(read_appointment(message), lambda appointment: _take_appointment(house, tx, appointment))
    if code == "ADT":
        return take_adt(house, tx, message)
    return "skipped", "unmapped: a message of this type moves nothing here: kept, and shown", None


def _take_answer(house: House, tx: Transaction, answer: ReferralAnswer) -> Outcome:
    referral = referral_by_identifier(tx, answer.referral)
    if referral is None:
        return "quarantined", "RF1-6: expected the number of a referral of ours, found an unknown one", None
    _learn_numbers(house, tx, referral, answer.person)
    now = house.clock()
    event = status_event(Status(cast(TaskStatus, referral.status), now), answer, now)
    if event is None:
        return "converted", None, referral.handoff_id
    return moved(house, tx, referral, event, external_id=answer.external_id)


def _take_appointment(house: House, tx: Transaction, appointment: AppointmentEvent) -> Outcome:
    referral = referral_by_identifier(tx, appointment.referral) if appointment.referral else None
    if referral is None:
        return "quarantined", "SCH-26: expected the number of a referral of ours, found none or an unknown one", None
    return moved(house, tx, referral, appointment_event(appointment, house.clock()), implied=True)


def _learn_numbers(house: House, tx: Transaction, referral: Referral, named: PersonNamed | None) -> None:
    """Keep the recipient's own numbers of a person, so that its admissions are recognized."""
    person = tx.people.get(referral.person_id)
    if person is None or named is None:
        return
    learned = with_numbers(person, referral.recipient, named.identifiers)
    if learned != person:
        tx.people.save(learned, house.clock())
