"""Referrals that partners send us, as REF or as an order (360X): the programs behind us do the work.

Such a message becomes a record of its sender by its pack and takes the road of every record: the index says who the
person is, routes.yaml to whom it goes, and the decision what may leave. Consents are read on their own (CON) and never
permit. A later word on the same number (RF1-6, ORC-2) changes or cancels it, in whatever order the words arrive.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from gateway.flow.accept import store_draft
from gateway.flow.addressing import REFERRAL_ID
from gateway.flow.house import House
from gateway.flow.messages.numbers import locked_by_number, with_numbers
from gateway.flow.messages.outcomes import Outcome
from gateway.flow.messages.sources import WITHOUT_IDENTIFIER
from gateway.flow.messages.status_answers import MAPPING, queue_status
from gateway.flow.people import PERSON_ID, locked_record
from gateway.flow.withdraw import withdraw
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.answers import identifiers_of
from gateway.formats.hl7v2.referral_words import referral_word
from gateway.formats.hl7v2.statements import said_at
from gateway.model.draft import Draft
from gateway.model.handoff import Handoff, Resource, StoredInput
from gateway.model.hl7_answer import PersonIdentifier
from gateway.model.ids import stable_id
from gateway.model.partner import Organization
from gateway.ports import Transaction

_SAID_AT = "snapshot_at"
"""Fact of a record: when its source said what it says."""

_PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}


def take_referral(
    house: House, tx: Transaction, stored: StoredInput, sender: Organization, message: Message
) -> Outcome | None:
    """Take what a message says of a referral to us; None where it says nothing of one.

    Cancelling by OSU is of a referral that is here: of any other order it is no word on a referral.
    """
    word = referral_word(message)
    if word is None:
        return None
    if not sender.identifiers:
        return "quarantined", WITHOUT_IDENTIFIER, None
    if not word.number:
        return "quarantined", "RF1-6, ORC-2: expected the sender's number of the referral, found none", None
    handoff_id = stable_id(house.key, "referral-in", sender.id, word.number, word.assigner)
    if message.text("MSH-9.1") == "OSU" and tx.handoffs.get(handoff_id) is None:
        return None
    if word.act == "cancelled":
        return _cancelled(house, tx, stored, message, sender, handoff_id)
    if word.act == "asked":
        return _asked(house, tx, handoff_id)
    return _told(house, tx, stored, message, sender, handoff_id)


def _told(
    house: House, tx: Transaction, stored: StoredInput, message: Message, sender: Organization, handoff_id: str
) -> Outcome:
    result = house.read_feed(message, sender)
    resources = [one for one in result.resources if one["resourceType"] != "Consent"] if result else []
    missing = {"Patient", "ServiceRequest", "Task"} - {one["resourceType"] for one in resources}
    if missing:
        return "quarantined", f"expected a referral, found none of what is needed: {', '.join(sorted(missing))}", None
    numbers = identifiers_of(message.named("PID")[0])
    resources = _own_copies(house, handoff_id, _as_ours(house, sender, resources, handoff_id))
    draft = Draft(
        handoff=handoff_id, mapping=MAPPING, program=MAPPING, agency=sender.id, key="",
        content_hash=_hash(resources), bundle=_bundle(resources),
        facts={_SAID_AT: said_at(message, stored.received_at).isoformat()}, findings=(), deleted=False, origins=(),
    )  # fmt: skip
    errors = [one for one in house.check_foreign(draft.bundle) if one.severity == "error"]
    if errors:
        first = errors[0]
        return "quarantined", f"no valid referral: {len(errors)} errors, first {first.rule} at {first.location}", None
    _link_known(house, tx, resources, numbers)
    state, reason, kept = store_draft(house, tx, stored, draft, sender.id)
    _learn(house, tx, sender, handoff_id, numbers)
    handoff = tx.handoffs.get(handoff_id)
    return state, reason or (handoff.hold_reason if handoff else None) or "a referral to us", kept


def _as_ours(house: House, sender: Organization, resources: Sequence[Resource], handoff_id: str) -> list[Resource]:
    """Give referral and person our own numbers, by which recipients answer; the sender's number stays beside ours."""
    placer = {"type": _PLACER, "system": REFERRAL_ID, "value": stable_id(house.key, "placer", handoff_id)}
    made = []
    for one in resources:
        if one["resourceType"] in ("ServiceRequest", "Task"):
            theirs = [{name: part[name] for name in part if name != "type"} for part in one.get("identifier", ())]
            requester = one.get("requester") or house.reference(sender.id)
            made.append({**one, "identifier": [placer, *theirs], "requester": requester})
        elif one["resourceType"] == "Patient":
            own = {"system": PERSON_ID, "value": stable_id(house.key, "person", sender.id, one["id"])}
            made.append({**one, "identifier": [own, *one.get("identifier", ())]})
        else:
            made.append(one)
    return made


