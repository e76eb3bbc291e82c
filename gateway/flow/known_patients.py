"""Which Patients an organization knows of: those of its own records, and those of what was disclosed to it.

Who names any other Patient is answered as if nobody had that id, for it may be that a Part 2 program's record alone
has them (42 CFR 2.13(c)(2)). What is asked of the store for that does not depend on what is found there.
"""

from gateway.flow.circumstances import NOBODY
from gateway.flow.handed_in import keeps, wrote_in
from gateway.flow.house import House
from gateway.flow.people import PERSON_ID, Key, key_in, person_by_reference
from gateway.ports import Transaction
from gateway.reporting.audit_event import patient_named


def keys_of(tx: Transaction, reference: object) -> frozenset[Key]:
    """Return every key of the Patients that a reference names; empty where it names nobody by a key that counts.

    A Patient has a number of ours beside its id, and several of one person may share it.
    """
    key = key_in(reference)
    if key is None:
        return frozenset()
    if key[0] == PERSON_ID:
        return frozenset({key, *(("Patient", one.body["id"]) for one in tx.resources.by_identifier("Patient", *key))})
    stored = tx.resources.get(*key)
    identifiers = stored.body.get("identifier", ()) if stored is not None else ()
    numbers = (one.get("value", "") for one in identifiers if one.get("system") == PERSON_ID)
    return frozenset({key, *((PERSON_ID, one) for one in numbers)})


def knows(house: House, tx: Transaction, organization: str, reference: object) -> bool:
    """Say whether an organization knows of a Patient that a reference names: from its own records, or as a recipient.

    Its own are those it keeps and, of a Part 2 program, those in which it wrote, whoever handed them in.
    """
    patients = sorted(value for system, value in keys_of(tx, reference) if system == "Patient") or [NOBODY]
    records = tx.handoffs.holding("Patient", patients)
    if any(keeps(house, organization, one) for one in records):
        return True
    person = person_by_reference(tx, reference) or NOBODY
    received = (patient_named(one.decision) for one in tx.decisions.received_about(organization, person))
    if not {f"Patient/{one}" for one in patients}.isdisjoint(received):
        return True
    own = house.registry.get(organization)
    if own is None or not own.is_program(house.clock()):
        return False
    written = tx.handoffs.several([one.handoff_id for one in records] or [NOBODY])
    return any(wrote_in(house, organization, resources) for _, resources in written)
