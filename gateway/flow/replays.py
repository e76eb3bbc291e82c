"""Bring work back that rests: a dead letter, what was refused or held, and the reading of what is in quarantine."""

from datetime import datetime

from gateway.flow.people import lock_person, person_of_referral
from gateway.model.audit import AuditEntry
from gateway.model.handoff import Work
from gateway.ports import Transaction

_AT_REST = ("dead", "refused", "held")


def replay(tx: Transaction, work_id: int, actor: str, at: datetime) -> str | None:
    """Make a piece of work ready again; return None, or why not. Consent is decided anew before anything leaves."""
    work = _locked(tx, work_id)
    if work is None:
        return f"{work_id}: there is no work of this number"
    if work.kind == "convert":
        if not read_again(tx, work.subject, at):
            return f"{work_id}: nothing of this input is in quarantine"
    elif work.state in _AT_REST:
        tx.outbox.set_state(work_id, "ready", None, at)
    else:
        return f"{work_id}: it is {work.state}; only dead, refused or held work can be replayed"
    tx.audit.append(AuditEntry(at, "work.replayed", actor, {"work": work_id, "was": work.state}))
    return None


def _locked(tx: Transaction, work_id: int) -> Work | None:
    """Return a piece of work as it stands; with the person of its referral locked, nobody puts another in its place."""
    work = tx.outbox.get(work_id)
    if work is not None:
        lock_person(tx, lambda: person_of_referral(tx, work.subject))
    return tx.outbox.get(work_id)


def read_again(tx: Transaction, input_id: str, at: datetime) -> bool:
    """Let the quarantined records of an input be read once more; tell whether there are any."""
    stored = tx.inputs.get(input_id)
    waits = stored is not None and stored.state == "quarantined"
    if not waits and not any(record.state == "quarantined" for record in tx.inputs.records(input_id)):
        return False
    for work in tx.outbox.of_subject(input_id):
        if work.kind == "convert" and work.state in ("delivered", "dead"):
            tx.outbox.set_state(work.id, "ready", None, at)
    return True
