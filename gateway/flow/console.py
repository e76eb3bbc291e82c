"""What the operator's staff may see and decide. A page of a record is a disclosure and takes the same way."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from gateway.flow.disclose import SESSION, Asked, disclose_items, keep_decision
from gateway.flow.house import House
from gateway.flow.referrals import release_held
from gateway.identity import match
from gateway.labeling import label
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Resource
from gateway.model.partner import Organization
from gateway.model.received import Received
from gateway.ports import Transaction

SHOWN_SOURCE_BYTES = 64 * 1024


def console_record(house: House, staff: tuple[str, str], handoff_id: str) -> dict[str, Any] | None:
    """Disclose one record to a member of staff (id, role); None when there is none.

    The operator holds records for their programs. What a Part 2 program wrote is shown only under a qualified service
    organization agreement in force (42 CFR 2.11, 2.12(c)(4)), decided anew for every view; the source as received is
    shown only where nothing of it is withheld.
    """

    def look(tx: Transaction) -> dict[str, Any] | None:
        handoff = tx.handoffs.get(handoff_id)
        if handoff is None:
            return None
        stored = tx.handoffs.resources(handoff_id)
        shown = _shown(house, tx, staff, handoff, stored)
        complete = len(shown) == len(stored)
        source = tx.inputs.get(handoff.input_id)
        referrals = tx.referrals.of_handoff(handoff_id)
        tx.audit.append(AuditEntry(house.clock(), "record.viewed", staff[0], {"handoff": handoff_id}))
        return {
            "handoff": handoff,
            "records": tx.inputs.records(handoff.input_id),
            "resources": shown,
            "withheld": len(stored) - len(shown),
            "decisions": tx.decisions.of_handoff(handoff_id),
            "deliveries": [work for referral in referrals for work in tx.outbox.of_subject(referral.id)],
            "referrals": referrals,
            "trace": _trace(house, tx, handoff) if complete else [],
            "source": source.payload[:SHOWN_SOURCE_BYTES] if source and complete else None,
            "candidates": _candidates(tx, handoff),
        }

    return house.database.write(look)


def _trace(house: House, tx: Transaction, handoff: Handoff) -> list[dict[str, Any]]:
    """Tell which source field and rule filled which element, by reading the record again from its input."""
    source = tx.inputs.get(handoff.input_id)
    numbers = [record.n for record in tx.inputs.records(handoff.input_id) if record.handoff_id == handoff.id]
    if source is None or not numbers:
        return []
    received = Received.of_bytes(source.id, source.payload, source.media_type)
    return [asdict(line) for line in house.explain(received, source.source, numbers[-1])]


def _shown(
    house: House, tx: Transaction, staff: tuple[str, str], handoff: Handoff, stored: Sequence[Resource]
) -> list[Resource]:
    """Leave out what programs wrote with whom the operator has no agreement in force."""
    at = house.clock()
    labeled = label({"entry": [{"resource": resource} for resource in stored]}, house.registry, at)
    programs: dict[str, Organization] = {}
    protected: dict[str, str] = {}
    for item in labeled.items:
        if item.origin.program is not None:
            programs[item.origin.program.id] = item.origin.program
            protected[item.reference] = item.origin.program.id
    allowed: set[str] = set()
    for program_id in programs:
        items = [reference for reference, owner in protected.items() if owner == program_id]
        allowed |= _allowed(house, tx, staff, handoff, stored, program_id, items)
    return [
        resource
        for resource in stored
        if (reference := f"{resource['resourceType']}/{resource['id']}") not in protected or reference in allowed
    ]


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


def _candidates(tx: Transaction, handoff: Handoff) -> list[dict[str, Any]]:
    """Name the persons a held record may be about, for the one who decides."""
    person = tx.people.get(handoff.person_id) if handoff.state == "held" and handoff.person_id else None
    if person is None:
        return []
    others = [
        one
        for one in tx.people.candidates(person.family, person.given, person.birth_date, person.phone)
        if one.id != person.id
    ]
    result = match(replace(person, patient_ids=(), identifiers=()), others)
    return [
        {"person_id": one.id, "name": f"{one.given} {one.family}".strip(), "birth_date": one.birth_date}
        for one in others
        if one.id in result.person_ids
    ]


def resolve_match(house: House, actor: str, handoff_id: str, person_id: str | None) -> bool:
    """Say who a held record is about: a known person, or (None) somebody new; then let its deliveries go on."""

    def resolve(tx: Transaction) -> bool:
        handoff = tx.handoffs.get(handoff_id)
        if handoff is None or handoff.state != "held" or handoff.person_id is None:
            return False
        if person_id is not None and person_id not in {one["person_id"] for one in _candidates(tx, handoff)}:
            return False
        if person_id is not None and not _merge(house, tx, handoff.person_id, person_id):
            return False
        tx.handoffs.set_state(handoff_id, "active", None, house.clock())
        release_held(house, tx, handoff_id)
        kind = "match.confirmed" if person_id is not None else "match.denied"
        tx.audit.append(AuditEntry(house.clock(), kind, actor, {"handoff": handoff_id}))
        return True

    return house.database.write(resolve)


def _merge(house: House, tx: Transaction, provisional: str, known_id: str) -> bool:
    entered, known = tx.people.get(provisional), tx.people.get(known_id)
    if entered is None or known is None:
        return False
    merged = replace(
        known,
        patient_ids=tuple(dict.fromkeys([*known.patient_ids, *entered.patient_ids])),
        identifiers=tuple(dict.fromkeys([*known.identifiers, *entered.identifiers])),
    )
    tx.handoffs.move_person(provisional, known_id)
    tx.people.save(replace(entered, patient_ids=(), identifiers=()), house.clock())
    tx.people.save(merged, house.clock())
    return True
