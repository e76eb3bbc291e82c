"""Step 11 for HL7v2: read a kept message and let it move what it speaks of."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, cast

from gateway.flow.awaited import take_acknowledgement
from gateway.flow.house import House
from gateway.flow.moves import move, referral_by_identifier
from gateway.flow.outcomes import Outcome
from gateway.flow.people import PERSON_ID
from gateway.formats.hl7v2 import Unreadable, read_message
from gateway.formats.hl7v2.answers import read_admission, read_appointment, read_referral_answer
from gateway.identity import match
from gateway.model.audit import AuditEntry
from gateway.model.handoff import InputRecord, Person, RecordState, Referral
from gateway.model.hl7_answer import AdmissionEvent, AppointmentEvent, PersonNamed, ReferralAnswer
from gateway.ports import Transaction
from gateway.tracking.admission import admission_event, appointment_event
from gateway.tracking.referral_answer import status_event
from gateway.tracking.status import Status, StatusEvent, TaskStatus

T = TypeVar("T")

_UNSUPPORTED_EVENT = "201"
"""HL7 table 0357."""

_OPEN = frozenset({"requested", "accepted", "in-progress", "on-hold"})


def take_message(house: House, input_id: str) -> None:
    """Read a kept message; what moves nothing is marked with the reason, and nothing is lost."""

    def take(tx: Transaction) -> None:
        stored = tx.inputs.get(input_id)
        assert stored is not None, "work always points at a kept message"
        state, reason, handoff_id = _take(house, tx, stored.payload)
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
        return _read(read_referral_answer(message), lambda answer: _take_answer(house, tx, answer))
    if code == "ACK":
        return take_acknowledgement(house, tx, message)
    if code == "SIU":
        return _read(read_appointment(message), lambda appointment: _take_appointment(house, tx, appointment))
    if code == "ADT":
        return _read(read_admission(message), lambda admission: _take_admission(house, tx, admission))
    return "skipped", "a message of this type moves nothing here yet: kept, and shown", None


def _read(read: T | Unreadable, take: Callable[[T], Outcome]) -> Outcome:
    """Take what was read; an event of a known type that has no meaning for referrals is kept and shown."""
    if not isinstance(read, Unreadable):
        return take(read)
    state: RecordState = "skipped" if read.code == _UNSUPPORTED_EVENT else "quarantined"
    return state, f"{read.location}: {read.reason}", None


def _take_answer(house: House, tx: Transaction, answer: ReferralAnswer) -> Outcome:
    referral = referral_by_identifier(tx, answer.referral)
    if referral is None:
        return "quarantined", "RF1-6: expected the number of a referral of ours, found an unknown one", None
    _learn_numbers(house, tx, referral, answer.person)
    now = house.clock()
    event = status_event(Status(cast(TaskStatus, referral.status), now), answer, now)
    if event is None:
        return "converted", None, referral.handoff_id
    return _moved(house, tx, referral, event, external_id=answer.external_id)


def _take_appointment(house: House, tx: Transaction, appointment: AppointmentEvent) -> Outcome:
    referral = referral_by_identifier(tx, appointment.referral) if appointment.referral else None
    if referral is None:
        return "quarantined", "SCH-26: expected the number of a referral of ours, found none or an unknown one", None
    return _moved(house, tx, referral, appointment_event(appointment, house.clock()), implied=True)


def _take_admission(house: House, tx: Transaction, admission: AdmissionEvent) -> Outcome:
    """Move the open referrals of an admitted person to the place that admitted; who is only possible waits."""
    event = admission_event(admission, house.clock())
    known = _person_by_number(house, tx, admission.person)
    if known is None:
        return _unmatched(tx, admission.person)
    person, recipient = known
    open_referrals = [
        referral
        for referral in tx.referrals.of_person(person.id)
        if recipient in (None, referral.recipient) and referral.status in _OPEN
    ]
    if event is None or not open_referrals:
        return "skipped", "an admission of a known person that moves no open referral", None
    outcomes = [_moved(house, tx, referral, event, implied=True) for referral in open_referrals]
    return outcomes[-1]


def _unmatched(tx: Transaction, named: PersonNamed) -> Outcome:
    found = Person("", named.family, named.given, named.birth_date, named.gender, None, None)
    candidates = tx.people.candidates(named.family, named.given, named.birth_date, None)
    if match(found, candidates).grade == "none":
        return "skipped", "an admission of nobody we know", None
    return "quarantined", "an admission of a person who is only possibly known: decide who it is", None


def _person_by_number(house: House, tx: Transaction, named: PersonNamed) -> tuple[Person, str | None] | None:
    """Find a person by a number of PID-3: our own, or one that a recipient gave in an answer, and then which one."""
    for number in named.identifiers:
        own = tx.people.by_identifier(PERSON_ID, number.value)
        if len(own) == 1:
            return own[0], None
        for organization in house.registry:
            theirs = tx.people.by_identifier(_number_system(organization.id, number.assigner), number.value)
            if len(theirs) == 1:
                return theirs[0], organization.id
    return None


def _learn_numbers(house: House, tx: Transaction, referral: Referral, named: PersonNamed | None) -> None:
    """Keep the recipient's own numbers of a person, so that its admissions are recognized."""
    person = tx.people.get(referral.person_id)
    if person is None or named is None:
        return
    own = {value for system, value in person.identifiers if system == PERSON_ID}
    learned = [
        (_number_system(referral.recipient, number.assigner), number.value)
        for number in named.identifiers
        if number.value not in own
    ]
    merged = tuple(dict.fromkeys([*person.identifiers, *learned]))
    if merged != person.identifiers:
        tx.people.save(replace(person, identifiers=merged), house.clock())


def _number_system(recipient: str, assigner: str) -> str:
    return f"urn:warm-handoff:record-number:{recipient}:{assigner}"


def _moved(
    house: House,
    tx: Transaction,
    referral: Referral,
    event: StatusEvent,
    *,
    implied: bool = False,
    external_id: str | None = None,
) -> Outcome:
    finding = move(house, tx, referral, event, by="mllp", implied=implied, external_id=external_id)
    if finding is None or finding.severity == "information":
        return "converted", finding.message if finding else None, referral.handoff_id
    return "quarantined", f"{finding.rule}: {finding.message}", referral.handoff_id
