"""What the operator's staff may see. A page of a record is a disclosure and takes the same way."""

from collections.abc import Sequence, Set
from dataclasses import asdict, replace
from typing import Any

import orjson

from gateway.flow.disclose import SESSION, Asked, disclose_items, keep_decision
from gateway.flow.house import House
from gateway.flow.people import candidates_of
from gateway.flow.second_look import is_stopped
from gateway.labeling import label
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Person, Referral, Resource, Work
from gateway.model.labeled import Item
from gateway.model.received import Received
from gateway.ports import Transaction
from gateway.redaction.rebuild import points_to, rebuild
from gateway.redaction.visible import Visible, visible_to

SHOWN_SOURCE_BYTES = 64 * 1024


def console_record(house: House, staff: tuple[str, str], handoff_id: str) -> dict[str, Any] | None:
    """Disclose one record to a member of staff (id, role); None when there is none.

    The operator holds records for their programs. What a Part 2 program wrote is shown only under a qualified service
    organization agreement in force (42 CFR 2.11, 2.12(c)(4)), decided anew for every view. The source, its trace, the
    decisions, the releases and what is counted speak of the whole record, and whom it resembles of other records: they
    are shown to an operator who has such an agreement with every program of the registry, and otherwise of no record,
    so that their absence tells nothing.
    """

    def look(tx: Transaction) -> dict[str, Any] | None:
        handoff = tx.handoffs.get(handoff_id)
        if handoff is None:
            return None
        stored = tx.handoffs.resources(handoff_id)
        shown, withheld = _shown(house, tx, staff, handoff, stored)
        serves_all = serves_every_program(house)
        complete = serves_all and not withheld
        source = tx.inputs.get(handoff.input_id)
        tasks = {one["id"] for one in shown if one["resourceType"] == "Task"}
        referrals = [one for one in tx.referrals.of_handoff(handoff_id) if serves_all or one.id in tasks]
        tx.audit.append(AuditEntry(house.clock(), "record.viewed", staff[0], {"handoff": handoff_id}))
        return {
            "handoff": handoff,
            "records": tx.inputs.records(handoff.input_id),
            "resources": shown,
            "withheld": withheld if serves_all else 0,
            "decisions": tx.decisions.of_handoff(handoff_id) if serves_all else [],
            "releases": _releases(tx, handoff_id) if serves_all else [],
            "deliveries": _deliveries(tx, referrals, serves_all=serves_all),
            "referrals": referrals,
            "trace": _trace(house, tx, handoff) if complete else [],
            "source": source.payload[:SHOWN_SOURCE_BYTES] if source and complete else None,
            "candidates": [_named(one) for one in candidates_of(tx, handoff)] if serves_all else [],
            "decided_elsewhere": handoff.state == "held" and not serves_all,
        }

    return house.database.write(look)


def _deliveries(tx: Transaction, referrals: Sequence[Referral], *, serves_all: bool) -> list[Work]:
    """Return the deliveries of referrals; to an operator who does not serve every program, not why one was refused.

    The reason can rest on what a program's record says that the person consented to, or took back.
    """
    pieces = [work for referral in referrals for work in tx.outbox.of_subject(referral.id)]
    return [replace(one, reason=None) if is_stopped(one) and not serves_all else one for one in pieces]


def _releases(tx: Transaction, handoff_id: str) -> list[dict[str, Any]]:
    """Return what was released of a record, newest first, each with its newest delivery (42 CFR 2.51(c))."""
    made = [(one, tx.outbox.of_subject(one.id)) for one in tx.releases.of_handoff(handoff_id)]
    return [{"release": one, "work": work[-1] if work else None} for one, work in made]


def _trace(house: House, tx: Transaction, handoff: Handoff) -> list[dict[str, Any]]:
    """Tell which source field and rule filled which element, by reading the record again from its input."""
    source = tx.inputs.get(handoff.input_id)
    numbers = [record.n for record in tx.inputs.records(handoff.input_id) if record.handoff_id == handoff.id]
    if source is None or not numbers:
        return []
    received = Received.of_bytes(source.id, source.payload, source.media_type)
    return [asdict(line) for line in house.explain(received, source.source, numbers[-1])]


