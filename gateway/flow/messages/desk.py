"""What a person says of a message that waits: whose word it is, whom it is about, who is one, or that it is left.

The message is then read again with what was said, in the same transaction: what it moves, and whom it is told to, is
what it would have been had that been known when it came. So are the others that wait for the same number's owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.flow.consents.segments import waiting_consents
from gateway.flow.house import House
from gateway.flow.messages.answers import is_of_training, take_one
from gateway.flow.messages.held_relays import resume_relays
from gateway.flow.messages.merges import carry_out, locked_merges, merges_of, set_aside
from gateway.flow.messages.numbers import all_with_numbers, with_numbers
from gateway.flow.messages.outcomes import A_WORD, put_outcome
from gateway.flow.messages.resemblance import could_be_about
from gateway.flow.messages.sources import sender_of
from gateway.flow.staff.console import serves_every_program
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.answers import identifiers_of, person_of
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.formats.hl7v2.statements import RECORD_KINDS
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Person, StoredInput
from gateway.model.hl7_answer import PersonIdentifier, PersonNamed
from gateway.model.partner import Organization
from gateway.ports import Transaction

_LEFT = "a person looked at it and left it: nothing moved"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person may say of a message; all of it empty where nothing waits."""

    senders: tuple[Organization, ...] = ()
    """Whose word it may be, by name; empty where that is known."""
    people: tuple[Person, ...] = ()
    """Whom it resembles; empty where it is about one person we know, about nobody, or gives no number to learn."""
    may_be_left: bool = False
    """False also where a merge or a CON of it waits: those have a no of their own."""


NO_QUESTION = Question()


def question_of(house: House, tx: Transaction, stored: StoredInput) -> Question:
    """Return what is open about a kept message."""
    message = read_message(stored.payload, house.registry.charset_of)
    records = tx.inputs.records(stored.id)
    if stored.channel != "mllp" or not any(one.state == "quarantined" for one in records):
        return NO_QUESTION
    may_be_left = not merges_of(house, tx, stored.payload) and not waiting_consents(house, tx, stored)
    if not isinstance(message, Message) or is_of_training(house, message):
        return Question(may_be_left=may_be_left)
    if sender_of(house, stored) is None:
        others = [one for one in house.registry if one.id != house.operator]
        return Question(tuple(sorted(others, key=lambda one: one.name)), (), may_be_left)
    named = _unnumbered(house, tx, message)
    return Question((), could_be_about(tx, named) if named is not None else (), may_be_left)


def _unnumbered(house: House, tx: Transaction, message: Message) -> PersonNamed | None:
    """Return the one person of a message whose numbers are nobody's yet; a number can be learned, a name cannot."""
    patients = message.named("PID")
    event = message.text("MSH-9.2") or message.text("EVN-1")
    if len(patients) != 1 or message.text("MSH-9.1") not in RECORD_KINDS or event in IDENTITY_EVENTS:
        return None
    named = person_of(patients[0])
    if named is None or not named.identifiers or all_with_numbers(house, tx, named.identifiers):
        return None
    return named


def take_as(house: House, actor: str, input_id: str, organization: str) -> bool:
    """Take a message as the word of this partner (registry id); False where that is not open, or not for this one."""

    def say(tx: Transaction) -> bool:
        tx.turns.take(A_WORD)
        stored = tx.inputs.get(input_id)
        if stored is None or organization not in {one.id for one in question_of(house, tx, stored).senders}:
            return False
        tx.inputs.set_sender(input_id, organization)
        told = {"input": input_id, "sender": organization}
        tx.audit.append(AuditEntry(house.clock(), "message.sender-named", actor, told))
        _take_again(house, tx, input_id, actor)
        return True

    return house.database.write(say)


