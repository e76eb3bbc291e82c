"""Steps 8 to 10 for what others pull: a read and a search are disclosures, decided and logged like a push."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

import orjson

from gateway.flow.addressing import for_referral
from gateway.flow.circumstances import NOBODY, NOTHING_KNOWN, Kept, kept_about_each
from gateway.flow.disclose import (
    SESSION,
    Asked,
    Made,
    judged_referral,
    keep_decision,
    keep_decisions,
    log_answers,
    made_of,
    patient_in,
)
from gateway.flow.house import House
from gateway.flow.judgement import Matter
from gateway.model.caller import Caller
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Answer, Problem, RequestRefused
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.ports import StoredResource, Transaction

MOST_RESULTS = 200
"""Referrals shown in one search; a caller asks again with `_lastUpdated` for what is newer."""

_BASE = "https://warmhandoff.example/fhir"


def read(house: House, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
    """Return one resource as this caller may have it, or None: refused and missing are the same."""

    def look(tx: Transaction) -> Answer | None:
        found = _opened(house, tx, caller, resource_type, resource_id)
        if found is None:
            return None
        _log(house, tx, caller, [found.decision_id], "read")
        return _answer(tx, found.resource)

    return house.database.write(look)


def can_see(house: House, tx: Transaction, caller: Caller, task_id: str) -> bool:
    """Say whether the caller may have a referral's Task now; decided and kept like a read."""
    return _opened(house, tx, caller, "Task", task_id) is not None


def search(house: House, caller: Caller, resource_type: str, parameters: list[tuple[str, str]]) -> Answer:
    """Return a searchset of the resources this caller may have; total and entries count nothing else.

    Offered: Task and ServiceRequest, Consent and Patient, by _id, identifier, status, owner, patient, focus, code and
    _lastUpdated (ge, gt), of the referrals addressed to the caller's organization.
    """
    since = _since(parameters)

    def look(tx: Transaction) -> list[Resource]:
        found: dict[str, Resource] = {}
        decisions = []
        # What is withheld is not counted: it must not take the place of what is not.
        for shown in islice(_each_permitted(house, tx, caller, since), MOST_RESULTS):
            matching = [
                one for one in shown.resources
                if one["resourceType"] == resource_type and one["id"] not in found and _matches(one, parameters)
            ]  # fmt: skip
            found |= {one["id"]: _versioned(tx, one) for one in matching}
            if matching:
                decisions.append(shown.decision_id)
        _log(house, tx, caller, decisions, "search")
        return list(found.values())

    resources = house.database.write(look)
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [
            {"fullUrl": f"{_BASE}/{r['resourceType']}/{r['id']}", "resource": r, "search": {"mode": "match"}}
            for r in resources
        ],
    }
    if not resources:
        del bundle["entry"]
    return Answer(orjson.dumps(bundle), None, None)


@dataclass(frozen=True, slots=True)
class _Opened:
    resource: Resource
    decision_id: str


def _opened(house: House, tx: Transaction, caller: Caller, resource_type: str, resource_id: str) -> _Opened | None:
    """Decide whether the caller may have a resource now, by the referrals to it that hold the resource.

    One decision is made and kept, of the newest referral that opens the resource or else of the newest; and one about
    nothing where none holds it. So the store is asked and written the same whether the resource is withheld or is not
    there; only where twenty referrals that hold it open nothing are others tried.
    """
    asked = _asked(house, caller, "read")
    first: _Tried | None = None
    for one in _tried(house, tx, asked, tx.referrals.holding(caller.organization, resource_type, resource_id), 20):
        first = first or one
        if (resource_type, resource_id) in one.resources:
            return _Opened(one.resources[resource_type, resource_id], _kept(house, tx, asked, one))
    _kept(house, tx, asked, first or _nothing(house, asked))
    return None


def _kept(house: House, tx: Transaction, asked: Asked, one: "_Tried") -> str:
    return keep_decision(house, tx, one.made.record, one.made.inputs, asked, one.handoff, one.referral, None)


@dataclass(frozen=True)
class _Tried:
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


def _tried(
    house: House, tx: Transaction, asked: Asked, referrals: Sequence[Referral], at_once: int
) -> Iterator[_Tried]:
    """Decide on referrals, each as it would be sent now; nothing is kept yet.

    Whatever is needed for `at_once` of them is looked up together, and once where there are none: how often the store
    is asked does not tell how many there are.
    """
    for begin in range(0, max(len(referrals), 1), at_once):
        batch, kept = _locked(tx, referrals[begin : begin + at_once])
        wanted = [one.handoff_id for one in batch] or [NOBODY]
        records = {handoff.id: (handoff, held) for handoff, held in tx.handoffs.several(wanted)}
        for referral in batch:
            handoff, held = records[referral.handoff_id]
            if handoff.state == "held":
                continue
            resources = for_referral(held, referral.id, referral.service_request_id)
            patient = patient_in(resources)
            circumstances = kept[referral.person_id].of(house, patient) if patient is not None else NOTHING_KNOWN
            yield _Tried(judged_referral(house, asked, circumstances, referral, resources), handoff, referral)


