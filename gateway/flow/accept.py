"""Steps 1 to 7: take an input durably, then read, map, check, identify, store and route each record in it."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

from gateway.flow.addressing import Addressing, address, no_route
from gateway.flow.consents.changes import FILED_BY, is_a_no
from gateway.flow.consents.ends import hear_of_ends
from gateway.flow.consents.terms import keep_watch_of_record, read_directive
from gateway.flow.handed_in import as_handed_in, in_hand, is_anothers, is_with_police
from gateway.flow.house import Converted, House
from gateway.flow.news import as_recorded
from gateway.flow.people import Who, identify, locked_record
from gateway.flow.referrals import enqueue, reopen_refused, seen_before
from gateway.flow.replays import read_again
from gateway.flow.withdraw import GIVEN_BACK, close_gone, close_stranger, withdraw
from gateway.model.audit import AuditEntry
from gateway.model.draft import Draft, Rejected
from gateway.model.exchange import Accepted, KeyReused
from gateway.model.handoff import Channel, Handoff, InputRecord, RecordState, Resource, StoredInput
from gateway.model.provenance import is_hop
from gateway.model.received import Received
from gateway.model.source_record import Skipped, Unreadable
from gateway.ports import Transaction
from gateway.routing import recipients

Stored = tuple[RecordState, str | None, str | None]
"""What became of a record: its state, the reason where it is not kept, and the id of its handoff."""

BATCH = 50
"""Records stored in one transaction: large enough to share a commit, small enough to let others in between."""


def accept(
    house: House,
    *,
    channel: Channel,
    source: str,
    client: str | None,
    media_type: str,
    payload: bytes,
    idempotency_key: str | None = None,
) -> Accepted | KeyReused:
    """Keep an input and the work of reading it; return only when both are on disk.

    The same content of the same client and source has one effect, with or without an idempotency key; handing it in
    again lets what is in quarantine be read anew, for the mapping may have been mended.
    """
    digest = hashlib.sha256(payload).hexdigest()
    now = house.clock()

    def keep(tx: Transaction) -> Accepted | KeyReused:
        if idempotency_key is not None:
            earlier = tx.inputs.by_idempotency_key(client, source, idempotency_key)
            if earlier is not None:
                return Accepted(earlier.id, repeated=True) if earlier.sha256 == digest else KeyReused()
        known = tx.inputs.same_content(client, source, digest)
        if known is not None:
            read_again(tx, known, now)
        input_id = known or house.new_id()
        if known is None:
            _add(house, tx, StoredInput(input_id, channel, source, client, media_type, payload, digest, now))
        if idempotency_key is not None:
            tx.inputs.remember_key(client, source, idempotency_key, input_id)
        return Accepted(input_id, repeated=known is not None)

    return house.database.write(keep)


def _add(house: House, tx: Transaction, stored: StoredInput) -> None:
    """Keep an input that is new, and the work of reading it."""
    tx.inputs.add(stored)
    tx.outbox.add(
        lane=f"convert/{stored.client or '-'}", kind="convert", subject=stored.id, action="create",
        message_id=house.new_id(), version=1, at=stored.received_at,
    )  # fmt: skip
    about = {"input": stored.id, "sha256": stored.sha256}
    tx.audit.append(AuditEntry(stored.received_at, "input.accepted", stored.client or "-", about))


def convert(house: House, input_id: str, is_ours: Callable[[Transaction], bool]) -> bool:
    """Read a kept input and store what each of its records became; tell whether it was read to its end.

    A record that has its outcome is not read again, so that a crash in the middle of a large file neither loses nor
    doubles one; a quarantined one is. `is_ours` extends the lease with each batch; once another worker has it, this one
    stops.
    """
    stored, outcomes = house.database.read(lambda tx: (tx.inputs.get(input_id), tx.inputs.records(input_id)))
    assert stored is not None, "work always points at a kept input"
    done = {outcome.n for outcome in outcomes if outcome.state != "quarantined"}
    received = Received.of_bytes(input_id, stored.payload, stored.media_type)
    results = (result for result in house.convert(received, stored.source) if result[0] not in done)
    while batch := list(islice(results, BATCH)):
        checked = [_checked(house, result) for result in batch]
        if not house.database.write(partial(_store_batch, house, stored, checked, is_ours)):
            return False
    house.database.write(lambda tx: tx.inputs.set_state(input_id, "done"))
    return True


def _checked(house: House, result: Converted) -> Converted:
    """Step 4: a Bundle that is not valid never reaches the store; the record goes to quarantine with the rule's key."""
    number, made = result
    if not isinstance(made, Draft) or made.deleted:
        return result
    errors = [finding for finding in house.check(made.bundle) if finding.severity == "error"]
    if not errors:
        return result
    first, more = errors[0], f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    where = f"{first.location} [{first.rule}]{more}"
    reason = f"the mapped Bundle is not valid: {where}; `gateway convert --validate` tells what is wrong"
    return number, Rejected(number, "", "not-valid", reason)


