"""What staff do to a kept consent: verify it, reject it, take it back for the person who asked.

What is not there and what is not theirs is refused alike (`NOT_FOUND`).
"""

from gateway.flow.consents.changes import put_rejection, put_revocation, put_verification, replaced_by
from gateway.flow.consents.terms import read_directive, waits
from gateway.flow.consents.views import may_see
from gateway.flow.house import House
from gateway.flow.people import lock_person, person_of_consent
from gateway.flow.staff.console import serves_every_program
from gateway.formats.consent_paper import CAPTURED_BY
from gateway.model.consent_life import Revoking
from gateway.model.exchange import NOT_FOUND, Problem
from gateway.model.staff import Member
from gateway.ports import StoredResource, Transaction

_OVER = Problem(409, "conflict", "Consent.status", "The consent is over.")
_SECOND = Problem(403, "forbidden", "Consent.verification", "Somebody else than who filed it has to verify it.")
_UNSEEN = Problem(
    403,
    "forbidden",
    "Consent.extension",
    "It replaces a paper that is not here, or not yours to see: ask the operator.",
)
_NOT_WAITING = Problem(409, "conflict", "Consent.verification", "The consent waits for nobody.")


def revoke_consent(house: House, actor: Member, consent_id: str, revoking: Revoking) -> Problem | None:
    """Write down that the person takes a consent back, whole or for single recipients; None = done."""

    def revoke(tx: Transaction) -> Problem | None:
        stored = locked_consent(house, tx, actor, consent_id)
        if stored is None:
            return NOT_FOUND
        if any(one not in house.registry for one in revoking.recipients):
            return Problem(422, "value", "recipient", "Expected organizations of the registry, found another.")
        if stored.body.get("status") != "active":
            return _OVER
        return put_revocation(house, tx, actor.id, stored, revoking, stored.body.get("patient"))

    return house.database.write(revoke)


def verify_consent(house: House, actor: Member, consent_id: str, how: str) -> Problem | None:
    """Confirm that a consent is what its person signed, after comparing; None = done.

    `how` says with what it was compared ("the scan", "a call to the clinic", "the patient"). Never by who filed it.
    """

    def verify(tx: Transaction) -> Problem | None:
        stored = locked_consent(house, tx, actor, consent_id)
        problem = _not_to_be_judged(house, actor, stored, how)
        if problem is not None or stored is None:
            return problem
        if _replaces_unseen(house, tx, actor, stored):
            return _UNSEEN
        put_verification(house, tx, actor.id, stored, how.strip())
        return None

    return house.database.write(verify)


def reject_consent(house: House, actor: Member, consent_id: str, reason: str) -> Problem | None:
    """Mark a consent that waits as entered in error; None = done. The reason stands in the audit trail."""

    def reject(tx: Transaction) -> Problem | None:
        stored = locked_consent(house, tx, actor, consent_id)
        problem = _not_to_be_judged(house, actor, stored, reason)
        if problem is not None or stored is None:
            return problem
        put_rejection(house, tx, actor.id, stored, reason.strip())
        return None

    return house.database.write(reject)


def _not_to_be_judged(house: House, actor: Member, stored: StoredResource | None, words: str) -> Problem | None:
    if stored is None:
        return NOT_FOUND
    if not words.strip():
        return Problem(400, "required", None, "Expected words on what it was compared with, or why it is none.")
    if stored.body.get("status") != "active":
        return _OVER
    if not waits(house, read_directive(house, stored.body)):
        return _NOT_WAITING
    tags = stored.body.get("meta", {}).get("tag", ())
    is_own = any((one.get("system"), one.get("code")) == (CAPTURED_BY, actor.id) for one in tags)
    return _SECOND if is_own else None


def _replaces_unseen(house: House, tx: Transaction, actor: Member, stored: StoredResource) -> bool:
    """Say whether a consent replaces one that this member of staff may not see, for with this one it would end.

    One that is not there counts as one, but to an operator who may see all there are.
    """
    sees_all = actor.organization == house.operator and serves_every_program(house)
    replaced = (tx.resources.get("Consent", one) for one in replaced_by(read_directive(house, stored.body)))
    return any(
        not sees_all if one is None else not may_see(house, actor, read_directive(house, one.body)) for one in replaced
    )


def locked_consent(house: House, tx: Transaction, actor: Member, consent_id: str) -> StoredResource | None:
    """Return a consent that this member of staff may look after, with its person locked."""
    lock_person(tx, lambda: person_of_consent(tx, consent_id))
    stored = tx.resources.get("Consent", consent_id)
    if stored is None or stored.person_id is None or not may_see(house, actor, read_directive(house, stored.body)):
        return None
    return stored
