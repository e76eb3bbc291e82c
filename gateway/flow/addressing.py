"""Address the referrals of a record: one ServiceRequest and one Task for each recipient, with ids of their own.

Ids are derived from the referral, its recipient and the patient, so that the same record addresses the same Task
again, and a record whose person changed never speaks of the new person under the old person's Task.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.model.handoff import Resource
from gateway.model.ids import stable_id
from gateway.model.route import Recipient

REFERRAL_ID = "https://warmhandoff.example/id/referral"
SERVICE = "https://warmhandoff.example/fhir/CodeSystem/service"
LIVE_TASK_ELEMENTS = ("status", "statusReason", "businessStatus", "output", "note", "lastModified", "owner")
"""What a recipient's answers wrote into a Task, besides its number; kept when the record is imported again."""
FILLER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]}
"""Type of the recipient's own number of a referral (HL7 table 0203)."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """One referral with its recipient."""

    task: Resource
    service_request: Resource
    identifier: str
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Addressing:
    """A record's resources with its referrals addressed."""

    resources: list[Resource]
    referrals: list[Addressed]
    unrouted: list[str]
    """Ids of ServiceRequests that no route covers; they stay in the record, unaddressed."""


def address(
    resources: Sequence[Resource],
    *,
    key: bytes,
    choose: Callable[[frozenset[str], str], Sequence[Recipient]],
    reference: Callable[[str], Resource],
    known_tasks: Mapping[str, Resource],
) -> Addressing:
    """Replace each unaddressed referral by one for each recipient.

    `choose(services, priority)` names the recipients, `reference(organization)` gives the logical reference written
    into owner and performer, `known_tasks` are the Tasks already stored, by id.
    """
    requests = {r["id"]: r for r in resources if r["resourceType"] == "ServiceRequest"}
    tasks = {r["focus"]["reference"]: r for r in resources if r["resourceType"] == "Task" and "focus" in r}
    patient = next((r["id"] for r in resources if r["resourceType"] == "Patient"), "")
    copies: dict[str, list[str]] = {}
    referrals: list[Addressed] = []
    unrouted: list[str] = []
    for request_id, request in requests.items():
        task = tasks.get(f"ServiceRequest/{request_id}")
        chosen = choose(_services(request), request.get("priority", "routine")) if task else ()
        if task is None or not chosen:
            unrouted.append(request_id)
            continue
        made = [_for_recipient(request, task, one, key, patient, reference, known_tasks) for one in chosen]
        referrals += made
        copies[f"ServiceRequest/{request_id}"] = [f"ServiceRequest/{one.service_request['id']}" for one in made]
        copies[f"Task/{task['id']}"] = [f"Task/{one.task['id']}" for one in made]
    kept = [r for r in resources if f"{r['resourceType']}/{r['id']}" not in copies]
    addressed = [part for one in referrals for part in (one.service_request, one.task)]
    return Addressing([*(_retargeted(r, copies) for r in kept), *addressed], referrals, unrouted)


def for_referral(resources: Iterable[Resource], task_id: str, service_request_id: str) -> list[Resource]:
    """Return what concerns one referral: everything but the referrals to others.

    That another recipient was asked at all is the person's business and not this recipient's, so references to
    other referrals go too.
    """
    own = {f"Task/{task_id}", f"ServiceRequest/{service_request_id}"}
    every = list(resources)
    others = {
        f"{r['resourceType']}/{r['id']}": list[str]()
        for r in every
        if r["resourceType"] in ("Task", "ServiceRequest") and f"{r['resourceType']}/{r['id']}" not in own
    }
    return [_retargeted(r, others) for r in every if f"{r['resourceType']}/{r['id']}" not in others]


def no_route(unrouted: int) -> str | None:
    """Say why a record waits of which no route covers so many referrals; None where all are covered."""
    return f"no route covers {unrouted} of its referrals: add one to routes.yaml" if unrouted else None


def _services(request: Resource) -> frozenset[str]:
    codings = request.get("code", {}).get("coding", [])
    return frozenset(coding["code"] for coding in codings if coding.get("system") == SERVICE and "code" in coding)


def _for_recipient(
    request: Resource,
    task: Resource,
    recipient: Recipient,
    key: bytes,
    patient: str,
    reference: Callable[[str], Resource],
    known_tasks: Mapping[str, Resource],
) -> Addressed:
    parts = (request["id"], recipient.organization, recipient.transport, patient)
    identifier = stable_id(key, "referral", *parts)
    own_request = _own(request, stable_id(key, "ServiceRequest", *parts), identifier)
    own_task = _own(task, stable_id(key, "Task", *parts), identifier)
    own_request["performer"] = [reference(recipient.organization)]
    own_task["focus"] = {"reference": f"ServiceRequest/{own_request['id']}"}
    own_task["owner"] = reference(recipient.organization)
    known = known_tasks.get(own_task["id"])
    if known is not None:
        own_task |= {name: known[name] for name in LIVE_TASK_ELEMENTS if name in known}
        if given := [one for one in known.get("identifier", ()) if one.get("type") == FILLER]:
            own = [one for one in own_task.get("identifier", ()) if one.get("type") != FILLER]
            own_task["identifier"] = [*own, *given]
    return Addressed(own_task, own_request, identifier, recipient)


def _own(resource: Resource, resource_id: str, identifier: str) -> Resource:
    """Copy a resource as one recipient's, with an id and a referral number of its own."""
    numbers = resource.get("identifier", ())
    own = [{**one, "value": identifier} if one.get("system") == REFERRAL_ID else one for one in numbers]
    return {**resource, "id": resource_id, **({"identifier": own} if own else {})}


def _retargeted(resource: Resource, copies: Mapping[str, list[str]]) -> Resource:
    """Follow references to referrals that became several (or none), wherever the resource lists them."""
    written = orjson.dumps(resource)
    if b'"ServiceRequest/' not in written and b'"Task/' not in written:
        return resource  # the most of a record: not worth a walk
    return {name: _followed(value, copies) for name, value in resource.items()}


def _followed(value: Any, copies: Mapping[str, list[str]]) -> Any:
    if isinstance(value, list):
        return [one for part in value for one in _spread(part, copies)]
    if isinstance(value, dict):
        return {name: _followed(part, copies) for name, part in value.items()}
    return value


def _spread(part: Any, copies: Mapping[str, list[str]]) -> list[Any]:
    """Return what a list element becomes: itself, or one of its kind for each target its reference now has.

    The reference is the element (Provenance.target) or its one member (CarePlan.activity.reference).
    """
    if not isinstance(part, dict):
        return [part]
    own = part.get("reference")
    if isinstance(own, str) and own in copies:
        return [{"reference": target} for target in copies[own]]
    for name, member in part.items():
        if isinstance(member, dict) and isinstance(member.get("reference"), str) and member["reference"] in copies:
            return [{**part, name: {"reference": target}} for target in copies[member["reference"]]]
    return [_followed(part, copies)]
