"""Whose word a consent inside a record is: that of the program it names, or of somebody who handed the record in.

A record says itself who wrote its parts, and anybody who may hand in records could say so. What a program discloses
must not hang on that: its consents count at once only where its own credential brought them.
"""

from gateway.consent import disclosers_of
from gateway.flow.house import House
from gateway.model.handoff import Resource


def as_handed_in(house: House, resource: Resource, client: str | None) -> Resource:
    """Return a record's resource; a Part 2 program's Consent that another client handed in is marked as external.

    A person has to verify it before anything leaves on it (42 CFR 2.31(c)); a refusal or revocation in it counts.
    """
    if resource["resourceType"] != "Consent":
        return resource
    registered = house.clients.get(client or "")
    own = registered.organization if registered is not None else "unknown"
    named = [house.registry.get(one) for one in disclosers_of(resource, house.registry)]
    if all(one is None or one.id == own or not one.is_program(house.clock()) for one in named):
        return resource
    unverified = {name: value for name, value in resource.items() if name != "verification"}
    meta = {**resource.get("meta", {}), "source": f"urn:warm-handoff:handed-in-by:{own}"}
    return {**unverified, "meta": meta}
