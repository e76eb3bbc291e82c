"""When a partner says that two of its patients are one: nothing of ours moves before a person here has said so too.

A merge is by the partner's own numbers. Confirmed, it moves what we hold about the person of the ended number to the
person of the surviving one; consents that move have to be verified anew, and what was not sent yet waits for a look.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.flow.house import House
from gateway.flow.messages.numbers import (
    may_be_known_by,
    person_by_number,
    with_numbers,
    with_possible_numbers,
    without_possible_numbers,
)
from gateway.flow.messages.outcomes import Outcome, read_or_kept
from gateway.flow.people import unite
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.identities import MERGES, read_identity_changes
from gateway.model.handoff import Person
from gateway.model.hl7_answer import IdentityChange, PersonIdentifier
from gateway.ports import Transaction

_UNVERIFIED = [{"verified": False}]
"""`Consent.verification` of a permit that moved: nothing leaves on it until its discloser files it again."""

_REVIEW = "two persons became one: look at whose consents these are, then decide again"
_UNSENT = frozenset({"ready", "refused"})


@dataclass(frozen=True, slots=True)
class Merge:
    """What a confirmed merge would do: everything of `ended` becomes that of `surviving`.

    `surviving` None: nobody here has the surviving number, so `ended` only gets the `numbers`.
    """

    partner: str
    ended: Person
    surviving: Person | None
    numbers: tuple[PersonIdentifier, ...]


def take_identity_change(house: House, tx: Transaction, message: Message) -> Outcome:
    """Put an event of `IDENTITY_EVENTS` before a person where it touches somebody we know."""
    return read_or_kept(read_identity_changes(message), lambda changes: _take(house, tx, changes))


def _take(house: House, tx: Transaction, changes: tuple[IdentityChange, ...]) -> Outcome:
    event = changes[0].event
    if event in MERGES:
        return _take_merge(house, tx, event, changes)
    named = [number for one in changes for number in (*one.surviving.identifiers, *one.ended)]
    if person_by_number(house, tx, named) is None:
        return "skipped", f"{event}: it names nobody we know", None
    return (
        "quarantined",
        f"{event}: it moves something between persons, one of them known: look whether it is ours",
        None,
    )


def _take_merge(house: House, tx: Transaction, event: str, changes: tuple[IdentityChange, ...]) -> Outcome:
    """Let a merge wait for a person; what bears its surviving numbers until then may be about somebody we know."""
    merges = list(_merges(house, tx, changes))
    if merges:
        tx.people.lock_each(sorted({merge.ended.id for merge in merges}))
        for merge in merges:
            ended = tx.people.get(merge.ended.id)
            if merge.surviving is None and ended is not None:
                tx.people.save(with_possible_numbers(ended, merge.partner, merge.numbers), house.clock())
        return "quarantined", f"{event}: it ends a number of a person we know: confirm or refuse the merge", None
    if may_be_known_by(tx, [number for change in changes for number in change.ended]):
        return "quarantined", f"{event}: it ends a number that a merge before it brings: decide that one first", None
    return "skipped", f"{event}: it ends no number of a person we know", None


def _merges(house: House, tx: Transaction, changes: tuple[IdentityChange, ...]) -> Iterator[Merge]:
    for change in changes:
        for number in change.ended:
            known = person_by_number(house, tx, [number])
            # Our own number is nobody else's to end.
            if known is None or known[1] is None:
                continue
            ended, partner = known[0], known[1]
            surviving = person_by_number(house, tx, change.surviving.identifiers)
            if surviving is None or surviving[0].id != ended.id:
                yield Merge(partner, ended, surviving[0] if surviving else None, change.surviving.identifiers)


def merges_of(house: House, tx: Transaction, payload: bytes) -> list[Merge]:
    """Return what confirming a kept message would do; an empty list where it is no merge or everything is done."""
    message = read_message(payload, house.registry.charset_of)
    if isinstance(message, Unreadable) or (message.text("MSH-9.2") or message.text("EVN-1")) not in MERGES:
        return []
    changes = read_identity_changes(message)
    return [] if isinstance(changes, Unreadable) else list(_merges(house, tx, changes))


def locked_merges(house: House, tx: Transaction, payload: bytes) -> list[Merge]:
    """Return what confirming a message would do as it stands, with everybody it is about locked."""
    locked: set[str] = set()
    while True:
        merges = merges_of(house, tx, payload)
        meant = {one.id for merge in merges for one in (merge.ended, merge.surviving) if one}
        if meant <= locked:
            return merges
        tx.people.lock_each(sorted(meant))
        locked |= meant


def carry_out(house: House, tx: Transaction, merge: Merge) -> None:
    """Do what a person has confirmed: its people are one, and the surviving numbers are theirs."""
    now = house.clock()
    if merge.surviving is None:
        learned = with_numbers(_without_possible(merge.ended, merge), merge.partner, merge.numbers)
        tx.people.save(learned, now)
        return
    ended = tx.people.get(merge.ended.id) or merge.ended
    surviving = tx.people.get(merge.surviving.id) or merge.surviving
    _doubt_consents(house, tx, ended.id)
    united = _without_possible(unite(tx, ended, surviving, now), merge)
    tx.people.save(with_numbers(united, merge.partner, merge.numbers), now)
    _hold_unsent(house, tx, united.id)


def set_aside(house: House, tx: Transaction, merge: Merge) -> None:
    """Let a merge that a person has refused leave nothing behind: its numbers may no longer be anybody's."""
    ended = tx.people.get(merge.ended.id) or merge.ended
    tx.people.save(_without_possible(ended, merge), house.clock())


def _without_possible(person: Person, merge: Merge) -> Person:
    return without_possible_numbers(person, merge.partner, merge.numbers)


def _doubt_consents(house: House, tx: Transaction, person_id: str) -> None:
    """Mark the permits that are about to move as unverified; refusals and revocations count as they are."""
    for stored in tx.resources.of_person(["Consent"], person_id):
        body = stored.body
        if body.get("status") == "active" and body.get("provision", {}).get("type") != "deny":
            doubted = {**body, "verification": _UNVERIFIED}
            tx.resources.put(doubted, handoff_id=stored.handoff_id, person_id=person_id, at=house.clock())


def _hold_unsent(house: House, tx: Transaction, person_id: str) -> None:
    for referral in tx.referrals.of_person(person_id):
        for work in tx.outbox.of_subject(referral.id):
            if work.state in _UNSENT:
                tx.outbox.set_state(work.id, "held", _REVIEW, house.clock())
