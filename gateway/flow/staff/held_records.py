"""What a person says of a record that is held: whom it is about. Until then nothing of it goes, and after it all does.

Whom a record resembles is known from other records, perhaps a program's: it is shown, and can be decided on, only where
the operator serves every program. A record that names several persons goes back to its source instead: it does not say
which of its parts is whose, and whoever said so here would guess what only the source can know.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.flow.addressing import no_route
from gateway.flow.alerts.waiting import resume_alerts
from gateway.flow.house import House
from gateway.flow.messages.held_relays import resume_relays
from gateway.flow.people import candidates_of, is_in_doubt, locked_record, person_of_record, unite
from gateway.flow.referrals import release_held
from gateway.flow.staff.console import serves_every_program
from gateway.flow.withdraw import GIVEN_BACK, withdraw
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Handoff, HandoffState, Work
from gateway.ports import Transaction


def resolve_match(house: House, actor: str, handoff_id: str, person_id: str | None) -> bool:
    """Say who a held record is about: a known person, or (None) somebody new; then let what waited for it go on.

    That is every record of whom it was about till now: who is told of one is told of all. Where the known person is in
    doubt too, they wait on, as records of that person. False where there is nothing to say, or not of this person; and
    to an operator who may not see whom it resembles, for who has not seen them cannot say that it is none of them.
    """
    if not serves_every_program(house):
        return False

    def resolve(tx: Transaction) -> bool:
        entered = person_of_record(tx, handoff_id)
        tx.people.lock_each([one for one in (entered, person_id) if one is not None])
        handoff = tx.handoffs.get(handoff_id)
        if handoff is None or handoff.state != "held" or handoff.person_id is None or handoff.person_id != entered:
            return False
        if person_id is not None and person_id not in {one.id for one in candidates_of(tx, handoff)}:
            return False
        held = [one for one in tx.handoffs.of_person(handoff.person_id) if one.state == "held"]
        doubt_remains = person_id is not None and is_in_doubt(tx, person_id)
        if person_id is not None:
            _become(house, tx, handoff.person_id, person_id)
        if not doubt_remains:
            _let_go_on(house, tx, held, person_id or handoff.person_id)
        kind = "match.confirmed" if person_id is not None else "match.denied"
        tx.audit.append(AuditEntry(house.clock(), kind, actor, {"handoff": handoff_id}))
        return True

    return house.database.write(resolve)


def give_back(house: House, actor: str, handoff_id: str) -> bool:
    """Close a record that names several persons, and tell its source in the receipt; False where there is none.

    The record takes its road when it is handed in again and names one; the same again changes nothing.
    """

    def close(tx: Transaction) -> bool:
        handoff = locked_record(tx, handoff_id)
        if handoff is None or handoff.state != "held" or handoff.person_id is not None:
            return False
        withdraw(house, tx, handoff, GIVEN_BACK)
        own = [one for one in tx.inputs.records(handoff.input_id) if one.handoff_id == handoff_id]
        tx.inputs.put_records([replace(one, state="skipped", reason=GIVEN_BACK) for one in own])
        tx.audit.append(AuditEntry(house.clock(), "record.given-back", actor, {"handoff": handoff_id}))
        return True

    return house.database.write(close)


def _become(house: House, tx: Transaction, provisional: str, known_id: str) -> None:
    entered, known = tx.people.get(provisional), tx.people.get(known_id)
    assert entered is not None, "a locked person is there"
    assert known is not None, "a locked person is there"
    unite(tx, entered, known, house.clock())


def _let_go_on(house: House, tx: Transaction, held: Iterable[Handoff], person_id: str) -> None:
    """Let records go on, with their deliveries, and the alerts and messages that waited for the same word."""
    for record in held:
        unrouted = _unrouted(tx, record.id)
        state: HandoffState = "unrouted" if unrouted else "active"
        tx.handoffs.set_state(record.id, state, no_route(unrouted), house.clock())
        release_held(house, tx, record.id)
    resume_alerts(house, tx, person_id, _is_held)
    resume_relays(house, tx)


def _unrouted(tx: Transaction, handoff_id: str) -> int:
    """Count the referrals of a record that no route covered when it came: they wait for a person now."""
    asked = {one["id"] for one in tx.handoffs.resources(handoff_id) if one["resourceType"] == "ServiceRequest"}
    return len(asked - {one.service_request_id for one in tx.referrals.of_handoff(handoff_id)})


def _is_held(alert: Work) -> bool:
    return alert.state == "held"
