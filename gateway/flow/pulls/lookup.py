"""Officer look-up: is there a referral status I may know, of the person in a record I handed in?

A status is a disclosure to police, and of a program's referral a disclosure of treatment (42 CFR 2.11). It takes a
consent that names the department and covers the referral; the answer is then the one word of the newest such referral,
with the notice. Everything else is one answer: no such receipt, nobody known, no referral, no consent, waiting for a
person. All take the same work: what is asked of the store does not depend on what is found there (42 CFR 2.13(c)(2)).
"""

from collections.abc import Mapping

from gateway.flow.circumstances import NOBODY
from gateway.flow.disclose import SESSION, Asked, Made, keep_decision, log_answers, made_of
from gateway.flow.handed_in import held_together
from gateway.flow.house import House
from gateway.flow.judgement import Matter
from gateway.flow.pulls.consult import circumstances_asked, locked_or_nobody
from gateway.model.caller import Caller
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Resource
from gateway.model.lookup import NOTHING_TO_TELL, Status
from gateway.ports import Transaction

CHANNEL = "lookup"
PURPOSE = "COC"
"""Coordination of care: with monitoring the only purpose for which police may be told by consent."""


def look_up(house: House, caller: Caller, receipt: str, record: int) -> Status:
    """Tell the status of the newest referral that this caller may know of, about the person in its own record."""

    asked_at = house.clock()

    def look(tx: Transaction) -> Status:
        handoff_id = _own_record(tx, caller, receipt, record)
        person_id = locked_or_nobody(tx, lambda: _person(tx, handoff_id))
        # The decision, and the AuditEvent that its caller may read, are about the Patient of the caller's own record:
        # any other could be of a record that the caller may not know of.
        own_first = sorted(tx.handoffs.contents_of(person_id), key=lambda one: one[0] != handoff_id)
        records = held_together(house, own_first)
        made = _decided(house, tx, caller, person_id, records)
        asked = _asked(caller)
        decision_id = keep_decision(house, tx, made.record, made.inputs, asked, None, None, None, person_id or None)
        tasks = _tasks_of(made)
        if not isinstance(made.outcome, Disclosure) or not tasks:
            return NOTHING_TO_TELL
        told = f"answer to a look-up of {caller.client}: the status of a referral"
        log_answers(house, tx, asked, [decision_id], told, asked_at)
        newest = max(tasks, key=lambda one: (str(one.get("lastModified", one.get("authoredOn", ""))), one["id"]))
        return Status(newest["status"], made.outcome.notice, _scope(made.outcome))

    return house.database.write(look)


def _own_record(tx: Transaction, caller: Caller, receipt: str, record: int) -> str:
    """Return the id of a record that the caller handed in; `NOBODY` where it is not the caller's."""
    stored = tx.inputs.get(receipt)
    outcomes = tx.inputs.records(receipt)
    is_own = stored is not None and stored.client == caller.client
    return next((one.handoff_id for one in outcomes if is_own and one.n == record and one.handoff_id), NOBODY)


def _person(tx: Transaction, handoff_id: str) -> str | None:
    """Return whom a record is about; None where there is none, and for one that waits for a person."""
    handoff = tx.handoffs.get(handoff_id)
    return handoff.person_id if handoff is not None and handoff.state == "active" else None


def _decided(house: House, tx: Transaction, caller: Caller, person_id: str, records: Mapping[str, Resource]) -> Made:
    """Decide on the person's Tasks alone; what else is kept only says whose they are and who wrote them."""
    people = [one for one in records.values() if one["resourceType"] == "Patient"]
    patients = [f"Patient/{one['id']}" for one in people]
    tasks = sorted(reference for reference in records if reference.startswith("Task/"))
    circumstances = circumstances_asked(house, tx, person_id, list(records.values()))
    # The index has said that these Patients are one person, so they are for the decision.
    merges = [{"type": "merge", "from": one, "into": patients[0], "verified": True} for one in patients[1:]]
    return made_of(
        house,
        Matter(
            request=_asked(caller).request(patients[0] if patients else "Patient/unknown", tasks),
            records=list(records.values()),
            consents=circumstances.consents,
            facts=[*people, *merges, *circumstances.facts],
            at=house.clock(),
            switches=house.switches,
            gate=None,
        ),
    )


def _asked(caller: Caller) -> Asked:
    return Asked(
        organization=caller.organization,
        person=caller.person or (caller.client, "officer"),
        recipient=caller.organization,
        purpose=(PURPOSE,),
        transport=SESSION,
        channel=CHANNEL,
    )


def _tasks_of(made: Made) -> list[Resource]:
    entries = made.outcome.content["entry"] if isinstance(made.outcome, Disclosure) else []
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Task"]


def _scope(disclosure: Disclosure) -> str:
    """Return the explanation of the consent that travels with what it opens (42 CFR 2.32(b))."""
    documents = [one["resource"] for one in disclosure.content["entry"]]
    return "\n".join(one["description"] for one in documents if one["id"].startswith("part2-scope-"))
