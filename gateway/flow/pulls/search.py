"""Steps 8 to 10 for a search: each referral to the caller is decided like a push; only what may leave is counted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from gateway.flow.disclose import keep_decisions
from gateway.flow.house import House
from gateway.flow.pulls.tried import Moved, asked_by, locked, log, nothing, task_version, tried, with_version
from gateway.model.caller import Caller
from gateway.model.exchange import Found, Problem, RequestRefused
from gateway.model.fhir_time import covered_interval
from gateway.model.handoff import Referral, Resource
from gateway.ports import Transaction

MOST_RESULTS = 200
"""Referrals shown on one page of a search."""

_TO_FIND_ANOTHER = 20
"""Referrals decided on at once where a page is full, to say whether there is another one."""

_MOST_IDS = 20
"""Ids that are looked up one by one; where more are named, all referrals are gone through."""

Parameters = list[tuple[str, str]]
Place = tuple[datetime, str]
"""Where a referral stands in a search: when it changed, and its id."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is searched for. Changed at `since` or later, and standing after `after`."""

    resource_type: str
    parameters: Parameters
    since: datetime | None
    after: Place | None
    asked_at: datetime

    def may_hold(self, referral: Referral) -> bool:
        """Say whether a referral is on this page or a later one, as far as its place tells."""
        return (self.since is None or referral.updated_at >= self.since) and (
            self.after is None or _place(referral) > self.after
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """What one transaction of a search found."""

    found: dict[str, Resource]
    """By id."""
    shown: Sequence[Place]
    """Of the referrals of which something may leave, as far as the page has room."""
    is_full: bool
    """Something may leave of a referral for which the page has no room."""
    left: Sequence[Referral]
    """What is still to be decided on."""


def search(house: House, caller: Caller, resource_type: str, parameters: Parameters) -> Found:
    """Return the resources this caller may have, of the referral that changed longest ago first; nothing else counts.

    Offered: Task and ServiceRequest, Consent and Patient, by _id, identifier, status, owner, patient, focus, code and
    _lastUpdated (ge, gt), of the referrals addressed to the caller's organization. A page shows 200 referrals; the next
    one is asked for with `after`.

    Up to 200 referrals are decided on, and what may leave of them is logged, in one piece of work, which locks their
    persons all at once and no others later. Where some of them are withheld, others are looked at in the next, and
    whether there is a next page is said only of what may leave.
    """
    wanted = _Wanted(resource_type, parameters, _since(parameters), _after(parameters), house.clock())
    found: dict[str, Resource] = {}
    left: Sequence[Referral] | None = None
    shown: list[Place] = []
    while left is None or left:
        look = partial(_look, house, caller, wanted, left, MOST_RESULTS - len(shown), found.keys())
        step = house.database.write(look)
        found |= step.found
        shown += step.shown
        if step.is_full:
            return Found(list(found.values()), _written(shown[-1]))
        left = step.left
    return Found(list(found.values()))


def _look(
    house: House,
    caller: Caller,
    wanted: _Wanted,
    left: Sequence[Referral] | None,
    to_show: int,
    known: Collection[str],
    tx: Transaction,
) -> _Step:
    """Decide on the next referrals; `left` None: those there are. `known` is what is found by now."""
    asked = asked_by(house, caller, "search")
    referrals = _candidates(tx, caller, wanted) if left is None else left
    at_once = MOST_RESULTS if to_show else _TO_FIND_ANOTHER
    batch, rest = locked(tx, referrals[:at_once]), referrals[at_once:]
    if isinstance(batch, Moved):
        return _Step({}, (), is_full=False, left=[*batch.referrals, *rest])
    decided = list(tried(house, tx, asked, batch)) or [nothing(house, asked)]
    kept = keep_decisions(house, tx, asked, [(one.made, one.handoff, one.referral) for one in decided])
    permitted = [(one, decision_id) for one, decision_id in zip(decided, kept, strict=True) if one.resources]
    found: dict[str, Resource] = {}
    told = []
    # What is withheld is not counted: it must not take the place of what is not.
    for one, decision_id in permitted[:to_show]:
        matching = [
            resource for (kind, key), resource in one.resources.items()
            if kind == wanted.resource_type and key not in found and key not in known
            and _matches(resource, wanted.parameters)
        ]  # fmt: skip
        found |= {resource["id"]: _versioned(tx, resource) for resource in matching}
        told += [decision_id] if matching else []
    log(house, tx, caller, asked, told, wanted.asked_at)
    shown = [_place(one.referral) for one, _ in permitted[:to_show] if one.referral is not None]
    return _Step(found, shown, is_full=len(permitted) > to_show, left=rest)


def _candidates(tx: Transaction, caller: Caller, wanted: _Wanted) -> list[Referral]:
    """Return the referrals that may hold what is wanted, oldest change first."""
    ids = next((value.split(",") for name, value in wanted.parameters if name == "_id"), [])
    if 0 < len(ids) <= _MOST_IDS:
        holding = {
            one.id: one
            for each in sorted(set(ids))
            for one in tx.referrals.holding(caller.organization, wanted.resource_type, each)
        }
        found: Iterable[Referral] = sorted(holding.values(), key=_place)
    else:
        found = tx.referrals.of_recipient(caller.organization, None, wanted.since)
    return [one for one in found if wanted.may_hold(one)]


def _place(referral: Referral) -> Place:
    return referral.updated_at, referral.id


def _written(place: Place) -> str:
    return f"{place[0].astimezone(UTC).isoformat()}~{place[1]}"


def _after(parameters: Parameters) -> Place | None:
    """Read where the page before ended; what was not written by one is refused, never ignored."""
    given = [value for name, value in parameters if name == "after"]
    if not given:
        return None
    at, _, referral_id = given[0].partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if len(given) > 1 or moment is None or moment.tzinfo is None:
        raise RequestRefused(Problem(400, "value", None, "after: expected it as the next link of a page has it."))
    return moment, referral_id


def _versioned(tx: Transaction, resource: Resource) -> Resource:
    stored = task_version(tx, resource)
    return resource if stored is None else with_version(resource, stored)


def _since(parameters: Parameters) -> datetime | None:
    """Read the lower bound on changes; a bound that cannot be applied is refused, never ignored."""
    for name, value in parameters:
        if name != "_lastUpdated":
            continue
        if value[:2] not in ("ge", "gt"):
            raise RequestRefused(
                Problem(400, "not-supported", None, "_lastUpdated: expected ge or gt before the time.")
            )
        try:
            first, after = covered_interval(value[2:], UTC)
        except ValueError:
            told = "_lastUpdated: expected a FHIR date, or a dateTime with an offset."
            raise RequestRefused(Problem(400, "value", None, told)) from None
        return first if value[:2] == "ge" else after
    return None


def _matches(resource: Resource, parameters: Parameters) -> bool:
    return all(_holds(resource, name, value) for name, value in parameters)


def _holds(resource: Resource, name: str, value: str) -> bool:
    values = set(value.split(","))
    if name == "_id":
        return resource["id"] in values
    if name == "status":
        return resource.get("status") in values
    if name == "identifier":
        return any(_is_token(one, values) for one in resource.get("identifier", []))
    if name == "code":
        return any(
            coding.get("code") in values or f"{coding.get('system')}|{coding.get('code')}" in values
            for coding in resource.get("code", {}).get("coding", [])
        )
    if name in ("patient", "focus", "owner"):
        element = {"patient": ("for", "subject", "patient"), "focus": ("focus",), "owner": ("owner",)}[name]
        return any(_refers(resource.get(each), values) for each in element)
    return True


def _is_token(identifier: dict[str, Any], values: set[str]) -> bool:
    return identifier.get("value") in values or f"{identifier.get('system')}|{identifier.get('value')}" in values


def _refers(reference: Any, values: set[str]) -> bool:
    if not isinstance(reference, dict):
        return False
    written = reference.get("reference", "")
    return (
        written in values or written.rpartition("/")[2] in values or _is_token(reference.get("identifier", {}), values)
    )
