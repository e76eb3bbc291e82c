"""What follows from who handed a record in: whose word its consents are, and in whose hands its parts have come.

A record says itself who wrote its parts, and anybody who may hand in records could say so. What a program discloses
must not hang on that: its consents count at once only where its own credential brought them, and whatever is in its
hands is its Part 2 record, whoever wrote it (42 CFR 2.11, records).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gateway.consent import disclosers_of
from gateway.flow.house import House
from gateway.labeling import label
from gateway.model.handoff import Resource
from gateway.model.ids import stable_id
from gateway.model.partner import Organization
from gateway.model.provenance import LIFECYCLE, PARTICIPANT, RECEIVE, is_hop
from gateway.ports import Brought

_HANDED_IN_BY = "urn:warm-handoff:handed-in-by:"
"""Beginning of `meta.source` of a Consent that somebody else than its program handed in."""


def as_handed_in(house: House, resource: Resource, client: str | None) -> Resource:
    """Return a record's resource; a Part 2 program's Consent that another client handed in is marked as external.

    A person has to verify it before anything leaves on it (42 CFR 2.31(c)); a refusal or revocation in it counts.
    """
    if resource["resourceType"] != "Consent":
        return resource
    own = _organization_of(house, client) or "unknown"
    named = [house.registry.get(one) for one in disclosers_of(resource, house.registry)]
    if all(one is None or one.id == own or not one.is_program(house.clock()) for one in named):
        return resource
    unverified = {name: value for name, value in resource.items() if name != "verification"}
    meta = {**resource.get("meta", {}), "source": f"{_HANDED_IN_BY}{own}"}
    return {**unverified, "meta": meta}


def is_anothers(consent: Resource) -> bool:
    """Say whether a Consent is the word of somebody else than the program it names."""
    return str(consent.get("meta", {}).get("source", "")).startswith(_HANDED_IN_BY)


def in_hand(
    house: House, resources: Sequence[Resource], *, record: str, agency: str, client: str | None, received: datetime
) -> list[Resource]:
    """Return a record as it lies in the hands of whoever hands it in, with the hop by which others' parts came there.

    `record` is the id of its handoff, `agency` the organization that keeps it ("" where nobody knows it), `client` who
    handed it in. Where either is a Part 2 program, the record is in its hands; where the agency is unknown, in hands
    nobody knows, so that nothing of it leaves. What comes to police is as it was. Whether a custodian is a program is
    asked anew at each decision, so a class that is put right takes effect at once.
    """
    if is_with_police(house, agency, client):
        return list(resources)
    return with_hop(house, resources, record, _keeper(house, agency, client), received)


def is_with_police(house: House, agency: str, client: str | None) -> bool:
    """Say whether a record of this agency, handed in by this client, is in the hands of police alone."""
    return bool(agency) and _keeper(house, agency, client) is None


def _keeper(house: House, agency: str, client: str | None) -> Organization | None:
    """Return who has a record besides police: a program before anybody else, then the agency before the client."""
    hands = _hands(house, agency, client)
    programs = [one for one in hands if one.is_program(house.clock())]
    return next(iter((*programs, *(one for one in hands if agency and not one.is_law_enforcement))), None)


def custodian(house: House, record: Brought) -> str:
    """Return the registry id of who may speak for a record: a Part 2 program that has it, before the agency it names.

    A program that hands in what it wrote down of an agency's contact tells the agency nothing by naming it.
    """
    programs = (one.id for one in _hands(house, record.agency, record.client) if one.is_program(house.clock()))
    return next(programs, record.agency)


def keeps(house: House, organization: str, record: Brought) -> bool:
    """Say whether an organization has a record: its client handed it in, or it is the custodian."""
    return organization in (_organization_of(house, record.client), custodian(house, record))


def wrote_in(house: House, organization: str, resources: Iterable[Resource]) -> bool:
    """Say whether anything in a record is the Part 2 record of this organization, whoever handed it in."""
    labeled = label({"entry": [{"resource": one} for one in resources]}, house.registry, house.clock()).items
    return any(item.origin.program is not None and item.origin.program.id == organization for item in labeled)


def _hands(house: House, agency: str, client: str | None) -> list[Organization]:
    """Return the registered organizations a record has passed through: its agency, then who handed it in."""
    named = (agency, _organization_of(house, client))
    return [found for one in named if (found := house.registry.get(one)) is not None]


def _organization_of(house: House, client: str | None) -> str | None:
    registered = house.clients.get(client or "")
    return registered.organization if registered is not None else None


def with_hop(
    house: House, resources: Sequence[Resource], record: str, keeper: Organization | None, received: datetime
) -> list[Resource]:
    """Add the hop to its keeper of what neither the keeper nor any Part 2 program wrote; None is somebody unknown.

    What a program wrote is a Part 2 record already, and stays that program's to disclose.
    """
    labeled = label({"entry": [{"resource": one} for one in resources]}, house.registry, house.clock()).items
    acquired = [
        item.reference
        for item in labeled
        if item.origin.authors and item.origin.program is None and keeper not in item.origin.authors
    ]
    if not acquired:
        return list(resources)
    hop = {
        "resourceType": "Provenance",
        "id": stable_id(house.key, "Provenance", "held", record, keeper.id if keeper else ""),
        "target": [{"reference": reference} for reference in acquired],
        "recorded": received.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": LIFECYCLE, "code": RECEIVE}]},
        "agent": [
            {
                "type": {"coding": [{"system": PARTICIPANT, "code": "custodian"}]},
                "who": house.reference(keeper.id) if keeper else {"display": "an agency that is not registered"},
            }
        ],
    }
    return [*(one for one in resources if one["id"] != hop["id"]), hop]


def held_together(house: House, contents: Iterable[tuple[str, Resource]]) -> dict[str, Resource]:
    """Put several records of a person together, as (id of the handoff, resource), and return them by reference.

    Two records may hold the same resource, one in a program's hands and one in others', whose copy is no Part 2 record
    (42 CFR 2.11). So that it came to a program counts only where every record that holds it has come to one, or into
    hands nobody knows: what a program received in a record of its own changes nothing for who may have it from another.
    """
    kept = list(contents)
    hops = {_reference(body): _binds(house, body) for _, body in kept if is_hop(body)}
    bound = {(record, target) for record, body in kept if hops.get(_reference(body)) for target in _targets(body)}
    free = {_reference(body) for record, body in kept if (record, _reference(body)) not in bound}
    together: dict[str, Resource] = {}
    for _, body in kept:
        if hops.get(_reference(body)):
            body = {**body, "target": [{"reference": one} for one in _targets(body) if one not in free]}
        if body.get("target") != []:
            together[_reference(body)] = body
    return together


def _binds(house: House, hop: Resource) -> bool:
    """Say whether what came by it is a Part 2 record: the custodian is a program now, or nobody knows who it is."""
    found = [house.registry.find_by_reference(agent.get("who")) for agent in hop.get("agent", ())]
    return any(one is None or one.is_program(house.clock()) for one in found)


def _reference(resource: Mapping[str, object]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _targets(provenance: Resource) -> list[str]:
    return [one["reference"] for one in provenance["target"] if "reference" in one]
