"""ADT: where a person is moves referrals; who a person is completes the index; who is who waits for a person.

Events come out of order, twice, and years late. None moves a referral backwards, and what happened before a referral
was written says nothing about it.
"""

from dataclasses import replace

from gateway.flow.alerts.visits import raise_alerts
from gateway.flow.house import House
from gateway.flow.messages.feeds import Fed
from gateway.flow.messages.held_relays import OF_NOBODY, ONLY_POSSIBLE
from gateway.flow.messages.merges import take_identity_change
from gateway.flow.messages.numbers import locked_by_number, with_numbers
from gateway.flow.messages.outcomes import Outcome, joined, read_or_kept
from gateway.flow.messages.resemblance import could_be_about
from gateway.flow.messages.sources import place_of
from gateway.flow.moves import moved
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.answers import read_admission, read_person_update
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.model.handoff import Person, Referral
from gateway.model.hl7_answer import AdmissionEvent, PersonNamed
from gateway.model.names import match_name
from gateway.model.partner import Organization
from gateway.ports import Transaction
from gateway.tracking.admission import admission_event, is_put_in_doubt, precedes

_OPEN = frozenset({"requested", "accepted", "in-progress", "on-hold"})
_DID_NOT_HAPPEN = frozenset({"cancelled", "entered-in-error"})
_OF_PERSONS = frozenset({"A28", "A31"})
"""Events that tell who somebody is, without a visit."""


def take_adt(house: House, tx: Transaction, sender: Organization, message: Message, fed: Fed) -> Outcome:
    """Take any ADT, beside the record it became; one without a meaning here is kept and said to be unmapped."""
    event = message.text("MSH-9.2") or message.text("EVN-1")
    if event in IDENTITY_EVENTS:
        return take_identity_change(house, tx, message)
    if event in _OF_PERSONS:
        return read_or_kept(read_person_update(message), lambda named: _take_person(house, tx, sender, named))
    zone = house.timezone_of(sender)
    return read_or_kept(read_admission(message, zone), lambda admission: _take_visit(house, tx, admission, sender, fed))


def _take_visit(house: House, tx: Transaction, admission: AdmissionEvent, sender: Organization, fed: Fed) -> Outcome:
    """Alert those who want to know, then move referrals; a visit that was cancelled meanwhile does neither."""
    visit = fed.visit()
    if fed.is_late and visit is not None and visit.resource.get("status") in _DID_NOT_HAPPEN:
        return "skipped", f"{admission.kind}: its visit was cancelled later, as a message told that came before", None
    raised = raise_alerts(house, tx, fed, admission)
    alerted: Outcome | None = ("converted", f"alerts queued: {raised}", None) if raised else None
    return joined(_take_admission(house, tx, admission, sender), alerted)


def _take_admission(house: House, tx: Transaction, admission: AdmissionEvent, sender: Organization) -> Outcome:
    """Move the open referrals of the person to the place of the visit; who is only possibly known waits."""
    known = locked_by_number(house, tx, admission.person.identifiers)
    if known is None:
        return unmatched(tx, admission.person)
    person, recipient = known[0], place_of(sender, known[1])
    told = [
        referral
        for referral in tx.referrals.of_person(person.id)
        if recipient == referral.recipient and not precedes(admission, _authored(tx, referral))
    ]
    if any(is_put_in_doubt(referral.status, admission) for referral in told):
        doubt = f"{admission.kind}: it may undo what moved a referral; a message takes nothing back: decide with them"
        return "quarantined", doubt, told[-1].handoff_id
    event = admission_event(admission, house.clock())
    if event is not None and (still_open := [referral for referral in told if referral.status in _OPEN]):
        return [moved(house, tx, referral, event, implied=True) for referral in still_open][-1]
    if admission.kind == "updated":
        return _updated(house, tx, person, recipient, admission.person)
    return "skipped", f"{admission.kind}: it is about a known person and moves no open referral", None


def _authored(tx: Transaction, referral: Referral) -> str:
    task = tx.resources.get("Task", referral.id)
    return str(task.body.get("authoredOn", "")) if task else ""


def _take_person(house: House, tx: Transaction, sender: Organization, named: PersonNamed) -> Outcome:
    known = locked_by_number(house, tx, named.identifiers)
    if known is None:
        return unmatched(tx, named)
    state, reason, handoff = _updated(house, tx, known[0], place_of(sender, known[1]), named)
    # Sent once, when somebody's facts change at the desk: worth a person's look, other than the A08 of every visit.
    return ("quarantined" if reason == _CONFLICT else state), reason, handoff


_CONFLICT = "the sender says another name, birth date or gender than we keep: nothing was taken over, decide who it is"


def _updated(house: House, tx: Transaction, person: Person, partner: str, named: PersonNamed) -> Outcome:
    """Fill what the index of persons does not know. What the source agency said stays; records are not touched."""
    if _conflicts(person, named):
        return "skipped", _CONFLICT, None
    completed = replace(
        with_numbers(person, partner, named.identifiers),
        birth_date=person.birth_date or named.birth_date,
        gender=person.gender or named.gender,
        phone=person.phone or named.phone,
        address=person.address or named.address,
    )
    if completed == person:
        return "skipped", "an update of a known person that tells nothing new", None
    tx.people.save(completed, house.clock())
    return "converted", "the index of persons was completed by what it lacked", None


def _conflicts(person: Person, named: PersonNamed) -> bool:
    """Tell whether both say something and not the same; a date or given name that is only shorter agrees."""
    families = match_name(person.family, ""), match_name(named.family, "")
    givens = match_name("", person.given), match_name("", named.given)
    genders = {person.gender, named.gender} - {None, "unknown"}
    births = person.birth_date or "", named.birth_date or ""
    return (
        (all(families) and families[0] != families[1])
        or not _agree(*givens)
        or not _agree(*births)
        or len(genders) > 1
    )  # fmt: skip


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def unmatched(tx: Transaction, named: PersonNamed) -> Outcome:
    """Say of a message whose person has no number here: a stranger, or somebody whom only a person can tell."""
    if not could_be_about(tx, named):
        return "skipped", OF_NOBODY, None
    return "quarantined", ONLY_POSSIBLE, None