def _store_batch(
    house: House,
    stored: StoredInput,
    batch: Sequence[Converted],
    is_ours: Callable[[Transaction], bool],
    tx: Transaction,
) -> bool:
    if not is_ours(tx):
        return False
    outcomes = []
    for number, made in batch:
        state, reason, handoff_id = _store(house, tx, stored, made)
        outcomes.append(InputRecord(stored.id, number, state, reason, handoff_id))
    tx.inputs.put_records(outcomes)
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
    tx.audit.append(AuditEntry(house.clock(), "input.converted", "worker", {"input": stored.id, **counts}))
    return True


def _store(house: House, tx: Transaction, stored: StoredInput, made: Draft | Rejected | Unreadable | Skipped) -> Stored:
    if isinstance(made, Skipped):
        return "skipped", made.reason, None
    if not isinstance(made, Draft):
        return "quarantined", made.reason, None
    if not _may_speak_for(house, stored.client, made):
        return "quarantined", "the record is of an agency that this client does not hand in for (submits_for)", None
    if made.deleted:
        return _withdraw(house, tx, locked_record(tx, made.handoff))
    return store_draft(house, tx, stored, made, _agency(house, made))


def store_draft(house: House, tx: Transaction, stored: StoredInput, draft: Draft, agency: str) -> Stored:
    """Store a record that is new or has changed; `agency` is who wrote it by the registry, "" where nobody knows."""
    known = locked_record(tx, draft.handoff)
    if known is not None and known.hold_reason == GIVEN_BACK and known.content_hash == draft.content_hash:
        return "skipped", GIVEN_BACK, known.id
    if known is not None and _is_older(draft, known):
        return "duplicate", "an older snapshot of a record that is here", known.id
    if known is not None and known.content_hash == draft.content_hash and known.state != "withdrawn":
        is_own_copy = is_with_police(house, agency, stored.client) and _was_with_others(tx, known)
        if not is_own_copy and not _is_routed_now(house, known, draft, agency):
            return "duplicate", None, known.id
    return _keep(house, tx, stored, draft, known, agency)


def _is_routed_now(house: House, known: Handoff, draft: Draft, agency: str) -> bool:
    """Say whether a record waits for a route, and the routes of now cover another number of its referrals than then."""
    if known.state != "unrouted":
        return False
    resources = [entry["resource"] for entry in draft.bundle["entry"]]
    return no_route(len(_address(house, draft, agency, resources, ()).unrouted)) != known.hold_reason


def _was_with_others(tx: Transaction, known: Handoff) -> bool:
    """Say whether a record is here from other hands than police's, whose own copy of it is another record in law."""
    return any(is_hop(one) for one in tx.handoffs.resources(known.id))


def _may_speak_for(house: House, client: str | None, draft: Draft) -> bool:
    """Say whether a client may hand in, change or withdraw records of the agency that a record names.

    A record says itself whose it is; without this anybody who hands in could overwrite anybody's. An agency nobody
    registered is its records' own business: nothing of unknown origin leaves.
    """
    agency = house.agency_of(draft)
    registered = house.clients.get(client or "")
    return agency is None or (registered is not None and agency in (registered.organization, *registered.submits_for))


def _is_older(draft: Draft, known: Handoff) -> bool:
    """Say whether a snapshot came late: sources that send a record's whole state many times say when it was taken."""
    taken, known_taken = draft.facts.get("snapshot_at"), known.facts.get("snapshot_at")
    if not isinstance(taken, str) or not isinstance(known_taken, str) or "T" not in taken or "T" not in known_taken:
        return False
    return datetime.fromisoformat(taken) < datetime.fromisoformat(known_taken)


def _withdraw(house: House, tx: Transaction, known: Handoff | None) -> Stored:
    """Apply a delete message: what was derived is taken back from everybody who has it."""
    if known is None:
        return "skipped", "a delete message for a record that is not here", None
    if known.state == "withdrawn":
        return "duplicate", None, known.id
    withdraw(house, tx, known)
    return "converted", None, known.id


