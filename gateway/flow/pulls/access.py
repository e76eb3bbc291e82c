"""Steps 8 to 10 for a read: it is a disclosure, decided and logged like a push."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import orjson

from gateway.flow.disclose import Asked, keep_decision
from gateway.flow.house import House
from gateway.flow.pulls.tried import Moved, Tried, asked_by, locked, log, nothing, task_version, tried, with_version
from gateway.model.caller import Caller
from gateway.model.exchange import Answer
from gateway.model.handoff import Referral, Resource
from gateway.ports import Transaction

_AT_ONCE = 20
"""Referrals that hold a resource and are tried in one transaction."""

Key = tuple[str, str]
"""Resource type and logical id."""


@dataclass(frozen=True, slots=True)
class _Left:
    """What is still to be tried; None where nothing is looked up yet."""

    asked_at: datetime
    referrals: Sequence[Referral] | None
    first: Tried | None


def read(house: House, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
    """Return one resource as this caller may have it, or None: refused and missing are the same.

    One decision is made and kept, of the newest referral that opens the resource or else of the newest; and one about
    nothing where none holds it. So the store is asked and written the same whether the resource is withheld or is not
    there; only where twenty referrals that hold it open nothing are others tried, in a transaction of their own: who
    holds some persons locked waits for no others.
    """
    answer: Answer | _Left | None = _Left(house.clock(), None, None)
    while isinstance(answer, _Left):
        answer = house.database.write(partial(_look, house, caller, (resource_type, resource_id), answer))
    return answer


def can_see(house: House, tx: Transaction, caller: Caller, task_id: str) -> bool:
    """Say whether the caller may have a referral's Task now; decided and kept like a read."""
    asked, key = asked_by(house, caller, "read"), ("Task", task_id)
    batch = locked(tx, _holding(tx, caller, key)[:_AT_ONCE])
    while isinstance(batch, Moved):
        batch = locked(tx, batch.referrals)
    first, opened = _opened(tried(house, tx, asked, batch), key)
    _keep(house, tx, asked, opened or first)
    return opened is not None


def _look(house: House, caller: Caller, key: Key, left: _Left, tx: Transaction) -> Answer | _Left | None:
    asked = asked_by(house, caller, "read")
    referrals = _holding(tx, caller, key) if left.referrals is None else left.referrals
    batch, rest = locked(tx, referrals[:_AT_ONCE]), referrals[_AT_ONCE:]
    if isinstance(batch, Moved):
        return replace(left, referrals=[*batch.referrals, *rest])
    first, opened = _opened(tried(house, tx, asked, batch), key)
    if opened is not None:
        log(house, tx, caller, asked, [_keep(house, tx, asked, opened)], left.asked_at)
        return _answer(tx, opened.resources[key])
    if rest:
        return replace(left, referrals=rest, first=left.first or first)
    _keep(house, tx, asked, left.first or first)
    return None


def _holding(tx: Transaction, caller: Caller, key: Key) -> Sequence[Referral]:
    return tx.referrals.holding(caller.organization, *key)


def _opened(tries: Iterator[Tried], key: Key) -> tuple[Tried | None, Tried | None]:
    """Return what was tried first, and what opens a resource; nothing is tried after that."""
    first = None
    for one in tries:
        first = first or one
        if key in one.resources:
            return first, one
    return first, None


def _keep(house: House, tx: Transaction, asked: Asked, one: Tried | None) -> str:
    kept = one or nothing(house, asked)
    return keep_decision(house, tx, kept.made.record, kept.made.inputs, asked, kept.handoff, kept.referral, None)


def _answer(tx: Transaction, resource: Resource) -> Answer:
    stored = task_version(tx, resource)
    if stored is None:
        return Answer(orjson.dumps(resource), None, None)
    return Answer(orjson.dumps(with_version(resource, stored)), stored.version, stored.updated_at)
