"""How a consent stands at this instant, in one word for a page to sort by and in plain words for people."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from gateway.consent import read_switches
from gateway.consent.consent_checks import is_unverified
from gateway.consent.kinds import STATEMENTS_OF_2024, is_legacy_form
from gateway.flow.consents.changes import REPLACED_BY
from gateway.flow.consents.terms import end_of
from gateway.flow.house import House
from gateway.model.consent_directive import Directive, Party
from gateway.model.consent_life import ConsentState
from gateway.model.handoff import Resource
from gateway.model.partner import Organization

IN_FORCE: frozenset[ConsentState] = frozenset({"active", "not-yet", "revoked-in-part", "oral-revocation", "waits"})
"""States in which a consent can still come to its end."""

_Day = Callable[[datetime], str]
_UNTIL = {
    "none": "until revoked",
    "end-of-treatment": "until the end of the treatment",
    "end-of-research-study": "until the end of the study",
}


def state_of(house: House, body: Resource, directive: Directive) -> tuple[ConsentState, str]:
    """Return the state of a consent at this instant, and the same in words."""
    now = house.clock()
    zone = next((one.zone for one in organizations(house, directive.disclosers) if one.zone), None)

    def day(at: datetime) -> str:
        return (at.astimezone(zone) if zone else at).date().isoformat()

    newer = next((tag["code"] for tag in body.get("meta", {}).get("tag", ()) if tag.get("system") == REPLACED_BY), None)
    counting = () if is_early(directive, now) else directive.revocations
    whole = [one for one in counting if not one.recipients]
    is_waiting = len(counting) < len(directive.revocations)
    ends_at = end_of(directive)
    if not directive.readable:
        return "unreadable", "cannot be read safely: nothing leaves on it"
    if directive.status in ("entered-in-error", "rejected"):
        return "error", "entered in error"
    if directive.status in ("draft", "proposed"):
        return "draft", "not given yet"
    if newer is not None:
        return "replaced", f"replaced by {newer}"
    if any(not one.is_oral for one in whole):
        when = next((one.when for one in whole if not one.is_oral), None)
        return "revoked", f"revoked on {day(when)}" if when else "revoked"
    if ends_at is not None and ends_at <= now:
        return "ended", f"ended on {day(ends_at - timedelta(microseconds=1))}"
    if directive.status != "active" and not is_waiting:
        return "ended", "ended"
    return _state_in_force(house, directive, now, day)


def is_early(directive: Directive, at: datetime) -> bool:
    """Say whether a consent cannot be taken back yet: what is said counts from its day on (42 CFR 2.35(c))."""
    return directive.revocable_from is not None and at < directive.revocable_from


def _state_in_force(house: House, directive: Directive, now: datetime, day: _Day) -> tuple[ConsentState, str]:
    start, ends_at = directive.period[0], end_of(directive)
    until = f"until {day(ends_at - timedelta(microseconds=1))}" if ends_at else _UNTIL.get(directive.expiry or "", "")
    if directive.revocable_from is not None and is_early(directive, now) and directive.revocations:
        return "active", f"active {until}; taken back, which counts from {day(directive.revocable_from)}"
    if directive.revocations and any(one.is_oral and not one.recipients for one in directive.revocations):
        return "oral-revocation", "taken back by word of mouth: nothing leaves until it comes in writing"
    if not directive.permits_something:
        return "refusal", "a no: nothing leaves to whom it names"
    if is_unverified(directive, read_switches(house.switches), now):
        return "waits", "waits for its verification"
    if start is not None and now < start:
        return "not-yet", f"begins on {day(start)}"
    active = f"active {until}".strip()
    if directive.revocations:
        return "revoked-in-part", f"{active}, taken back for some recipients"
    if _lacks_elements(directive):
        return "active", f"{active}, but without elements of 42 CFR 2.31(a): no record of a Part 2 program leaves on it"
    return "active", active


def _lacks_elements(directive: Directive) -> bool:
    """Say whether nothing a consent permits is the written consent that a program needs (42 CFR 2.31(a)).

    Most agreements that come in a record are none: they open what no program holds, and nothing else.
    """
    forgiven = STATEMENTS_OF_2024 if is_legacy_form(directive) else frozenset()
    return all(grant.lacks - forgiven for grant in directive.grants)


def organizations(house: House, parties: Sequence[Party]) -> list[Organization]:
    """Return the organizations of the registry among parties of a consent."""
    return [one for one in (house.registry.get(party.organization) for party in parties) if one is not None]
