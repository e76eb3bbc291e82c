"""Records that others keep of people we know, as their messages tell them: visits, results, documents, plans.

Each becomes a handoff of its own kind, so that whatever reads or sends it is decided like any record. The sender is its
author, for nothing of unknown origin may leave; of nobody we know nothing is kept but the message.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.flow.circumstances import RELATIONSHIPS
from gateway.flow.consents.ends import hear_of_ends
from gateway.flow.house import House
from gateway.flow.messages.numbers import person_by_number
from gateway.flow.messages.outcomes import Outcome
from gateway.flow.messages.replaced_documents import PROGRAM, Replacement, replacement_in
from gateway.flow.messages.sources import WITHOUT_IDENTIFIER
from gateway.flow.second_look import has_open_referrals, look_again_soon
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.answers import identifiers_of
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS
from gateway.formats.hl7v2.maps.feed import FeedResult
from gateway.formats.hl7v2.maps.settling import settle
from gateway.formats.hl7v2.statements import RECORD_KINDS, said_at, thing_of, unsaid_in, withdrawn_by
from gateway.labeling.label import DIRECTORY_TYPES
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Handoff, Person, Resource, StoredInput
from gateway.model.ids import stable_id
from gateway.model.partner import Organization
from gateway.ports import Transaction
from gateway.tracking.retold import Last, Retold, Saying, last_of, retell, worded

_TOLD = "told"
"""Fact of such a handoff: when the last word on each of its resources was said."""

_NEVER = frozenset({"Consent", "Provenance"})
"""Consents in messages are read on their own and never permit; a Provenance is of its message."""

_ABOUT_NOBODY = DIRECTORY_TYPES | {"Patient"}

_SEVERAL = "it names several patients: kept as sent, and no record is made of it"
_ANOTHERS = "a number in it is that of another person or sender here: look whose it is"


@dataclass(frozen=True, slots=True)
class Fed:
    """What a message has become as a record."""

    outcome: Outcome | None
    """None where it is none: not a message about care, or about nobody we know."""
    handoff: Handoff | None = None
    person: Person | None = None
    teller: Organization | None = None
    retold: Retold = field(default_factory=Retold)

    def visit(self) -> Last | None:
        """Return the last word on the visit the message is about."""
        return next((last for key, last in self.retold.changed.items() if key.startswith("Encounter/")), None)

    @property
    def made(self) -> Outcome | None:
        """Return the outcome where there is a record, or a person has to look; None where nothing came of it."""
        return self.outcome if self.outcome is not None and self.outcome[0] != "skipped" else None

    @property
    def is_late(self) -> bool:
        """Say whether a later word on the visit was known already."""
        return any(reference.startswith("Encounter/") for reference in self.retold.late)


NOTHING = Fed(None)


def take_record(house: House, tx: Transaction, stored: StoredInput, sender: Organization, message: Message) -> Fed:
    """Keep what a message about care tells of a person we know as resources, or say why not."""
    event = message.text("MSH-9.2") or message.text("EVN-1")
    if message.text("MSH-9.1") not in RECORD_KINDS or event in IDENTITY_EVENTS:
        return NOTHING
    people = {one[0].id: one[0] for one in _people(house, tx, message)}
    if not people:
        return NOTHING
    if not sender.identifiers:
        return Fed(("quarantined", WITHOUT_IDENTIFIER, None))
    if len(people) > 1 or len(message.named("PID")) > 1:
        return Fed(("skipped", _SEVERAL, None))
    result = house.read_feed(message, sender)
    if result is None or not any(one["resourceType"] not in _NEVER for one in result.resources):
        return NOTHING
    return _kept(house, tx, stored, result, next(iter(people.values())), sender)


def _people(house: House, tx: Transaction, message: Message) -> Iterator[tuple[Person, str | None]]:
    for patient in message.named("PID"):
        known = person_by_number(house, tx, identifiers_of(patient))
        if known is not None:
            yield known


def _kept(
    house: House, tx: Transaction, stored: StoredInput, result: FeedResult, person: Person, teller: Organization
) -> Fed:
    message = result.message
    # Two connections may tell of one visit at once; what is said of a person is written one after the other.
    tx.people.lock(person.id)
    handoff_id = stable_id(house.key, PROGRAM, teller.id, *thing_of(message))
    before = tx.handoffs.get(handoff_id)
    said = [one for one in result.resources if one["resourceType"] not in _NEVER]
    known = _known(tx, said, teller)
    if known is None or (before is not None and before.person_id != person.id):
        return Fed(("quarantined", _ANOTHERS, None))
    replacement = replacement_in(tx, person.id, teller.id, said)
    retold = _settled(retell(known, _saying(result, said, stored)), replacement)
    resources = _whole(tx, before, retold, result)
    if (fault := _fault(house, known, retold)) is not None:
        return Fed(("quarantined", fault, None))
    handoff = _handoff(house, stored, result, person, teller, before, retold, handoff_id)
    tx.handoffs.save(handoff, resources)
    _learn_patient(house, tx, person, resources)
    replacement.carry_out(tx, retold.changed.keys(), house.clock())
    told_now = [last.resource for last in retold.changed.values()]
    signed = [one for one in resources if one["resourceType"] == "Provenance"]
    hear_of_ends(house, tx, person.id, [*told_now, *signed], [last.resource for last in known.values()])
    if any(one["resourceType"] in RELATIONSHIPS for one in told_now) and has_open_referrals(tx, person.id):
        look_again_soon(house, tx, person.id)
    told = {"handoff": handoff_id, "version": handoff.version, "input": stored.id, "late": len(retold.late)}
    tx.audit.append(AuditEntry(house.clock(), "record.told", "mllp", told))
    kinds = sorted({one["resourceType"] for one in said} - _ABOUT_NOBODY) or ["Patient"]
    return Fed(("converted", f"kept as a record of the person: {', '.join(kinds)}", handoff_id),
               handoff, person, teller, retold)  # fmt: skip


def _saying(result: FeedResult, said: Sequence[Resource], stored: StoredInput) -> Saying:
    visits = [f"Encounter/{one['id']}" for one in said if one["resourceType"] == "Encounter"]
    return Saying(
        resources=said,
        at=said_at(result.message, stored.received_at),
        emptied=[(one.reference, one.element) for one in result.deletions],
        withdrawn=[(visit, element) for visit in visits for element in withdrawn_by(result.message)],
        unsaid=unsaid_in(result.message),
    )


def _known(tx: Transaction, said: Sequence[Resource], teller: Organization) -> dict[str, Last] | None:
    """Return the last word on each of these resources; None where one of them is not this sender's."""
    known: dict[str, Last] = {}
    owners: dict[str | None, Handoff | None] = {None: None}
    for kept in tx.resources.several([(resource["resourceType"], resource["id"]) for resource in said]):
        if kept.handoff_id not in owners:
            owners[kept.handoff_id] = tx.handoffs.get(kept.handoff_id or "")
        owner = owners[kept.handoff_id]
        if owner is None or owner.program != PROGRAM or owner.agency != teller.id:
            return None
        reference = _reference(kept.body)
        words = owner.facts.get(_TOLD, {}).get(reference)
        known[reference] = last_of(_as_said(kept.body), words or {"at": owner.updated_at.isoformat()})
    return known


