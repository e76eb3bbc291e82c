"""Write down what stands in the way besides a consent: a restriction agreed with a person, a consent that is false.

It is committed with the person locked, so a sending is decided before it or after it; every decision after it reads it
(`circumstances`), also that on what is queued already. What was sent before cannot be undone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from gateway.flow.consents.changes import A_NO, reopen_stopped
from gateway.flow.consents.terms import read_directive
from gateway.flow.consents.views import may_look_after, may_see
from gateway.flow.house import House
from gateway.flow.people import lock_person, person_of_consent, person_of_record
from gateway.model.audit import AuditEntry
from gateway.model.caveat import ENDINGS, Caveat, CaveatKind, Restrictions, Wish
from gateway.model.exchange import NOT_FOUND, Problem
from gateway.model.handoff import Handoff
from gateway.model.partner import Organization
from gateway.model.staff import Member
from gateway.ports import Transaction

_KINDS = ("agreed", "self_pay")
_PAYERS = frozenset({"payer"})

_SECOND = Problem(403, "forbidden", None, "Somebody else than who reported the consent has to take the report back.")
_OVER = Problem(409, "conflict", None, "It has ended already.")


def restrictions_of_record(house: House, actor: Member, handoff_id: str) -> Restrictions | None:
    """Return the restrictions of the person of a record that staff may look after, and for whom they may agree to more.

    None where there is no such record, nobody in it, or it is not theirs. The look is a row of the audit trail.
    """

    def look(tx: Transaction) -> Restrictions | None:
        handoff = _record(house, tx, actor, handoff_id)
        if handoff is None or handoff.person_id is None:
            return None
        tx.audit.append(AuditEntry(house.clock(), "restrictions.viewed", actor.id, {"person": handoff.person_id}))
        shown = [one for one in tx.caveats.of_person(handoff.person_id) if one.kind in _KINDS]
        return Restrictions(
            tuple(one for one in shown if may_look_after(house, actor, [one.organization])),
            tuple(_bound(house, actor, handoff)),
            tuple(sorted(house.registry, key=lambda one: one.name)),
        )

    return house.database.write(look)


def agree_restriction(house: House, actor: Member, handoff_id: str, wish: Wish) -> Problem | None:
    """Write down a restriction about the person of a record; None = done. The same one again changes nothing."""

    def agree(tx: Transaction) -> Problem | None:
        lock_person(tx, lambda: person_of_record(tx, handoff_id))
        handoff = _record(house, tx, actor, handoff_id)
        if handoff is None or handoff.person_id is None:
            return NOT_FOUND
        problem = _wrong(house, tx, actor, handoff, wish)
        if problem is not None:
            return problem
        caveat = Caveat(
            id=house.new_id(), person_id=handoff.person_id, kind=cast(CaveatKind, wish.kind),
            organization=wish.organization, against=tuple(sorted(set(wish.against))), items=wish.items,
            consent_id=None, reason=wish.reason.strip(), by=actor.id, since=house.clock(),
        )  # fmt: skip
        told = {"kind": caveat.kind, "of": caveat.organization, "against": list(caveat.against)}
        _keep(tx, caveat, "restriction.agreed", told)
        return None

    return house.database.write(agree)


def end_restriction(house: House, actor: Member, caveat_id: str, how: str) -> Problem | None:
    """End a restriction because the person asked or agreed to, `how` written or oral (42 CFR 2.26(b)); None = done.

    What it stopped is decided again. A program that ends one by itself is bound for everything it had before; that is
    no end, and not offered.
    """

    def end(tx: Transaction) -> Problem | None:
        caveat = _locked(tx, caveat_id)
        if caveat is None or caveat.kind not in _KINDS or not may_look_after(house, actor, [caveat.organization]):
            return NOT_FOUND
        if how not in ENDINGS:
            return Problem(400, "value", None, "Expected how the person ended it: in writing, or by word of mouth.")
        return _end(house, tx, actor, caveat, how, "restriction.ended")

    return house.database.write(end)


def report_false(house: House, actor: Member, consent_id: str, why: str) -> Problem | None:
    """Write down that a consent is known to be false (42 CFR 2.31(c)(4)): nothing leaves on it; None = done."""

    def report(tx: Transaction) -> Problem | None:
        lock_person(tx, lambda: person_of_consent(tx, consent_id))
        stored = tx.resources.get("Consent", consent_id)
        if stored is None or stored.person_id is None:
            return NOT_FOUND
        directive = read_directive(house, stored.body)
        if not may_see(house, actor, directive):
            return NOT_FOUND
        if not why.strip():
            return Problem(400, "required", None, "Expected words on what is false about it.")
        if not directive.permits_something:
            return A_NO
        caveat = Caveat(
            id=house.new_id(), person_id=stored.person_id, kind="consent_false", organization=actor.organization,
            against=(), items=None, consent_id=consent_id, reason=why.strip(), by=actor.id, since=house.clock(),
        )  # fmt: skip
        _keep(tx, caveat, "consent.reported-false", {"consent": consent_id})
        return None

    return house.database.write(report)


def take_report_back(house: House, actor: Member, consent_id: str, why: str) -> Problem | None:
    """Take back the report that a consent is false; None = done. Never by who reported it; what it stopped goes on."""

    def take_back(tx: Transaction) -> Problem | None:
        lock_person(tx, lambda: person_of_consent(tx, consent_id))
        stored = tx.resources.get("Consent", consent_id)
        if stored is None or stored.person_id is None or not may_see(house, actor, read_directive(house, stored.body)):
            return NOT_FOUND
        if not why.strip():
            return Problem(400, "required", None, "Expected words on how it is known to be right.")
        reports = [one for one in tx.caveats.of_person(stored.person_id) if one.consent_id == consent_id]
        if not reports:
            return _OVER
        if any(one.by == actor.id for one in reports):
            return _SECOND
        for one in reports:
            _end(house, tx, actor, one, why.strip(), "consent.report-taken-back")
        return None

    return house.database.write(take_back)


def _record(house: House, tx: Transaction, actor: Member, handoff_id: str) -> Handoff | None:
    handoff = tx.handoffs.get(handoff_id)
    return handoff if handoff is not None and actor.organization in (house.operator, handoff.agency) else None


def _bound(house: House, actor: Member, handoff: Handoff) -> Iterator[Organization]:
    """Yield the programs, and the agency of the record, whose word on a restriction this member of staff may write."""
    for one in sorted(house.registry, key=lambda one: one.name):
        may_agree = one.is_program(house.clock()) or one.id == handoff.agency
        if may_agree and may_look_after(house, actor, [one.id]):
            yield one


def _wrong(house: House, tx: Transaction, actor: Member, handoff: Handoff, wish: Wish) -> Problem | None:
    if wish.organization not in {one.id for one in _bound(house, actor, handoff)}:
        return NOT_FOUND
    if wish.kind not in _KINDS:
        return Problem(400, "value", None, "Expected a restriction that was agreed, or one on what was paid in full.")
    named = [house.registry.get(one) for one in wish.against]
    if not named or None in named or wish.organization in wish.against:
        return Problem(422, "value", None, "Expected other organizations of the registry that are not to get it.")
    if wish.kind == "self_pay" and not all(one is not None and one.roles & _PAYERS for one in named):
        return Problem(422, "value", None, "What was paid in full is kept from health plans: name payers only.")
    held = {f"{one['resourceType']}/{one['id']}" for one in tx.handoffs.resources(handoff.id)}
    if wish.items is not None and (not wish.items or not held.issuperset(wish.items)):
        return Problem(422, "value", None, "Expected items of this record.")
    if not wish.reason.strip():
        return Problem(400, "required", None, "Expected words on how it was agreed.")
    return None


def _keep(tx: Transaction, caveat: Caveat, kind: str, told: Mapping[str, object]) -> None:
    """Keep a caveat once: a button pressed twice makes one, for of two the person would end one and leave the other."""
    if all(_says(one) != _says(caveat) for one in tx.caveats.of_person(caveat.person_id)):
        tx.caveats.save(caveat)
        tx.audit.append(AuditEntry(caveat.since, kind, caveat.by, {"caveat": caveat.id, **told}))


def _says(caveat: Caveat) -> tuple[object, ...]:
    if caveat.consent_id is not None:
        return (caveat.consent_id,)
    return caveat.kind, caveat.organization, caveat.against, caveat.items


def _locked(tx: Transaction, caveat_id: str) -> Caveat | None:
    """Return a caveat with its person locked: whom it is about may have changed before."""

    def find() -> str | None:
        caveat = tx.caveats.get(caveat_id)
        return caveat.person_id if caveat is not None else None

    lock_person(tx, find)
    return tx.caveats.get(caveat_id)


def _end(house: House, tx: Transaction, actor: Member, caveat: Caveat, how: str, kind: str) -> Problem | None:
    if caveat.ended_at is not None:
        return _OVER
    now = house.clock()
    tx.caveats.save(replace(caveat, ended_at=now, ended_by=actor.id, ended_how=how))
    told = {"caveat": caveat.id, **({"consent": caveat.consent_id} if caveat.consent_id else {"how": how})}
    tx.audit.append(AuditEntry(now, kind, actor.id, told))
    reopen_stopped(house, tx, caveat.person_id)
    return None
