"""Consents that end with the treatment (42 CFR 2.31(a)(7)): what sounds like its end is put before a person.

A program that closes its plan, or discharges somebody from a stay, may have ended the treatment a consent speaks of, or
one part of it. Nobody can tell from outside, so the consent stands among those that end soon until staff have said
whether its event has come. What the program itself calls a finished episode of care ends it without asking: the
decision reads that for itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gateway.flow.consents.changes import put_next
from gateway.flow.consents.staff_work import locked_consent
from gateway.flow.consents.terms import names_event, read_directive
from gateway.flow.house import House
from gateway.model.audit import AuditEntry
from gateway.model.consent_life import ConsentTerm
from gateway.model.exchange import NOT_FOUND, Problem
from gateway.model.handoff import Resource
from gateway.model.provenance import is_hop
from gateway.model.staff import Member
from gateway.ports import Transaction

_EVENT = "end-of-treatment"
_STAYS = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC"})
"""Encounter.class of a stay (v3-ActCode): the end of a single visit ends nothing."""

_NOT_ASKED = Problem(409, "conflict", None, "Nobody has told of an end, or it was settled: the consent stands.")


def hear_of_ends(
    house: House, tx: Transaction, person_id: str, told: Sequence[Resource], before: Iterable[Resource]
) -> None:
    """Put the consents of a person before staff of whose treatment somebody now says that it may be over.

    `told` is what a record says now, with who signs for it; `before` what it said: what is repeated was looked at when
    it came.
    """
    ends = _ends(told) - _ends(before)
    closed = set(_signing(house, told, ends)) if ends else set()
    if not closed:
        return
    now = house.clock()
    for stored in tx.resources.of_person(["Consent"], person_id):
        if not names_event(stored.body):
            continue
        directive = read_directive(house, stored.body)
        disclosers = {one.organization for one in directive.disclosers}
        if directive.status != "active" or directive.expiry != _EVENT or disclosers.isdisjoint(closed):
            continue
        term = tx.consent_terms.get(stored.body["id"]) or ConsentTerm(stored.body["id"], None)
        if term.event_told_at is None:
            tx.consent_terms.put(replace(term, event_told_at=now))
            tx.audit.append(AuditEntry(now, "consent.end-told", "worker", {"consent": stored.body["id"]}))


def _ends(resources: Iterable[Resource]) -> set[str]:
    """Return the resources that say that something longer than a visit is over."""
    return {f"{one['resourceType']}/{one['id']}" for one in resources if _is_end(one)}


def _is_end(resource: Resource) -> bool:
    kind, status = resource["resourceType"], resource.get("status")
    if kind == "CarePlan":
        return status in ("completed", "revoked")
    return kind == "Encounter" and status == "finished" and resource.get("class", {}).get("code") in _STAYS


def _signing(house: House, resources: Iterable[Resource], targets: set[str]) -> Iterator[str]:
    """Yield who of the registry signs as the author of one of these."""
    for one in resources:
        if one["resourceType"] != "Provenance" or is_hop(one):
            continue
        if targets.isdisjoint(target.get("reference") for target in one["target"]):
            continue
        for agent in one["agent"]:
            author = house.registry.find_by_reference(agent.get("who"))
            if author is not None:
                yield author.id


def settle_end(house: House, actor: Member, consent_id: str, why: str, *, has_come: bool) -> Problem | None:
    """Write down whether the event that a consent ends with has come; None = done. `why` says how it is known.

    If it has, the consent is inactive at once, and what is queued is decided again before it goes.
    """

    def settle(tx: Transaction) -> Problem | None:
        stored = locked_consent(house, tx, actor, consent_id)
        if stored is None:
            return NOT_FOUND
        if not why.strip():
            return Problem(400, "required", None, "Expected words on how it is known.")
        term = tx.consent_terms.get(consent_id)
        if term is None or term.event_told_at is None or stored.body.get("status") != "active":
            return _NOT_ASKED
        tx.consent_terms.put(replace(term, event_told_at=None))
        told = {"event": _EVENT, "why": why.strip()}
        if has_come:
            put_next(house, tx, actor.id, stored, {**stored.body, "status": "inactive"}, "consent.ended", told)
        else:
            tx.audit.append(AuditEntry(house.clock(), "consent.goes-on", actor.id, {"consent": consent_id, **told}))
        return None

    return house.database.write(settle)