def _as_said(body: Resource) -> Resource:
    """Return a stored resource without what the store adds to `meta`."""
    meta = {name: value for name, value in body.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    rest = {name: value for name, value in body.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def _settled(retold: Retold, replacement: Replacement) -> Retold:
    """Let what follows from a message follow: a problem that is none has no course, a replaced document is no more."""
    changed = {
        reference: replace(last, resource=replacement.settled(_whole_again(last.resource)))
        for reference, last in retold.changed.items()
    }
    return replace(retold, changed=changed)


def _whole_again(resource: Resource) -> Resource:
    """Mend what two messages make together: an error has no course, and the earlier one may have told of it."""
    mended = dict(resource)
    settle(mended)
    return mended


def _fault(house: House, known: Mapping[str, Last], retold: Retold) -> str | None:
    """Say what is not valid in what a message changes; what it leaves as it was has been looked at when it came."""
    changed = [
        last.resource
        for reference, last in retold.changed.items()
        if reference not in known or known[reference].resource != last.resource
    ]
    errors = [one for one in house.check_foreign(_bundle(changed)) if one.severity == "error"] if changed else []
    if not errors:
        return None
    return f"no valid record: {len(errors)} errors, first {errors[0].rule} at {errors[0].location}"


def _whole(tx: Transaction, before: Handoff | None, retold: Retold, result: FeedResult) -> list[Resource]:
    """Return every resource of the handoff after a message: each is signed for by the message that told it last."""
    held = [_as_said(one) for one in tx.handoffs.resources(before.id)] if before else []
    new = {reference for reference in retold.changed if reference not in retold.late}
    known = {_reference(one) for one in held}
    first = {reference for reference in retold.changed if reference not in known}
    theirs = new | first
    signed = [_signing(one, lambda target: target not in new) for one in held if one["resourceType"] == "Provenance"]
    signed += [
        _signing(one, lambda target: target in theirs)
        for one in result.resources
        if one["resourceType"] == "Provenance"
    ]
    others = [
        retold.changed[_reference(one)].resource if _reference(one) in retold.changed else one
        for one in held
        if one["resourceType"] != "Provenance"
    ]
    others += [last.resource for reference, last in retold.changed.items() if reference in first]
    provenances = {one["id"]: one for one in signed if one is not None}
    return [*others, *provenances.values()]


def _signing(provenance: Resource, holds: Callable[[str], bool]) -> Resource | None:
    targets = [one for one in provenance["target"] if holds(one.get("reference", ""))]
    return {**provenance, "target": targets} if targets else None


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _bundle(resources: Sequence[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def _handoff(
    house: House,
    stored: StoredInput,
    result: FeedResult,
    person: Person,
    teller: Organization,
    before: Handoff | None,
    retold: Retold,
    handoff_id: str,
) -> Handoff:
    now = house.clock()
    told: Mapping[str, Any] = before.facts.get(_TOLD, {}) if before else {}
    return Handoff(
        id=handoff_id,
        version=before.version + 1 if before else 1,
        program=PROGRAM,
        agency=teller.id,
        content_hash=stored.sha256,
        person_id=person.id,
        state="active",
        hold_reason=None,
        input_id=stored.id,
        mapping=f"{PROGRAM}/{result.pack.name}",
        created_at=before.created_at if before else now,
        updated_at=now,
        facts={_TOLD: {**told, **worded(retold.changed.items())}},
    )


def _learn_patient(house: House, tx: Transaction, person: Person, resources: Sequence[Resource]) -> None:
    """Let the index know that the sender's Patient is this person."""
    patients = tuple(one["id"] for one in resources if one["resourceType"] == "Patient")
    if not set(patients) <= set(person.patient_ids):
        current = tx.people.get(person.id) or person
        united = tuple(dict.fromkeys([*current.patient_ids, *patients]))
        tx.people.save(replace(current, patient_ids=united), house.clock())
