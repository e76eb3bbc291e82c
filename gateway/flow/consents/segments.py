"""CON of an HL7v2 message: it takes back and restricts at once, it never permits, and what is doubtful waits.

A CON names no recipient, discloser or purpose, so no disclosure can rest on it (42 CFR 2.31(a)). What it forbids counts
from the receipt of the message: it is committed before the message is acknowledged, and again looked at when the
message's turn comes, because its person may have become known in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.flow.consents.rescission import revoke
from gateway.flow.consents.stated import Told, refusal, reviewed, unverified
from gateway.flow.house import House
from gateway.flow.messages.held_relays import resume_relays
from gateway.flow.messages.numbers import person_by_number
from gateway.flow.messages.outcomes import A_WORD, Outcome, joined, put_outcome
from gateway.flow.messages.resemblance import could_be_about
from gateway.flow.messages.sources import sender_of, why_it_waits
from gateway.flow.referrals import reopen_refused
from gateway.flow.staff.console import serves_every_program
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.formats.hl7v2.consent_segments import has_consents, read_consents
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Person, Resource, StoredInput
from gateway.model.hl7_consent import ConsentStatement
from gateway.model.partner import Organization
from gateway.ports import StoredResource, Transaction

_RESTRICTING = frozenset({"rescinds", "refuses", "limits", "is-unclear"})

_UNKNOWN = "CON: it is about nobody we know"
_OF_TREATMENT = "CON: a consent to a treatment says nothing about disclosure"
_NO_PERMIT = (
    "CON: kept unverified; it states no discloser, recipient, purpose or signature (42 CFR 2.31(a)): get the form"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement that forbids for somebody until a person has looked."""

    statement: ConsentStatement
    person: Person


def stop_at_once(house: House, tx: Transaction, stored: StoredInput) -> None:
    """Carry out what the CONs of a message forbid, in the transaction that keeps it, before it is acknowledged."""
    if has_consents(stored.payload):
        for told in _told_of_locked(house, tx, stored, None):
            if told.statement.act in _RESTRICTING:
                _take(house, tx, told)


def take_consents(house: House, tx: Transaction, stored: StoredInput, handoff_id: str | None = None) -> Outcome | None:
    """Take the CONs of a kept message and say what became of them; None where it holds none.

    `handoff_id` is the record the message made or moved: its person is whom the message is about.
    """
    if not has_consents(stored.payload):
        return None
    outcomes = [_take(house, tx, told) for told in _told_of_locked(house, tx, stored, handoff_id)]
    return joined(*outcomes) if outcomes else None


def _told_of_locked(house: House, tx: Transaction, stored: StoredInput, handoff_id: str | None) -> list[Told]:
    """Return what the CONs of a message say, with everybody they may be about locked.

    A match or a merge may be committed before the lock is had, and a refusal written for who has ended stops nothing.
    """
    locked: set[str] = set()
    while True:
        handoff = tx.handoffs.get(handoff_id) if handoff_id else None
        told = list(_told(house, tx, stored, handoff.person_id if handoff else None))
        meant = {person.id for one in told for person in one.meant}
        if meant <= locked:
            return told
        tx.people.lock_each(sorted(meant))
        locked |= meant


def _told(house: House, tx: Transaction, stored: StoredInput, person_id: str | None = None) -> Iterator[Told]:
    """Yield what the CONs of a message say; `person_id` is of the record it made, where it is about one person."""
    message = read_message(stored.payload, house.registry.charset_of)
    if isinstance(message, Unreadable):
        return
    registered = sender_of(house, stored) or _claimed_sender(house, message)
    own = tx.people.get(person_id) if person_id and len(message.named("PID")) == 1 else None
    for statement in read_consents(message, house.timezone_of(registered)):
        known = person_by_number(house, tx, statement.person.identifiers) if statement.person else None
        sender = registered or (house.registry.get(known[1]) if known else None)
        certain = known[0] if known else own
        possible = () if certain else could_be_about(tx, statement.person)
        yield Told(statement, sender, certain, possible, stored.id, stored.received_at)


def _claimed_sender(house: House, message: Message) -> Organization | None:
    """Return who has MSH-3 and MSH-4, as a feed or as a receiver; whoever writes them falsely can only restrict."""
    header = read_header(message)
    found = house.registry.sender("".join(header.sending_application[:1]), "".join(header.sending_facility[:1]))
    link = house.reply_link(header)
    return found[0] if found else link[0] if link else None


def _take(house: House, tx: Transaction, told: Told) -> Outcome:
    act = told.statement.act
    if act == "is-of-treatment":
        return "skipped", _OF_TREATMENT, None
    if act == "bypasses":
        return _bypass(house, tx, told)
    if act in _RESTRICTING:
        return _restrict(house, tx, told)
    if told.certain is None or told.sender is None:
        return "skipped", f"{_NO_PERMIT}; its person or its sender is not known", None
    _keep(house, tx, told, told.certain, unverified(house, told, told.certain), "consent.stated")
    return "converted", _NO_PERMIT, None


def _restrict(house: House, tx: Transaction, told: Told) -> Outcome:
    if not told.meant:
        return "skipped", _UNKNOWN, None
    person, act = told.certain, told.statement.act
    if person is None or told.sender is None or act in ("limits", "is-unclear"):
        for one in told.meant:
            _keep(house, tx, told, one, refusal(house, told, one, is_reviewed=False), "consent.waits")
        return "quarantined", _why_it_waits(told), None
    if act == "refuses":
        _keep(house, tx, told, person, refusal(house, told, person, is_reviewed=True), "consent.refused")
        _settle_reviews(house, tx, told, person.id)
        return "converted", "CON: the person refuses disclosure: nothing leaves on any consent", None
    _settle_reviews(house, tx, told, person.id)
    ended, is_found = revoke(house, tx, told, person)
    told_of = f"CON: rescinded from the receipt of the message on: {ended} of the person's consents here"
    if is_found:
        return "converted", told_of, None
    return "quarantined", f"{told_of}; the form it names is not here: look which one is meant", None


