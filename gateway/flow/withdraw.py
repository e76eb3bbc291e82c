"""Take back what a record no longer says: a deleted record, a changed person, a referral that is gone.

What is left of a closed referral is only what its recipient needs to understand the cancellation: the patient, the
Task and ServiceRequest with their closing states, and who wrote them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.flow.addressing import Addressing
from gateway.flow.house import House
from gateway.flow.referrals import FINAL, cancel
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.model.ids import stable_id
from gateway.model.provenance import is_hop
from gateway.ports import Transaction

GIVEN_BACK = "it names several persons and does not say whom it describes: hand in a record for each"
"""Why a record is closed that goes back to its source, which finds it in its receipt."""


def withdraw(house: House, tx: Transaction, handoff: Handoff, reason: str = "the source withdrew the record") -> None:
    """Withdraw a whole handoff."""
    _close(house, tx, handoff, handoff.id, tx.referrals.of_handoff(handoff.id), reason)


def close_stranger(house: House, tx: Transaction, known: Handoff, resources: Iterable[Resource]) -> bool:
    """Close everything about the former person when a record now names another one; tell whether that was so.

    The closed part moves to a handoff of its own, so that nothing of the new person is ever sent under it.
    """
    before = {r["id"] for r in tx.handoffs.resources(known.id) if r["resourceType"] == "Patient"}
    after = {r["id"] for r in resources if r["resourceType"] == "Patient"}
    if before == after or not before:
        return False
    referrals = tx.referrals.of_handoff(known.id)
    own_id = stable_id(house.key, "withdrawn", known.id, str(known.version))
    _close(house, tx, known, own_id, referrals, "the source now names another person")
    return True


def close_gone(house: House, tx: Transaction, known: Handoff, addressing: Addressing) -> list[Resource]:
    """Close referrals that a changed record no longer asks for; return what of them stays in the record."""
    asked = {one.task["id"] for one in addressing.referrals}
    gone = [r for r in tx.referrals.of_handoff(known.id) if r.id not in asked]
    closed = _closed_resources(house, tx, known.id, gone, "the changed record no longer asks for it")
    _cancel_all(house, tx, gone, known.version + 1)
    return closed


def _close(
    house: House, tx: Transaction, handoff: Handoff, under: str, referrals: Sequence[Referral], reason: str
) -> None:
    now = house.clock()
    patients = [r for r in tx.handoffs.resources(handoff.id) if r["resourceType"] == "Patient"]
    closed = _closed_resources(house, tx, handoff.id, referrals, reason, patients)
    withdrawn = replace(
        handoff, id=under, version=handoff.version + 1, state="withdrawn", hold_reason=reason, updated_at=now
    )
    tx.handoffs.save(withdrawn, [*patients, *closed])
    for referral in referrals:
        tx.referrals.save(replace(referral, handoff_id=under, updated_at=now))
    _cancel_all(house, tx, referrals, handoff.version + 1)
    tx.audit.append(AuditEntry(now, "handoff.withdrawn", "worker", {"handoff": under, "reason": reason}))


def _cancel_all(house: House, tx: Transaction, referrals: Iterable[Referral], version: int) -> None:
    for referral in referrals:
        cancel(house, tx, referral, version)
        current = tx.referrals.get(referral.id) or referral
        if current.status not in FINAL:
            tx.referrals.save(replace(current, status="cancelled", updated_at=house.clock()))


def _closed_resources(
    house: House,
    tx: Transaction,
    handoff_id: str,
    referrals: Sequence[Referral],
    reason: str,
    patients: Sequence[Resource] = (),
) -> list[Resource]:
    """Return each referral's ServiceRequest and Task in their closing states, each with a Provenance of its own."""
    stored = tx.handoffs.resources(handoff_id)
    by_reference = {f"{r['resourceType']}/{r['id']}": r for r in stored}
    closed: list[Resource] = []
    for referral in referrals:
        request = by_reference.get(f"ServiceRequest/{referral.service_request_id}")
        task = by_reference.get(f"Task/{referral.id}")
        if request is None or task is None:
            continue
        if task["status"] not in FINAL:
            task = task | {"status": "cancelled", "statusReason": {"text": reason}}
            request = request | {"status": "revoked"}
        kept = [name for name in ("supportingInfo", "reasonReference", "encounter") if name in request]
        bare = {name: value for name, value in request.items() if name not in kept}
        bare_task = {name: value for name, value in task.items() if name not in ("encounter", "input")}
        closed += [bare, bare_task]
        closed += _provenance(house, stored, referral, patients)
    return closed


def _provenance(
    house: House, stored: Sequence[Resource], referral: Referral, patients: Sequence[Resource]
) -> list[Resource]:
    """Copy who wrote a referral and to whom it came, so that its origin stays known after the rest is gone."""
    own = f"Task/{referral.id}"
    targets = [own, f"ServiceRequest/{referral.service_request_id}", *(f"Patient/{p['id']}" for p in patients)]
    copies: dict[str, Resource] = {}
    for resource in stored:
        named = {target.get("reference") for target in resource.get("target", [])}
        if resource["resourceType"] == "Provenance" and own in named:
            copy = {name: value for name, value in resource.items() if name != "entity"}
            copy["id"] = stable_id(house.key, "Provenance", referral.id, *(["held"] if is_hop(resource) else []))
            copy["target"] = [{"reference": target} for target in targets]
            copies.setdefault(copy["id"], copy)
    return list(copies.values())
