"""Who waits for news of a person: those who know of an open referral or a care team, and whom a route lets hear of it.

Each counts by what is its own: a referral that reached it, or a referral or care team that it wrote itself. What others
have about the person, in the same record or another, makes no difference to it (42 CFR 2.13).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.flow.house import House
from gateway.flow.referrals import FINAL, may_have_reached
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.model.hl7_answer import AdmissionEvent
from gateway.model.provenance import is_hop
from gateway.model.route import AlertRoute
from gateway.ports import Transaction
from gateway.tracking.admission import precedes

_SHOWN = frozenset({"active", "unrouted"})


@dataclass(frozen=True, slots=True)
class Watch:
    """One organization that waits for news of a person, by which record and which of its referrals."""

    record: Handoff
    route: AlertRoute
    referrals: tuple[Referral, ...]
    """Empty where it only has a care team."""


def watches(house: House, tx: Transaction, person_id: str, teller: str, admission: AdmissionEvent) -> Iterator[Watch]:
    """Yield who waits for this event; nobody for its own news, and nobody for what came before its referral."""
    for record in tx.handoffs.of_person(person_id):
        routes = [route for route in house.alerts if route.to != teller and _fits(route, record)]
        if not routes or record.state not in _SHOWN:
            continue
        resources = tx.handoffs.resources(record.id)
        written = {one["id"]: str(one.get("authoredOn", "")) for one in resources if one["resourceType"] == "Task"}
        still_open = [
            one
            for one in tx.referrals.of_handoff(record.id)
            if one.status not in FINAL and not precedes(admission, written.get(one.id, ""))
        ]
        for route in routes:
            own = _written_by(house, resources, route.to)
            known = tuple(one for one in still_open if _knows(tx, route.to, one, own))
            if known or _has_team(resources, own):
                yield Watch(record, route, known)


def wrote_referral(house: House, tx: Transaction, route: AlertRoute, record: Handoff, referral: Referral) -> bool:
    """Say whether a route's receiver wrote this referral of a record that the route is about."""
    if not _fits(route, record) or record.state not in _SHOWN:
        return False
    own = _written_by(house, tx.handoffs.resources(record.id), route.to)
    return f"ServiceRequest/{referral.service_request_id}" in own


def _fits(route: AlertRoute, record: Handoff) -> bool:
    of_program = not route.program or bool({record.program, record.mapping} & route.program)
    return of_program and (not route.agency or record.agency in route.agency)


def _knows(tx: Transaction, organization: str, referral: Referral, own: frozenset[str]) -> bool:
    if f"ServiceRequest/{referral.service_request_id}" in own:
        return True
    return referral.recipient == organization and may_have_reached(tx, referral.id)


def _has_team(resources: Sequence[Resource], own: frozenset[str]) -> bool:
    return any(
        one["resourceType"] == "CareTeam" and one.get("status") == "active" and f"CareTeam/{one['id']}" in own
        for one in resources
    )


def _written_by(house: House, resources: Sequence[Resource], organization: str) -> frozenset[str]:
    """Return what an organization signs for as the author."""
    signed: set[str] = set()
    for one in resources:
        if one["resourceType"] == "Provenance" and not is_hop(one):
            found = [house.registry.find_by_reference(agent.get("who")) for agent in one.get("agent", ())]
            if any(author is not None and author.id == organization for author in found):
                signed |= {target["reference"] for target in one["target"] if "reference" in target}
    return frozenset(signed)
