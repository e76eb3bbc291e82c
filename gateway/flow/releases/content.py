"""What of a record a release is about: whose items somebody may release, and in whose hands they are.

A record is in the hands of the agency that keeps it, whoever wrote its parts, and a release is made from those hands.
That what others wrote has come to the agency stands in what is decided, and leaves (42 CFR 2.11, records).
"""

from collections.abc import Sequence

from gateway.flow.addressing import for_referral
from gateway.flow.handed_in import with_hop
from gateway.flow.house import House
from gateway.flow.releases.kinds import KINDS
from gateway.flow.staff.console import serves_every_program
from gateway.labeling import label
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.handoff import Handoff, Resource
from gateway.model.labeled import Item
from gateway.model.release import Release
from gateway.model.staff import Member
from gateway.ports import Transaction


def content_of(house: House, tx: Transaction, release: Release, handoff: Handoff) -> Sequence[Resource]:
    """Return what is decided on. That others were asked is no part of it, unless the record itself is asked for."""
    resources = _in_hand(house, tx, handoff)
    return resources if KINDS[release.kind].whole_record else for_referral(resources, "", "")


def on_behalf_of(house: House, release: Release, handoff: Handoff) -> str:
    """Name for whom whoever asked acts: the operator for the agency whose record it is, unless that is a program.

    For a program the operator acts under an agreement of its own, and the engine looks for that.
    """
    agency = house.registry.get(handoff.agency)
    is_programs = agency is None or agency.is_program(house.clock())
    return release.organization if release.organization != house.operator or is_programs else handoff.agency


def items_of(
    house: House, tx: Transaction, actor: Member, handoff: Handoff, types: frozenset[str] = frozenset()
) -> tuple[str, ...] | None:
    """Return which items are this organization's to release, None for all; raises `RequestRefused` where none is.

    The operator releases whole records, if it has an agreement with every program of the registry: a refusal that
    depended on the record would tell whether a program has a part in it. Anybody else releases what they wrote, or what
    their program holds. Of that, where `types` are given, only items of these, and who they are about.
    """
    if actor.organization == house.operator:
        if not serves_every_program(house):
            raise RequestRefused(NOT_FOUND)
        if not types:
            return None
        own = _labeled(house, tx, handoff)
    else:
        own = tuple(item for item in _labeled(house, tx, handoff) if actor.organization in _holders(item))
        if not own:
            raise RequestRefused(NOT_FOUND)
    if types and not any(item.type in types for item in own):
        raise RequestRefused(Problem(400, "value", None, "Nothing of these kinds in the record is yours to release."))
    return tuple(sorted(item.reference for item in own if not types or item.type in types or item.type == "Patient"))


def references_of(house: House, tx: Transaction, actor: Member, handoff: Handoff) -> list[str]:
    """Return the references of the items this member of staff may release, for a form; raises as `items_of`."""
    own = items_of(house, tx, actor, handoff)
    return [item.reference for item in _labeled(house, tx, handoff)] if own is None else list(own)


def _labeled(house: House, tx: Transaction, handoff: Handoff) -> tuple[Item, ...]:
    records: Resource = {"entry": [{"resource": one} for one in _in_hand(house, tx, handoff)]}
    return tuple(label(records, house.registry, house.clock()).items)


def _holders(item: Item) -> set[str]:
    if item.origin.program is not None:
        return {item.origin.program.id}
    return {one.id for one in item.origin.authors if one is not None}


def _in_hand(house: House, tx: Transaction, handoff: Handoff) -> list[Resource]:
    """Return the resources of a record, with the hop by which what no Part 2 program wrote has come to its agency."""
    resources = tx.handoffs.resources(handoff.id)
    agency = house.registry.get(handoff.agency)
    return resources if agency is None else with_hop(house, resources, handoff.id, agency, handoff.created_at)