def _locked(tx: Transaction, found: Sequence[Referral]) -> tuple[list[Referral], dict[str, Kept]]:
    """Lock whom referrals are about, then return them as they stand, with what is kept about each of their persons.

    What was read before the lock may be older than a revocation or a withdrawal that is committed by now. A match or
    a merge, too, may have come between the finding and the lock: then who it is now is locked as well.
    """
    kept = kept_about_each(tx, sorted({one.person_id for one in found}))
    standing = {one.id: one for about in kept.values() for one in about.referrals}
    moved = [one.id for one in found if one.id not in standing]
    if moved:
        now = standing | {one.id: one for key in moved if (one := tx.referrals.get(key)) is not None}
        return _locked(tx, [now[one.id] for one in found if one.id in now])
    return [standing[one.id] for one in found], kept


def _nothing(house: House, asked: Asked) -> _Tried:
    """Decide on nothing about nobody: what there is to decide where there is nothing."""
    matter = Matter(
        request=asked.request("Patient/unknown", []), records=(), consents=NOTHING_KNOWN.consents, facts=(),
        at=house.clock(), switches=house.switches, gate=None,
    )  # fmt: skip
    return _Tried(made_of(house, matter), None, None)


@dataclass(frozen=True, slots=True)
class _Permitted:
    resources: list[Resource]
    decision_id: str


def _each_permitted(house: House, tx: Transaction, caller: Caller, since: datetime | None) -> Iterator[_Permitted]:
    """Decide on each referral to the caller, oldest change first, and yield what may leave."""
    asked = _asked(house, caller, "search")
    referrals = tx.referrals.of_recipient(caller.organization, None, since)
    for begin in range(0, max(len(referrals), 1), MOST_RESULTS):
        batch = referrals[begin : begin + MOST_RESULTS]
        tried = list(_tried(house, tx, asked, batch, MOST_RESULTS)) or [_nothing(house, asked)]
        made = [(one.made, one.handoff, one.referral) for one in tried]
        for one, decision_id in zip(tried, keep_decisions(house, tx, asked, made), strict=True):
            if one.resources:
                yield _Permitted(list(one.resources.values()), decision_id)


def _asked(house: House, caller: Caller, channel: str) -> Asked:
    return Asked(
        organization=caller.organization,
        person=caller.person or (caller.client, "staff"),
        recipient=caller.organization,
        purpose=tuple(house.clients[caller.client].purpose),
        transport=SESSION,
        channel=channel,
    )


def _log(house: House, tx: Transaction, caller: Caller, decision_ids: Sequence[str], channel: str) -> None:
    log_answers(house, tx, decision_ids, house.clients[caller.client].purpose, f"{channel} by {caller.client}")


def _answer(tx: Transaction, resource: Resource) -> Answer:
    """Give a version only for a Task, which has the same one for everybody who may see it.

    The version of anything else counts changes that this caller may not have been shown.
    """
    stored = tx.resources.get("Task", resource["id"]) if resource["resourceType"] == "Task" else None
    if stored is None:
        return Answer(orjson.dumps(resource), None, None)
    return Answer(orjson.dumps(_with_version(resource, stored)), stored.version, stored.updated_at)


def _versioned(tx: Transaction, resource: Resource) -> Resource:
    stored = tx.resources.get("Task", resource["id"]) if resource["resourceType"] == "Task" else None
    return resource if stored is None else _with_version(resource, stored)


def _with_version(resource: Resource, stored: StoredResource) -> Resource:
    meta = {**resource.get("meta", {}), "versionId": str(stored.version), "lastUpdated": stored.updated_at.isoformat()}
    return {**resource, "meta": meta}


def _since(parameters: list[tuple[str, str]]) -> datetime | None:
    """Read the lower bound on changes; a bound that cannot be applied is refused, never ignored."""
    for name, value in parameters:
        if name != "_lastUpdated":
            continue
        if value[:2] not in ("ge", "gt"):
            raise RequestRefused(
                Problem(400, "not-supported", None, "_lastUpdated: expected ge or gt before the time.")
            )
        try:
            moment = datetime.fromisoformat(value[2:])
        except ValueError:
            raise RequestRefused(Problem(400, "value", None, "_lastUpdated: expected a FHIR dateTime.")) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _matches(resource: Resource, parameters: list[tuple[str, str]]) -> bool:
    return all(_holds(resource, name, value) for name, value in parameters)


def _holds(resource: Resource, name: str, value: str) -> bool:
    values = set(value.split(","))
    if name == "_id":
        return resource["id"] in values
    if name == "status":
        return resource.get("status") in values
    if name == "identifier":
        return any(_is_token(one, values) for one in resource.get("identifier", []))
    if name == "code":
        return any(
            coding.get("code") in values or f"{coding.get('system')}|{coding.get('code')}" in values
            for coding in resource.get("code", {}).get("coding", [])
        )
    if name in ("patient", "focus", "owner"):
        element = {"patient": ("for", "subject", "patient"), "focus": ("focus",), "owner": ("owner",)}[name]
        return any(_refers(resource.get(each), values) for each in element)
    return True


def _is_token(identifier: dict[str, Any], values: set[str]) -> bool:
    return identifier.get("value") in values or f"{identifier.get('system')}|{identifier.get('value')}" in values


def _refers(reference: Any, values: set[str]) -> bool:
    if not isinstance(reference, dict):
        return False
    written = reference.get("reference", "")
    return (
        written in values or written.rpartition("/")[2] in values or _is_token(reference.get("identifier", {}), values)
    )