def serves_every_program(house: House) -> bool:
    """Say whether the operator has an agreement in force with every Part 2 program of the registry."""
    at = house.clock()
    operator = house.registry.get(house.operator)
    return operator is not None and all(
        operator.agreements_with(one.id, "qsoa", at) for one in house.registry if one.is_program(at)
    )


def shows_whole(house: House, tx: Transaction, staff: tuple[str, str], handoff: Handoff) -> bool:
    """Decide whether a member of staff may see everything of a record, as `console_record` decides it."""
    stored = tx.handoffs.resources(handoff.id)
    return _shown(house, tx, staff, handoff, stored)[1] == 0


def _shown(
    house: House, tx: Transaction, staff: tuple[str, str], handoff: Handoff, stored: Sequence[Resource]
) -> tuple[list[Resource], int]:
    """Return what may be shown, and how many items may not.

    Left out is what programs wrote with whom the operator has no agreement in force, and what nobody registered
    wrote; what is left is rebuilt so that nothing in it names that.
    """
    labeled = label({"entry": [{"resource": resource} for resource in stored]}, house.registry, house.clock())
    protected = {item.reference: owner_of(item) for item in labeled.items if owner_of(item) is not None}
    allowed: set[str] = set()
    for program_id in sorted({owner for owner in protected.values() if owner}):
        items = [reference for reference, owner in protected.items() if owner == program_id]
        allowed |= _allowed(house, tx, staff, handoff, stored, program_id, items)
    shown = [item for item in labeled.items if item.reference not in protected or item.reference in allowed]
    visible = visible_to(shown, labeled, house.registry, (house.operator,))
    items_shown = {item.reference for item in shown}
    rebuilt = [_rebuilt(resource, items_shown, visible) for resource in stored]
    resources = _pointed_to([one for one in rebuilt if one is not None], labeled.directory.keys())
    return resources, len(labeled.items) - len(shown)


def _pointed_to(resources: Sequence[Resource], directory: Set[str]) -> list[Resource]:
    """Leave out whom of the directory nothing that is shown points to: it would tell that something else does."""
    left = {name: one for one in resources if (name := _name(one)) in directory}
    found = [one for one in resources if _name(one) not in directory]
    while found:
        written = orjson.dumps(found)
        found = [left.pop(name) for name in list(left) if points_to(written, name)]
    return [one for one in resources if _name(one) not in left]


def _name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def owner_of(item: Item) -> str | None:
    """Name the Part 2 program an item belongs to: "" where its author is unknown, None where there is none."""
    if item.origin.program is not None:
        return item.origin.program.id
    return "" if not item.origin.authors or None in item.origin.authors else None


def _rebuilt(resource: Resource, items: Set[str], visible: Visible) -> Resource | None:
    """Build a resource from what may be seen, with its own labels; None where it may not be seen itself."""
    if resource["resourceType"] == "Provenance":
        targets = [target for target in resource.get("target", ()) if target.get("reference") in items]
        return rebuild({**resource, "target": targets}, visible) if targets else None
    if _name(resource) not in visible.references:
        return None
    built = rebuild(resource, visible)
    return {**built, "meta": resource["meta"]} if "meta" in resource else built


def _allowed(
    house: House,
    tx: Transaction,
    staff: tuple[str, str],
    handoff: Handoff,
    stored: Sequence[Resource],
    program_id: str,
    items: list[str],
) -> set[str]:
    operator = house.registry.get(house.operator)
    agreements = operator.agreements if operator else ()
    agreement = next((one.id for one in agreements if one.kind == "qsoa" and one.organization == program_id), None)
    asked = Asked(
        organization=house.operator,
        person=(staff[0], "staff"),
        recipient=house.operator,
        purpose=("HOPERAT",),
        transport=SESSION,
        channel="console",
        basis={"type": "qso", "agreement": agreement},
    )
    made = disclose_items(house, tx, asked, handoff, stored, items)
    keep_decision(house, tx, made.record, made.inputs, asked, handoff, None, None)
    if not isinstance(made.outcome, Disclosure):
        return set()
    return {reference for reference in items if reference not in made.record.withheld}


def _named(person: Person) -> dict[str, Any]:
    name = f"{person.given} {person.family}".strip()
    return {"person_id": person.id, "name": name, "birth_date": person.birth_date}