def _own_copies(house: House, handoff_id: str, resources: Sequence[Resource]) -> list[Resource]:
    """Give what a referral says ids of its own.

    The sender's feed tells of the same patient and visit: it goes on there, while a referral stays as it was written
    and may be taken back alone.
    """
    names = {
        _reference(one): stable_id(house.key, "referral-in", handoff_id, one["resourceType"], one["id"])
        for one in resources
    }
    return [{**_pointing(one, names), "id": names[_reference(one)]} for one in resources]


def _pointing(part: Any, names: Mapping[str, str]) -> Any:
    """Return a part of a resource whose references lead to the new ids."""
    if isinstance(part, list):
        return [_pointing(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    pointed = {name: _pointing(value, names) for name, value in part.items()}
    old = part.get("reference")
    if isinstance(old, str) and old in names:
        pointed["reference"] = f"{old.partition('/')[0]}/{names[old]}"
    return pointed


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _hash(resources: Sequence[Resource]) -> str:
    """Digest what the referral says: not which message said it."""
    said = [one for one in resources if one["resourceType"] != "Provenance"]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _bundle(resources: Sequence[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def _link_known(
    house: House, tx: Transaction, resources: Sequence[Resource], numbers: Sequence[PersonIdentifier]
) -> None:
    """Let somebody whom the sender's number names be known by the sender's Patient, before the index is asked."""
    known = locked_by_number(house, tx, numbers)
    patient = next(one["id"] for one in resources if one["resourceType"] == "Patient")
    if known is not None and patient not in known[0].patient_ids:
        tx.people.save(replace(known[0], patient_ids=(*known[0].patient_ids, patient)), house.clock())


def _learn(
    house: House, tx: Transaction, sender: Organization, handoff_id: str, numbers: Sequence[PersonIdentifier]
) -> None:
    """Keep the sender's numbers of the person, so that its admissions are recognized."""
    handoff = tx.handoffs.get(handoff_id)
    person = tx.people.get(handoff.person_id) if handoff is not None and handoff.person_id else None
    if person is not None and (learned := with_numbers(person, sender.id, numbers)) != person:
        tx.people.save(learned, house.clock())


def _cancelled(
    house: House, tx: Transaction, stored: StoredInput, message: Message, sender: Organization, handoff_id: str
) -> Outcome:
    """Withdraw a referral; one that has not come yet is remembered as cancelled, for it may be on its way."""
    now, said = house.clock(), said_at(message, stored.received_at)
    known = locked_record(tx, handoff_id)
    if known is None:
        known = Handoff(
            id=handoff_id, version=1, program=MAPPING, agency=sender.id, content_hash="", person_id=None,
            state="withdrawn", hold_reason="cancelled before it came", input_id=stored.id, mapping=MAPPING,
            created_at=now, updated_at=now, facts={_SAID_AT: said.isoformat()},
        )  # fmt: skip
        tx.handoffs.save(known, [])
        return "converted", "a cancellation of a referral that has not come: remembered", handoff_id
    if said < datetime.fromisoformat(known.facts[_SAID_AT]):
        return "duplicate", "an older word on a referral that is here", handoff_id
    if known.state != "withdrawn":
        withdraw(house, tx, known)
    current = tx.handoffs.get(handoff_id) or known
    tx.handoffs.save(replace(current, facts={**current.facts, _SAID_AT: said.isoformat()}),
                     tx.handoffs.resources(handoff_id))  # fmt: skip
    return "converted", "the sender cancelled its referral", handoff_id


def _asked(house: House, tx: Transaction, handoff_id: str) -> Outcome:
    """Answer how far a referral is, where its sender may know; one that is not here is answered the same way."""
    handoff = tx.handoffs.get(handoff_id)
    if handoff is None:
        return "skipped", "it asks about a referral that is not here", None
    for referral in tx.referrals.of_handoff(handoff_id):
        queue_status(house, tx, referral, asked=True)
    return (
        "converted",
        "it asks how far its referral is: answered over the reply link, where that may be told",
        handoff_id,
    )
