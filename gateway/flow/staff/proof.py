"""Proof of what was decided and disclosed: the accounting for a patient, and any past decision made again.

Each look at either is a row of the audit trail, written before anything is shown.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.flow.judgement import read_matter
from gateway.flow.messages.pass_on import decided_again
from gateway.model.accounting import Accounting, Wanted
from gateway.model.audit import AuditEntry
from gateway.model.decision import POLICY_VERSION
from gateway.model.partner import Registry
from gateway.ports import Clock, Database, Transaction
from gateway.reporting.accounting import account, list_of_intermediary


@dataclass(frozen=True, slots=True)
class Replayed:
    """A past decision beside the same decision made now from what was kept of it."""

    decision: str
    kept: dict[str, Any]
    now: dict[str, Any]
    registry_changed: bool
    """The partners are not those of then. Their digest is part of the hash, so the hash cannot agree."""
    policy_changed: bool
    """The rules are of another version than those of then."""

    @property
    def differences(self) -> tuple[str, ...]:
        """Name the parts of the record that do not agree."""
        return tuple(name for name in self.kept if self.kept[name] != self.now.get(name))


def accounting(
    database: Database,
    registry: Registry,
    clock: Clock,
    actor: str,
    wanted: Wanted,
    since: datetime,
    until: datetime,
) -> Accounting | None:
    """Return the accounting of a person in [since, until), or the list of an intermediary; None: nobody known."""

    def look(tx: Transaction) -> Accounting | None:
        person_id = _person(tx, wanted)
        if person_id is None:
            return None
        rows, now = tx.decisions.disclosed(person_id, since, until), clock()
        if wanted.intermediary:
            made = list_of_intermediary(rows, registry, person_id, wanted.intermediary, since, until, now)
        else:
            made = account(rows, registry, person_id, since, until, now)
        told = {
            "person": person_id,
            "from": since.isoformat(),
            "until": until.isoformat(),
            "intermediary": wanted.intermediary or None,
            "disclosures": len(made.disclosures),
        }
        tx.audit.append(AuditEntry(now, "accounting.viewed", actor, told))
        return made

    return database.write(look)


def _person(tx: Transaction, wanted: Wanted) -> str | None:
    if wanted.handoff:
        handoff = tx.handoffs.get(wanted.handoff)
        return handoff.person_id if handoff else None
    person = tx.people.by_patient(wanted.patient) if wanted.patient else tx.people.get(wanted.person)
    return person.id if person else None


def replay(database: Database, registry: Registry, clock: Clock, actor: str, decision_id: str) -> Replayed | None:
    """Make a past decision again from its kept inputs; None: there is none of this id.

    The rules and the partners are those of now; what differs from then is said, for it can change the outcome.
    """
    kept = database.read(lambda tx: tx.decisions.get(decision_id))
    if kept is None:
        return None
    matter, registry_of_then = read_matter(kept.inputs)
    made = Replayed(
        decision=decision_id,
        kept=dict(kept.record),
        now=decided_again(matter, registry).to_json(),
        registry_changed=registry_of_then != registry.digest.hex(),
        policy_changed=kept.record["policy_version"] != POLICY_VERSION,
    )
    told = {"decision": decision_id, "differences": list(made.differences)}
    database.write(lambda tx: tx.audit.append(AuditEntry(clock(), "decision.replayed", actor, told)))
    return made
