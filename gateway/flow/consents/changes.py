"""What happens to a kept consent: it is taken back, verified, rejected, replaced. Each commits before it is answered.

Every change is the next version of the Consent and a row of the audit trail in one transaction, with the person locked,
so that a sending is decided before the change or after it and never beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.flow.alerts.waiting import resume_alerts
from gateway.flow.consents.terms import end_of, keep_watch, read_directive
from gateway.flow.handed_in import custodian
from gateway.flow.house import House
from gateway.flow.referrals import reopen_refused
from gateway.flow.second_look import is_stopped
from gateway.model.audit import AuditEntry
from gateway.model.consent_directive import Directive
from gateway.model.consent_life import Revoking, RevokingMessage
from gateway.model.exchange import Problem
from gateway.model.fhir_time import written
from gateway.model.handoff import Resource
from gateway.ports import StoredResource, Transaction

FILED_BY = "https://warmhandoff.example/id/filed-by"
"""Tag system: which organization filed a Consent here. A Consent with it is never overwritten by an import."""
REPLACED_BY = "https://warmhandoff.example/id/replaced-by"
"""Tag system: the id of the Consent that took the place of this one."""

A_NO = Problem(
    409, "conflict", None, "A no is obeyed, whoever wrote it: a new form of the person replaces it (42 CFR 2.31(a)(6))."
)
"""The answer to who would take a no back, or call it false: neither may let more leave than before."""

_EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/part2-"


def put_revocation(
    house: House,
    tx: Transaction,
    actor: str,
    stored: StoredResource,
    revoking: Revoking,
    by: Resource | None,
    *,
    message: RevokingMessage | None = None,
) -> Problem | None:
    """Write a revocation into a consent (42 CFR 2.31(a)(6), (c)(3)), received now or with `message`; None = it stands.

    A written or electronic one of the whole consent ends it; one for single recipients leaves it standing for the
    others; a spoken one holds what it would stop until it comes in writing or a new form is signed. The same one again
    changes nothing. A no is not taken back: `A_NO`. The person must be locked.
    """
    received = message.received if message is not None else house.clock()
    if is_a_no(read_directive(house, stored.body)):
        return A_NO
    if _is_told_already(house, stored.body, revoking):
        return None
    parts: list[Resource] = [
        {"url": "when", "valueDateTime": written(received)},
        {"url": "method", "valueCode": revoking.method},
        *([{"url": "by", "valueReference": by}] if by else []),
        *({"url": "recipient", "valueReference": house.reference(one)} for one in revoking.recipients),
    ]
    revocation = {"url": _EXTENSION + "revocation", "extension": parts}
    body = {**stored.body, "extension": [*stored.body.get("extension", ()), revocation]}
    if not revoking.recipients and revoking.method != "oral" and body["status"] == "active":
        body["status"] = "inactive"
    told: dict[str, object] = {"method": revoking.method, "recipients": list(revoking.recipients)}
    if message is not None:
        told |= {"input": message.input_id, "stated": message.stated_at}
    put_next(house, tx, actor, stored, body, "consent.revoked", told)
    return None


def is_a_no(directive: Directive) -> bool:
    """Say whether a consent says no and nothing else."""
    return directive.can_refuse and not directive.permits_something


def _is_told_already(house: House, body: Resource, revoking: Revoking) -> bool:
    recipients = [house.reference(one) for one in revoking.recipients]
    for one in body.get("extension", ()):
        if one.get("url") != _EXTENSION + "revocation":
            continue
        parts = one.get("extension", ())
        is_same = {"url": "method", "valueCode": revoking.method} in parts
        named = [part.get("valueReference") for part in parts if part.get("url") == "recipient"]
        if is_same and named == recipients:
            return True
    return False


def put_verification(house: House, tx: Transaction, actor: str, stored: StoredResource, how: str) -> None:
    """Write that somebody has compared a consent with what the person signed, and let it count from now on.

    What it replaces ends now, and what was refused or held for want of it is decided again. The person must be locked.
    """
    now = house.clock()
    confirmed = {"verified": True, "verifiedWith": stored.body["patient"], "verificationDate": written(now)}
    put_next(house, tx, actor, stored, {**stored.body, "verification": [confirmed]}, "consent.verified", {"how": how})
    assert stored.person_id is not None, "a consent is about somebody"
    replace_consents(
        house, tx, actor, stored.person_id, stored.body["id"], replaced_by(read_directive(house, stored.body))
    )
    reopen_stopped(house, tx, stored.person_id)


def put_rejection(house: House, tx: Transaction, actor: str, stored: StoredResource, reason: str) -> None:
    """Write that a consent is none: not of this person, not signed, not what stands on the paper (entered-in-error)."""
    body = {**stored.body, "status": "entered-in-error"}
    put_next(house, tx, actor, stored, body, "consent.rejected", {"why": reason})


def replaced_by(directive: Directive) -> tuple[str, ...]:
    """Return the ids of the consents that one says it replaces."""
    return tuple(one.removeprefix("Consent/") for one in sorted(directive.supersedes))


def replace_consents(
    house: House, tx: Transaction, actor: str, person_id: str, newer: str, older: Sequence[str]
) -> None:
    """End the consents that another one replaces, at this instant and in this transaction."""
    for consent_id in older:
        stored = tx.resources.get("Consent", consent_id)
        if stored is None or stored.person_id != person_id or stored.body.get("status") != "active":
            continue
        tags = [*_tags(stored.body), {"system": REPLACED_BY, "code": newer}]
        body = {**stored.body, "status": "inactive", "meta": {**stored.body.get("meta", {}), "tag": tags}}
        put_next(house, tx, actor, stored, body, "consent.replaced", {"by": newer})


def put_expired(house: House, tx: Transaction, stored: StoredResource, at: datetime) -> bool:
    """Mark a consent whose end has passed; tell whether it had. The person must be locked.

    The decision never waits for this: it reads the end itself. A consent that came with a record is left as its agency
    wrote it, which may write a later end into the next version of the record.
    """
    directive = read_directive(house, stored.body)
    ends_at = end_of(directive)
    if stored.body.get("status") != "active" or ends_at is None or ends_at > at:
        return False
    told = {"ended": written(ends_at)}
    if stored.handoff_id is None:
        put_next(house, tx, "worker", stored, {**stored.body, "status": "inactive"}, "consent.expired", told)
    else:
        tx.consent_terms.drop(stored.body["id"])
        tx.audit.append(AuditEntry(at, "consent.expired", "worker", {"consent": stored.body["id"], **told}))
    return True


def put_next(
    house: House,
    tx: Transaction,
    actor: str,
    stored: StoredResource,
    body: Resource,
    kind: str,
    told: Mapping[str, object],
) -> int:
    """Write the next version of a consent with its audit row; return its version.

    One that came with a record counts as filed by the record's custodian from then on: the next import must not bring
    back what a person has changed.
    """
    now = house.clock()
    if stored.handoff_id is not None and not any(one.get("system") == FILED_BY for one in _tags(body)):
        tags = [*_tags(body), *_filed_by(house, tx, body["id"])]
        body = {**body, "meta": {**body.get("meta", {}), "tag": tags}}
    version = tx.resources.put(body, handoff_id=stored.handoff_id, person_id=stored.person_id, at=now)
    keep_watch(house, tx, body)
    tx.audit.append(AuditEntry(now, kind, actor, {"consent": body["id"], "version": version, **told}))
    reopen_what_it_stopped(house, tx, stored)
    return version


def reopen_what_it_stopped(house: House, tx: Transaction, before: StoredResource) -> None:
    """Let work be decided again, once a consent that refused something has changed.

    It must not wait for the next version of a record: the moment would tell that the record has one (42 CFR 2.13).
    """
    if before.person_id is not None and read_directive(house, before.body).can_refuse:
        reopen_stopped(house, tx, before.person_id)


def reopen_stopped(house: House, tx: Transaction, person_id: str) -> None:
    """Let what was refused or held for its consent be decided again; what waits for another reason goes on waiting."""
    reopen_refused(house, tx, person_id)
    resume_alerts(house, tx, person_id, is_stopped)
    for referral in tx.referrals.of_person(person_id):
        for piece in tx.outbox.of_subject(referral.id):
            if is_stopped(piece):
                tx.outbox.set_state(piece.id, "ready", None, house.clock())


def _filed_by(house: House, tx: Transaction, consent_id: str) -> list[Resource]:
    keepers = {custodian(house, one) for one in tx.handoffs.holding("Consent", [consent_id])}
    return [{"system": FILED_BY, "code": one} for one in sorted(keepers)]


def _tags(body: Resource) -> list[Resource]:
    return list(body.get("meta", {}).get("tag", []))