def tell_whom(house: House, actor: str, input_id: str, person_id: str | None) -> bool:
    """Say that a message is about this person, or (None) about somebody new: the sender's numbers are theirs then.

    False where that is not open, or not for this person; and to an operator who may not see whom it resembles, for
    who has not seen them cannot say that it is none of them.
    """
    if not serves_every_program(house):
        return False

    def say(tx: Transaction) -> bool:
        tx.turns.take(A_WORD)
        tx.people.lock_each([] if person_id is None else [person_id])  # first: a merge must not end who is found below
        stored = tx.inputs.get(input_id)
        people = question_of(house, tx, stored).people if stored is not None else ()
        if stored is None or not people or person_id not in {None, *(one.id for one in people)}:
            return False
        message = read_message(stored.payload, house.registry.charset_of)
        named = _unnumbered(house, tx, message) if isinstance(message, Message) else None
        assert named is not None, "whom it resembles is asked of such messages only"
        assert stored.client is not None, "whose word it is comes before whom it is about"
        person = next((one for one in people if one.id == person_id), None) or _entered(house, named)
        tx.people.save(with_numbers(person, stored.client, named.identifiers), house.clock())
        told = {"input": input_id, "person": person.id, "new": person_id is None}
        tx.audit.append(AuditEntry(house.clock(), "message.person-named", actor, told))
        for waiting in (input_id, *_waiting_with(house, tx, stored, named.identifiers)):
            _take_again(house, tx, waiting, actor)
        return True

    return house.database.write(say)


def decide_merge(house: House, actor: str, input_id: str, *, same: bool) -> bool:
    """Say for a merge that waits whether the persons are one.

    False where nothing waits under this id, and to an operator who may not see whom the merge is about.
    """
    if not serves_every_program(house):
        return False

    def decide(tx: Transaction) -> bool:
        tx.turns.take(A_WORD)
        stored = tx.inputs.get(input_id)
        if stored is None or stored.channel != "mllp" or stored.state != "quarantined":
            return False
        merges = locked_merges(house, tx, stored.payload)
        if not merges:
            return False
        for merge in merges:
            (carry_out if same else set_aside)(house, tx, merge)
        reason = "a person confirmed the merge" if same else "a person refused the merge: nothing moved"
        put_outcome(tx, input_id, ("converted" if same else "skipped", reason, None))
        touched = sorted({one.id for merge in merges for one in (merge.ended, merge.surviving) if one})
        kind = "merge.confirmed" if same else "merge.refused"
        tx.audit.append(AuditEntry(house.clock(), kind, actor, {"input": input_id, "persons": touched}))
        for waiting in _waiting_with(house, tx, stored, [number for merge in merges for number in merge.numbers]):
            _take_again(house, tx, waiting, actor)
        resume_relays(house, tx)
        return True

    return house.database.write(decide)


def _waiting_with(house: House, tx: Transaction, told: StoredInput, numbers: Sequence[PersonIdentifier]) -> list[str]:
    """Return the other messages of a sender that wait and bear one of these numbers, in the order they came."""
    assert told.client is not None, "whose word it is comes before whom it is about"
    found, wanted = [], {(one.value, one.assigner) for one in numbers}
    for input_id in tx.inputs.waiting(told.client):
        stored = tx.inputs.get(input_id) if input_id != told.id else None
        message = read_message(stored.payload, house.registry.charset_of) if stored is not None else None
        if isinstance(message, Message) and not wanted.isdisjoint(_numbers_in(message)):
            found.append(input_id)
    return found


def _numbers_in(message: Message) -> list[tuple[str, str]]:
    """Return the numbers (value, assigner) of whom a message is about; none where it is about several people."""
    patients = message.named("PID")
    if len(patients) != 1:
        return []
    ended = [one for merge in message.named("MRG") for one in identifiers_of(merge, 1)]
    return [(one.value, one.assigner) for one in (*identifiers_of(patients[0]), *ended)]


def _entered(house: House, named: PersonNamed) -> Person:
    return Person(house.new_id(), named.family, named.given, named.birth_date, named.gender, named.phone, named.address)


def _take_again(house: House, tx: Transaction, input_id: str, actor: str) -> None:
    stored = tx.inputs.get(input_id)
    assert stored is not None, "it was there in this transaction"
    take_one(house, tx, stored, actor)
    resume_relays(house, tx)


def leave(house: House, actor: str, input_id: str) -> bool:
    """Leave a message that waits as it is: it moves nothing. False where nothing waits, or something has its own no.

    What its CONs have stopped stays stopped.
    """

    def say(tx: Transaction) -> bool:
        tx.turns.take(A_WORD)
        stored = tx.inputs.get(input_id)
        if stored is None or not question_of(house, tx, stored).may_be_left:
            return False
        put_outcome(tx, input_id, ("skipped", _LEFT, None))
        resume_relays(house, tx)
        tx.audit.append(AuditEntry(house.clock(), "message.left", actor, {"input": input_id}))
        return True

    return house.database.write(say)