def _keep(
    house: House, tx: Transaction, stored: StoredInput, draft: Draft, known: Handoff | None, agency: str
) -> Stored:
    """Store a new or changed record, its person and its referrals, and enqueue what has to be sent."""
    now = house.clock()
    written = [as_handed_in(house, entry["resource"], stored.client) for entry in draft.bundle["entry"]]
    resources = in_hand(
        house, [_as_it_stands(house, tx, resource) for resource in written],
        record=draft.handoff, agency=agency, client=stored.client, received=known.created_at if known else now,
    )  # fmt: skip
    seen = seen_before(house, tx, known) if known else {}
    is_of_another = known is not None and close_stranger(house, tx, known, resources)
    who = identify(house, tx, resources, known.person_id if known and not is_of_another else None)
    before = tx.handoffs.resources(known.id) if known else []
    addressing = _address(house, draft, agency, resources, before)
    closed = close_gone(house, tx, known, addressing) if known else []
    handoff = _handoff_of(draft, known, agency, stored.id, who, len(addressing.unrouted), now)
    tx.handoffs.save(handoff, as_recorded([*addressing.resources, *closed], before))
    for one in addressing.referrals:
        assert who.person_id is not None, "a mapping makes a referral only where it makes a Patient"
        enqueue(house, tx, handoff, one, who.person_id, hold=who.hold, before=seen.get(one.task["id"]))
    keep_watch_of_record(house, tx, resources)
    if who.person_id is not None:
        hear_of_ends(house, tx, who.person_id, resources, before)
    if who.person_id is not None and any(r["resourceType"] == "Consent" for r in resources):
        reopen_refused(house, tx, who.person_id)
    told = {"handoff": handoff.id, "version": handoff.version, "state": handoff.state}
    tx.audit.append(AuditEntry(now, "handoff.stored", "worker", told))
    return "converted", None, handoff.id


def _handoff_of(
    draft: Draft, known: Handoff | None, agency: str, input_id: str, who: Who, unrouted: int, now: datetime
) -> Handoff:
    return Handoff(
        id=draft.handoff,
        version=known.version + 1 if known else 1,
        program=draft.program,
        agency=agency,
        content_hash=draft.content_hash,
        person_id=who.person_id,
        state="held" if who.hold else "unrouted" if unrouted else "active",
        hold_reason=who.hold or no_route(unrouted),
        input_id=input_id,
        mapping=draft.mapping,
        created_at=known.created_at if known else now,
        updated_at=now,
        facts=draft.facts,
        findings=tuple(f"{finding.rule}: {finding.message}" for finding in draft.findings),
    )


def _as_it_stands(house: House, tx: Transaction, resource: Resource) -> Resource:
    """Prefer what a person has filed since, and a program's own word on its consent to that of another client.

    An import never undoes a revocation; a revocation in the record counts, and so does a no, whoever hands it in: it
    stands until the person has signed since.
    """
    if resource["resourceType"] != "Consent" or resource.get("status") == "inactive":
        return resource
    stored = tx.resources.get("Consent", resource["id"])
    if stored is None:
        return resource
    if any(tag.get("system") == FILED_BY for tag in stored.body.get("meta", {}).get("tag", [])):
        return stored.body
    if is_anothers(resource) == is_anothers(stored.body):
        return resource
    said, known = read_directive(house, resource), read_directive(house, stored.body)
    if is_anothers(resource):
        return resource if is_a_no(said) else stored.body
    is_since = said.dated is not None and known.dated is not None and said.dated > known.dated
    return stored.body if is_a_no(known) and not is_since else resource


def _agency(house: House, draft: Draft) -> str:
    """Name the organization of the registry that wrote the record.

    An agency that is not registered stays unnamed: its items are then of unknown origin, and nothing of it leaves.
    """
    return house.agency_of(draft) or ""


def _address(
    house: House, draft: Draft, agency: str, resources: Sequence[Resource], before: Sequence[Resource]
) -> Addressing:
    return address(
        resources,
        key=house.key,
        choose=lambda services, priority: recipients(
            house.routes, program=draft.mapping, agency=agency, services=services, priority=priority
        ),
        reference=house.reference,
        known_tasks={r["id"]: r for r in before if r["resourceType"] == "Task"},
    )
