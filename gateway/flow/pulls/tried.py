"""Referrals that somebody asks for, each decided on as it would be sent to them now.

Whatever is needed for several is looked up together, and once where there are none: how often the store is asked does
not tell how many there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gateway.flow.addressing import for_referral
from gateway.flow.circumstances import NOBODY, NOTHING_KNOWN, Kept, kept_about_each
from gateway.flow.disclose import SESSION, Asked, Made, judged_referral, log_answers, made_of, patient_in
from gateway.flow.house import House
from gateway.flow.judgement import Matter
from gateway.model.caller import Caller
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.ports import StoredResource, Transaction


@dataclass(frozen=True)
class Tried:
    """A decision on one referral, and what it lets the caller have."""

    made: Made
    handoff: Handoff | None
    referral: Referral | None

    @cached_property
    def resources(self) -> dict[tuple[str, str], Resource]:
        """Return what may leave, by type and id."""
        if not isinstance(self.made.outcome, Disclosure):
            return {}
        leaving = (entry["resource"] for entry in self.made.outcome.content["entry"])
        return {(one["resourceType"], one["id"]): one for one in leaving}


@dataclass(frozen=True, slots=True)
class Locked:
    """Referrals as they stand, whose persons are locked, with what is kept about each of these."""

    referrals: Sequence[Referral]
    kept: Mapping[str, Kept]


@dataclass(frozen=True, slots=True)
class Moved:
    """Referrals as they stand, some of which were moved to other persons before theirs were locked."""

    referrals: Sequence[Referral]


def locked(tx: Transaction, found: Sequence[Referral]) -> Locked | Moved:
    """Lock whom referrals are about, all at once, and return them as they stand then.

    What was read before the lock may be older than a revocation or a withdrawal that is committed by now. Where a match
    or a merge came between the finding and the lock, who it is now is to be locked in another transaction: who locks
    some persons and then others may wait for somebody who waits for them.
    """
    kept = kept_about_each(tx, sorted({one.person_id for one in found}))
    standing = {one.id: one for about in kept.values() for one in about.referrals}
    if any(one.id not in standing for one in found):
        return Moved([now for one in found if (now := tx.referrals.get(one.id)) is not None])
    return Locked([standing[one.id] for one in found], kept)


def tried(house: House, tx: Transaction, asked: Asked, batch: Locked) -> Iterator[Tried]:
    """Decide on referrals one after the other; nothing is kept yet. Records that wait for a person are passed over."""
    wanted = [one.handoff_id for one in batch.referrals] or [NOBODY]
    records = {handoff.id: (handoff, held) for handoff, held in tx.handoffs.several(wanted)}
    for referral in batch.referrals:
        handoff, held = records[referral.handoff_id]
        if handoff.state == "held":
            continue
        resources = for_referral(held, referral.id, referral.service_request_id)
        patient = patient_in(resources)
        circumstances = batch.kept[referral.person_id].of(house, patient) if patient is not None else NOTHING_KNOWN
        yield Tried(judged_referral(house, asked, circumstances, referral, resources), handoff, referral)


def nothing(house: House, asked: Asked) -> Tried:
    """Decide on nothing about nobody: what there is to decide where there is nothing."""
    matter = Matter(
        request=asked.request("Patient/unknown", []), records=(), consents=NOTHING_KNOWN.consents, facts=(),
        at=house.clock(), switches=house.switches, gate=None,
    )  # fmt: skip
    return Tried(made_of(house, matter), None, None)


def asked_by(house: House, caller: Caller, channel: str) -> Asked:
    """Put what a caller asks for itself in the engine's words."""
    return Asked(
        organization=caller.organization,
        person=caller.person or (caller.client, "staff"),
        recipient=caller.organization,
        purpose=tuple(house.clients[caller.client].purpose),
        transport=SESSION,
        channel=channel,
    )


def log(
    house: House, tx: Transaction, caller: Caller, asked: Asked, decision_ids: Iterable[str], asked_at: datetime
) -> None:
    """Write into the log of disclosures what is answered on these decisions."""
    log_answers(house, tx, asked, [*decision_ids], f"{asked.channel} by {caller.client}", asked_at)


def task_version(tx: Transaction, resource: Resource) -> StoredResource | None:
    """Return what is kept of a Task; of anything else None: its version counts changes a caller may not have seen."""
    return tx.resources.get("Task", resource["id"]) if resource["resourceType"] == "Task" else None


def with_version(resource: Resource, stored: StoredResource) -> Resource:
    """Return a Task that may leave with its version, which is the same for everybody who may see it."""
    meta = {**resource.get("meta", {}), "versionId": str(stored.version), "lastUpdated": stored.updated_at.isoformat()}
    return {**resource, "meta": meta}
