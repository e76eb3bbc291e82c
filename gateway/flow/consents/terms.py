"""When a consent begins to stop less, when it ends, and whether it waits for somebody: read once when it is written.

The store keeps one row for each consent of which one of these is known; the lists of consents that end soon, the
reminders and the sweep are answered from these rows. No decision ever is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.consent import compile_consents, read_switches
from gateway.consent.consent_checks import is_unverified
from gateway.flow.house import House
from gateway.model.consent_directive import Directive, Interval, Provision
from gateway.model.consent_life import ConsentTerm
from gateway.model.fhir_time import NO_END, covered_interval, written
from gateway.model.handoff import Resource
from gateway.ports import Transaction

_PART2 = "https://warmhandoff.example/fhir/StructureDefinition/part2-"
EXPIRY = f"{_PART2}expiry"
"""The extension by which a consent says which event it ends with (42 CFR 2.31(a)(7))."""
_TURNS = frozenset({EXPIRY, f"{_PART2}revocation", f"{_PART2}revocable-from"})
"""Extensions that may say when a consent turns or ends."""


def read_directive(house: House, consent: Resource) -> Directive:
    """Read a stored consent as the engine does."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": consent}]}
    ((directive,),) = compile_consents(bundle, house.registry).histories
    return directive


def end_of(directive: Directive) -> datetime | None:
    """Return the first instant at which a consent neither permits nor refuses anything; None where no date says so.

    A date in the year 9999 says that there is none.
    """
    own = directive.period[1]
    ends = [_earliest(own, *(one.period[1] for one in grant.provisions)) for grant in directive.grants]
    if directive.can_refuse and directive.root is not None:
        is_default = directive.root.is_bare and directive.permits_something
        ends += _refused_until(directive.root, own, is_default)
    known = [end for end in ends if end is not None]
    end = max(known) if known and len(known) == len(ends) else own
    return None if end == NO_END else end


def _refused_until(provision: Provision, until: datetime | None, is_default: bool) -> Iterator[datetime | None]:
    """Yield until when each refusal in a tree of provisions stands: to its own end, or that of what it lies in."""
    until = _earliest(until, provision.period[1])
    if provision.type == "deny" and not is_default:
        yield until
    for nested in provision.nested:
        yield from _refused_until(nested, until, is_default=False)


def _earliest(*ends: datetime | None) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)


def next_turn(directive: Directive, at: datetime) -> datetime | None:
    """Return the first instant after `at` at which a consent may stop less than before; None where no date says so.

    Something it permits begins then, or it is dated or confirmed then; or something it refuses ends, or is taken back.
    """
    edges = list(_edges(directive.root)) if directive.root else []
    turns = [directive.dated, *directive.confirmations, *(start for start, _ in edges)]
    if directive.can_refuse:
        turns += [directive.revocable_from, *(one.when for one in directive.revocations), *(end for _, end in edges)]
    return min((one for one in turns if one is not None and one > at), default=None)


def _edges(provision: Provision) -> Iterator[Interval]:
    yield provision.period
    for nested in provision.nested:
        yield from _edges(nested)


def waits(house: House, directive: Directive) -> bool:
    """Say whether somebody has still to verify a consent before anything leaves on it."""
    return directive.permits_something and is_unverified(directive, read_switches(house.switches), house.clock())


def _waits_since(house: House, directive: Directive) -> datetime | None:
    """Return from when on a consent waits for somebody; ahead, where it counts for some time after a confirmation."""
    now = house.clock()
    if waits(house, directive):
        return now
    switches = read_switches(house.switches)
    last = max((one for one in directive.confirmations if one <= now), default=None)
    if last is None or not directive.permits_something:
        return None
    try:
        lapsed = last + timedelta(hours=switches.external_consent_max_age, microseconds=1)
    except OverflowError:  # a site that lets them count for ever
        return None
    return lapsed if is_unverified(directive, switches, lapsed) else None


def keep_watch(house: House, tx: Transaction, consent: Resource) -> None:
    """Keep the term of a consent that was just written; forget that of one that is over."""
    _keep(house, tx, consent, _term_of(house, consent))


def keep_watch_of_record(house: House, tx: Transaction, resources: Sequence[Resource]) -> None:
    """Keep the terms of the consents of a record that was just stored; what was over when it came needs no sweep."""
    for resource in resources:
        if resource["resourceType"] != "Consent":
            continue
        if not _may_have_a_term(resource, house.clock()):
            tx.consent_terms.drop(resource["id"])
            continue
        term = _term_of(house, resource)
        is_over = term is not None and term.ends_at is not None and term.ends_at <= house.clock()
        _keep(house, tx, resource, None if is_over else term)


def _keep(house: House, tx: Transaction, consent: Resource, term: ConsentTerm | None) -> None:
    """Keep a term, with what is known of the wait, of the event, and of the reminder if the end is still the same."""
    known = tx.consent_terms.get(consent["id"])
    if known is not None and known.event_told_at is not None and consent.get("status") == "active":
        term = replace(term or ConsentTerm(consent["id"], None), event_told_at=known.event_told_at)
    if term is None:
        tx.consent_terms.drop(consent["id"])
        return
    if known is not None:
        waits_since = term.waits_since
        if waits_since is not None and waits_since <= house.clock():
            waits_since = min(known.waits_since or waits_since, waits_since)
        is_reminded = known.reminded and known.ends_at == term.ends_at
        term = replace(term, waits_since=waits_since, reminded=is_reminded)
    tx.consent_terms.put(term)


def _may_have_a_term(consent: Resource, now: datetime) -> bool:
    """Say at a glance whether reading a consent is worth it: most records bring an agreement of once and for ever."""
    may_wait = "verification" in consent or "source" in consent.get("meta", {})
    may_turn = _has_edge(consent.get("provision", {}), now) or _is_dated_ahead(consent.get("dateTime"), now)
    says_when = any(one.get("url") in _TURNS for one in consent.get("extension", ()))
    return consent.get("status") == "active" and (may_wait or may_turn or says_when)


def names_event(consent: Resource) -> bool:
    """Say at a glance whether a consent ends with an event; which one, only reading it tells."""
    return any(one.get("url") == EXPIRY for one in consent.get("extension", ()))


def _has_edge(provision: Resource, now: datetime) -> bool:
    """Say whether a provision, or one in it, may begin later than now, or ends at all."""
    period = provision.get("period", {})
    here = "end" in period or _is_dated_ahead(period.get("start"), now)
    return here or any(_has_edge(one, now) for one in provision.get("provision", ()))


def _is_dated_ahead(dated: object, now: datetime) -> bool:
    """Say whether something may be dated later than now: by a clock that is ahead, or today in the west."""
    try:
        return covered_interval(dated, UTC)[1] > now
    except ValueError:
        return False  # one that nobody can date is deficient, and stays so


def _term_of(house: House, consent: Resource) -> ConsentTerm | None:
    if consent.get("status") != "active":
        return None
    now = house.clock()
    directive = read_directive(house, {**consent, "meta": {**consent.get("meta", {}), "lastUpdated": written(now)}})
    if not directive.readable:
        return None
    waits_since = _waits_since(house, directive)
    term = ConsentTerm(consent["id"], end_of(directive), waits_since, turns_at=next_turn(directive, now))
    return term if term.ends_at or term.waits_since or term.turns_at else None