def _why_it_waits(told: Told) -> str:
    act = told.statement.act
    if told.certain is None:
        return f"CON: it {act} a consent of a person who is only possibly known: nothing of theirs leaves until decided"
    if told.sender is None:
        return f"CON: it {act} a consent, and no partner has its MSH-3 and MSH-4: nothing leaves until decided"
    if act == "limits":
        return "CON-9: the person limits a consent in their own words: nothing leaves until somebody has read them"
    return "CON-11: nobody can tell whether it forbids: nothing leaves until decided"


def _bypass(house: House, tx: Transaction, told: Told) -> Outcome:
    """Write down that somebody claims an emergency: it is none of the four facts of 42 CFR 2.51(c)."""
    claimed = {
        "input": told.input_id,
        "reason": told.statement.bypass_reason,
        "sender": told.sender.id if told.sender else None,
        "person": told.certain.id if told.certain else None,
    }
    tx.audit.append(AuditEntry(house.clock(), "consent.bypass-claimed", "mllp", claimed))
    return "skipped", "CON-11 B: a bypass flag is no emergency record and permits nothing (42 CFR 2.51(c))", None


def _keep(house: House, tx: Transaction, told: Told, person: Person, consent: Resource, kind: str) -> None:
    """Write the Consent that a CON became, once: what a person has settled since is not brought back."""
    tx.people.lock(person.id)
    if tx.resources.get("Consent", consent["id"]) is not None:
        return
    now = house.clock()
    tx.resources.put(consent, handoff_id=None, person_id=person.id, at=now)
    told_of = {"input": told.input_id, "consent": consent["id"], "person": person.id, "stated": told.stated_at}
    tx.audit.append(AuditEntry(now, kind, "mllp", told_of))


def waiting_consents(house: House, tx: Transaction, stored: StoredInput) -> tuple[Waiting, ...]:
    """Return whom the CONs of a message forbid disclosure for until a person has looked."""
    if not has_consents(stored.payload):
        return ()
    waiting = [(told.statement, review) for told in _told(house, tx, stored) for review in _reviews(tx, told)]
    people = [(statement, tx.people.get(review.person_id or "")) for statement, review in waiting]
    return tuple(Waiting(statement, person) for statement, person in people if person is not None)


def settle_consents(house: House, actor: str, input_id: str, person_id: str | None) -> bool:
    """Say of a message whose CONs wait that they are about this person and stand, or (None) that they do not.

    What stands is a refusal, or a revocation, of that person; the refusals of everybody else who was possibly meant are
    lifted, and what they stopped is decided again. False where nothing waits, or not for this person, and to an
    operator who may not see whom the CONs are about.
    """
    if not serves_every_program(house):
        return False

    def settle(tx: Transaction) -> bool:
        tx.turns.take(A_WORD)
        stored = tx.inputs.get(input_id)
        if stored is not None:  # first: a merge must not end whom they are found to be about
            tx.people.lock_each(sorted({one.person.id for one in waiting_consents(house, tx, stored)}))
        waiting = waiting_consents(house, tx, stored) if stored is not None else ()
        if stored is None or not waiting or person_id not in {None, *(one.person.id for one in waiting)}:
            return False
        person = tx.people.get(person_id) if person_id else None
        for told in _told(house, tx, stored):
            if person is not None and told.statement.act == "rescinds" and _reviews(tx, told):
                revoke(house, tx, told, person)
            _settle_reviews(house, tx, told, person_id)
        reason = "a person confirmed what it says of consent" if person_id else "a person set aside its CON"
        settled: Outcome = ("converted" if person_id else "skipped", reason, None)
        put_outcome(tx, input_id, joined(settled, _without_sender(house, stored)))
        resume_relays(house, tx)
        told_of = {"input": input_id, "person": person_id}
        tx.audit.append(AuditEntry(house.clock(), "consent.settled", actor, told_of))
        return True

    return house.database.write(settle)


def _without_sender(house: House, stored: StoredInput) -> Outcome | None:
    """Say what still waits of a message that nobody registered sent: all but its CONs."""
    message = read_message(stored.payload, house.registry.charset_of)
    if sender_of(house, stored) is not None or isinstance(message, Unreadable):
        return None
    return "quarantined", why_it_waits(house, message), None


def _reviews(tx: Transaction, told: Told) -> list[StoredResource]:
    """Return the refusals that a CON made and that wait for a person, whoever they are of."""
    return tx.resources.by_identifier("Consent", told.review["system"], told.review["value"])


def _settle_reviews(house: House, tx: Transaction, told: Told, person_id: str | None) -> None:
    """End the waiting: what stands for this person stays a refusal, everybody else's is lifted."""
    for review in sorted(_reviews(tx, told), key=lambda one: one.person_id or ""):
        owner = review.person_id or ""
        tx.people.lock(owner)
        # What was taken back is a revocation now: nothing is left for the refusal to do.
        stands = owner == person_id and told.statement.act != "rescinds"
        settled = {**reviewed(review.body), "status": "active" if stands else "inactive"}
        tx.resources.put(settled, handoff_id=None, person_id=owner, at=house.clock())
        if not stands:
            reopen_refused(house, tx, owner)
