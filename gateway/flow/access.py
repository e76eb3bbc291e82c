"""Steps 8 to 10 for what others pull: a read and a search are disclosures, decided and logged like a push."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.flow.addressing import for_referral
from gateway.flow.disclose import SESSION, Asked, disclose, keep_decision
from gateway.flow.house import House
from gateway.model.caller import Caller
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Answer, Problem, RequestRefused
from gateway.model.handoff import Referral, Resource
from gateway.ports import StoredResource, Transaction

MOST_RESULTS = 200
"""Referrals shown in one search; a caller asks again with `_lastUpdated` for what is newer."""

_BASE = "https://warmhandoff.example/fhir"


def read(house: House, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
    """Return one resource as this caller may have it, or None: refused and missing are the same."""

    def look(tx: Transaction) -> Answer | None:
        stored = tx.resources.get(resource_type, resource_id)
        if stored is None:
            return None
        for referral in _referrals_around(tx, caller, stored):
            for resource in _disclosed(house, tx, caller, referral, "read"):
                if (resource["resourceType"], resource["id"]) == (resource_type, resource_id):
                    return _answer(tx, resource, stored)
        return None

    return house.database.write(look)


def search(house: House, caller: Caller, resource_type: str, parameters: list[tuple[str, str]]) -> Answer:
    """Return a searchset of the resources this caller may have; total and entries count nothing else.

    Offered: Task and ServiceRequest, Consent and Patient, by _id, identifier, status, owner, patient, focus, code and
    _lastUpdated (ge, gt), of the referrals addressed to the caller's organization.
    """
    since = _since(parameters)

    def look(tx: Transaction) -> list[Resource]:
        found: dict[str, Resource] = {}
        answered = 0
        for referral in tx.referrals.of_recipient(caller.organization, None, since):
            shown = _disclosed(house, tx, caller, referral, "search")
            answered += bool(shown)  # what is withheld must not take the place of what is not
            if answered > MOST_RESULTS:
                break
            for resource in shown:
                if resource["resourceType"] == resource_type and _matches(resource, parameters):
                    found.setdefault(resource["id"], _versioned(tx, resource))
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


def can_see(house: House, tx: Transaction, caller: Caller, referral: Referral) -> bool:
    """Say whether the caller may have a referral's Task now; decided and logged like a read."""
    shown = _disclosed(house, tx, caller, referral, "read")
    return any((one["resourceType"], one["id"]) == ("Task", referral.id) for one in shown)


def _referrals_around(tx: Transaction, caller: Caller, stored: StoredResource) -> Iterator[Referral]:
    """Name the referrals to the caller whose content may hold this resource, newest first.

    What records of several people share, an agency's Organization, is about nobody and stored with the newest of
    them; whose record that is must not decide who may read it.
    """
    for referral in reversed(tx.referrals.of_recipient(caller.organization, None, None)):
        if stored.person_id is not None:
            is_near = referral.person_id == stored.person_id
        else:
            is_near = _is_part_of(tx, referral.handoff_id, stored.body)
        if is_near or referral.handoff_id == stored.handoff_id:
            yield referral


def _is_part_of(tx: Transaction, handoff_id: str, resource: Resource) -> bool:
    key = resource["resourceType"], resource["id"]
    return any((one["resourceType"], one["id"]) == key for one in tx.handoffs.resources(handoff_id))


def _disclosed(house: House, tx: Transaction, caller: Caller, referral: Referral, channel: str) -> list[Resource]:
    handoff = tx.handoffs.get(referral.handoff_id)
    if handoff is None or handoff.state == "held":
        return []
    client = house.clients[caller.client]
    asked = Asked(
        organization=caller.organization,
        person=caller.person or (caller.client, "staff"),
        recipient=caller.organization,
        purpose=tuple(client.purpose),
        transport=SESSION,
        channel=channel,
    )
    resources = for_referral(tx.handoffs.resources(handoff.id), referral.id, referral.service_request_id)
    made = disclose(house, tx, asked, handoff, referral, resources)
    decision_id = keep_decision(house, tx, made.record, made.inputs, asked, handoff, referral, None)
    if not isinstance(made.outcome, Disclosure):
        return []
    now = house.clock()
    message_id = house.new_id()
    tx.decisions.intend(
        decision_id=decision_id, message_id=message_id, purpose=" ".join(asked.purpose),
        description=f"{channel} by {caller.client}", at=now,
    )  # fmt: skip
    tx.decisions.confirm(message_id=message_id, code="200", sent=b"", answered=b"", at=now)
    return [entry["resource"] for entry in made.outcome.content["entry"]]


def _answer(tx: Transaction, resource: Resource, stored: StoredResource) -> Answer:
    """Give a version only for a Task, which has the same one for everybody who may see it.

    The version of anything else counts changes that this caller may not have been shown.
    """
    if resource["resourceType"] != "Task":
        return Answer(orjson.dumps(resource), None, None)
    return Answer(orjson.dumps(_versioned(tx, resource)), stored.version, stored.updated_at)


def _versioned(tx: Transaction, resource: Resource) -> Resource:
    stored = tx.resources.get(resource["resourceType"], resource["id"])
    if stored is None or resource["resourceType"] != "Task":
        return resource
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
