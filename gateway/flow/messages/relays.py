"""Relays: what a registered feed tells of people we know is passed on to others who may have it, as it came.

A message is queued once for each receiver when it has been read, and decided on in the transaction that claims its
sending: whom it is about, by the consents of that instant, group by group (`pass_on`). Without one known person no
consent can be looked up, so what is about somebody unknown or only possibly known waits for a person, whoever wrote it:
HIPAA would let a provider treat on it (45 CFR 164.506(c)(2)), and what that person has refused could not be kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.flow.circumstances import circumstances_of
from gateway.flow.deliver import carry
from gateway.flow.disclose import Asked, keep_decision, log_intended
from gateway.flow.house import House, Relay
from gateway.flow.messages.admissions import unmatched
from gateway.flow.messages.held_relays import CONTRADICTORY, ONLY_POSSIBLE, UNREAD
from gateway.flow.messages.numbers import all_with_numbers
from gateway.flow.messages.pass_on import Errand, Passing, pass_on
from gateway.flow.people import is_in_doubt
from gateway.flow.releases.review_queue import open_held_parts
from gateway.flow.sending import claimed, is_wanted, stop
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.answers import person_of
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.formats.hl7v2.referral_words import referral_word
from gateway.formats.hl7v2.times import hl7_time
from gateway.model.decision import Refusal
from gateway.model.handoff import Person, Resource, StoredInput, Work, WorkState
from gateway.model.hl7_parts import PassedOn
from gateway.model.partner import Endpoint, RelayRule
from gateway.model.transport import Envelope
from gateway.ports import Claim, Transaction

_TRANSPORT = "hl7v2"

_SEVERAL = "it is about several persons, or changes who is who: such a message is not passed on"


@dataclass(frozen=True, slots=True)
class _Stop:
    state: WorkState
    reason: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """What may be passed on now, decided in the transaction that claimed its sending."""

    passed_on: PassedOn
    endpoint: Endpoint
    relay: Relay


def queue_relays(house: House, tx: Transaction, stored: StoredInput, message: Message) -> None:
    """Queue a message that was just read for each receiver of its feed; what is queued already is not queued again."""
    receivers = [rule.to for rule in _rules(house, stored, message)]
    queued = {one.lane for one in tx.outbox.of_subject(stored.id) if one.kind == "relay"} if receivers else set()
    for to in receivers:
        if _lane(to) not in queued:
            queue_relay(house, tx, stored.id, to)


def queue_relay(house: House, tx: Transaction, input_id: str, to: str) -> None:
    """Queue a message for one receiver, under an MSH-10 of its own: once more where something it held is settled."""
    tx.outbox.add(
        lane=_lane(to), kind="relay", subject=input_id, action="create", message_id=house.new_id(), version=1,
        at=house.clock(),
    )  # fmt: skip


def _lane(to: str) -> str:
    return f"{to}/{_TRANSPORT}"


def _rules(house: House, stored: StoredInput, message: Message) -> list[RelayRule]:
    """Return the rules of the feed a message came from, as they are now. Who sent it was proven when it came.

    A referral is between its sender and us, also where it comes as an order.
    """
    if referral_word(message) is not None:
        return []
    found = house.registry.sender(message.text("MSH-3.1"), message.text("MSH-4.1"))
    if found is None or found[0].id != stored.client:
        return []
    return [rule for rule in found[1].pass_on if message.text("MSH-9.1") in rule.types]


def deliver_relay(house: House, claim: Claim, work: Work) -> bool:
    """Pass one message on to one receiver; tell whether its lane may go on with the next."""
    prepared = claimed(house, lambda tx: _prepare(house, tx, claim, work))
    if isinstance(prepared, str):
        return prepared == "stopped"
    return carry(house, claim, work, lambda: prepared.relay.relay(prepared.passed_on, prepared.endpoint))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> _Ready | Literal["lost", "stopped"]:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    stored = tx.inputs.get(work.subject) if is_wanted(tx, work) else None
    if stored is None:
        return "stopped"
    ready = _decided(house, tx, work, stored)
    if isinstance(ready, _Stop):
        return stop(house, tx, work, ready.state, ready.reason)
    return ready


def _decided(house: House, tx: Transaction, work: Work, stored: StoredInput) -> _Ready | _Stop:
    """Decide on a message for one receiver and keep the decision; what may go is about to leave from here on."""
    to = work.lane.partition("/")[0]
    message = read_message(stored.payload, house.registry.charset_of)
    assert isinstance(message, Message), "only what could be read was queued"
    rule = next((one for one in _rules(house, stored, message) if one.to == to), None)
    endpoint = house.endpoint(to, _TRANSPORT)
    if rule is None or endpoint is None or house.relay is None:
        return _Stop("dead", f"its feed passes no such messages on to {to} any more, or {to} takes no HL7v2")
    person = _person(house, tx, stored, message)
    if isinstance(person, _Stop):
        return person
    asked = Asked(
        organization=stored.client, person=("delivery", "worker"), recipient=to, purpose=rule.purpose,
        transport=_TRANSPORT, channel=_TRANSPORT,
    )  # fmt: skip
    envelope = Envelope(work.message_id, work.action, work.created_at.isoformat())
    errand = _errand(house, tx, asked, person, house.relay, endpoint, envelope)
    kept = _kept(house, tx, work, asked, person, pass_on(message, errand, house.registry), message)
    return kept if isinstance(kept, _Stop) else _Ready(kept, endpoint, house.relay)


def _person(house: House, tx: Transaction, stored: StoredInput, message: Message) -> Person | _Stop:
    """Return the one person a message is about, locked, or why nobody may know of it from us yet."""
    patients = message.named("PID")
    event = message.text("MSH-9.2") or message.text("EVN-1")
    named = person_of(patients[0]) if len(patients) == 1 else None
    if named is None or message.named("MRG") or event in IDENTITY_EVENTS:
        return _Stop("refused", _SEVERAL)
    tx.people.lock_each(sorted(all_with_numbers(house, tx, named.identifiers)))
    known = all_with_numbers(house, tx, named.identifiers)  # a merge may have come before the lock
    if not known:
        _, reason, _ = unmatched(tx, named)
        return _Stop("held", reason or "")
    if len(known) > 1:
        return _Stop("held", CONTRADICTORY)
    (person,) = known.values()
    if is_in_doubt(tx, person.id):
        return _Stop("held", ONLY_POSSIBLE)
    if any(record.state == "quarantined" for record in tx.inputs.records(stored.id)):
        return _Stop("held", UNREAD)
    return person


def _errand(
    house: House, tx: Transaction, asked: Asked, person: Person, relay: Relay, endpoint: Endpoint, envelope: Envelope
) -> Errand:
    """Say what a message is decided by: the request, and all that is known of its person at this instant."""
    patient = _patient(tx, person)
    circumstances = circumstances_of(house, tx, person.id, patient)
    reference = f"Patient/{patient['id']}"
    return Errand(
        request=asked.request(reference, None),
        subject={"reference": reference},
        sender=asked.organization,
        header=replace(relay.header(endpoint, envelope), time=hl7_time(_by_its_clocks(house, asked, envelope))),
        consents=circumstances.consents,
        facts=[patient, *circumstances.facts],
        at=house.clock(),
        switches=house.switches,
    )


def _by_its_clocks(house: House, asked: Asked, envelope: Envelope) -> datetime:
    """Return when a message was queued by the clocks of its sender: times in it that state no offset are theirs."""
    zone = house.timezone_of(house.registry.get(asked.organization))
    return datetime.fromisoformat(envelope.created_at).astimezone(ZoneInfo(zone))


def _patient(tx: Transaction, person: Person) -> Resource:
    """Return the first Patient of a person that is kept, else what the index knows."""
    kept = (tx.resources.get("Patient", one) for one in person.patient_ids)
    body = next((one.body for one in kept if one is not None), None)
    if body is not None:
        return body
    birth_date = {"birthDate": person.birth_date} if person.birth_date else {}
    return {"resourceType": "Patient", "id": next(iter(person.patient_ids), person.id), **birth_date}


def _kept(
    house: House, tx: Transaction, work: Work, asked: Asked, person: Person, passing: Passing, message: Message
) -> PassedOn | _Stop:
    """Keep the decision; of what may go also that it is about to leave (42 CFR 2.25)."""
    outcome = passing.outcome
    decision_id = keep_decision(
        house, tx, outcome.record, passing.inputs, asked, None, None, work.id, person_id=person.id
    )
    if isinstance(outcome, Refusal):
        state: WorkState = "held" if outcome.record.decision == "HOLD" or outcome.record.held else "refused"
        return _Stop(state, f"{outcome.record.reason} ({outcome.record.section})")
    if outcome.record.held:
        handoff_id = next((one.handoff_id for one in tx.inputs.records(work.subject)), None)
        open_held_parts(house, tx, work.subject, handoff_id, asked.recipient, outcome.record)
    tx.outbox.set_state(work.id, "sending", None, house.clock())
    kind = "^".join(filter(None, (message.text("MSH-9.1"), message.text("MSH-9.2"))))
    log_intended(house, tx, work, decision_id, " ".join(asked.purpose), f"a message {kind} passed on")
    return outcome
