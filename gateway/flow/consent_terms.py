"""When a consent ends and whether it waits for somebody: read once when it is written, and kept for the lists.

The store keeps one row for each consent that will end on a date or waits for its verification; the lists of consents
that end soon, the reminders and the sweep are answered from these rows. No decision ever is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.consent import compile_consents, read_switches
from gateway.consent.consent_checks import is_unverified
from gateway.flow.house import House
from gateway.model.consent_directive import Directive
from gateway.model.consent_life import ConsentTerm
from gateway.model.fhir_time import written
from gateway.model.handoff import Resource
from gateway.ports import Transaction


def read_directive(house: House, consent: Resource) -> Directive:
    """Read a stored consent as the engine does."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": consent}]}
    ((directive,),) = compile_consents(bundle, house.registry).histories
    return directive


def end_of(directive: Directive) -> datetime | None:
    """Return the first instant at which nothing of a consent is good any more; None where no date says so."""
    own = directive.period[1]
    ends = [
        min((end for end in (own, *(one.period[1] for one in grant.provisions)) if end is not None), default=None)
        for grant in directive.grants
    ]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else own


def waits(house: House, directive: Directive) -> bool:
    """Say whether somebody has still to verify a consent before anything leaves on it."""
    return directive.permits_something and is_unverified(directive, read_switches(house.switches), house.clock())


def keep_watch(house: House, tx: Transaction, consent: Resource) -> None:
    """Keep the term of a consent that was just written; forget that of one that is over."""
    term = _term_of(house, consent)
    if term is None:
        tx.consent_terms.drop(consent["id"])
    else:
        _put(tx, term)


def keep_watch_of_record(house: House, tx: Transaction, resources: Sequence[Resource]) -> None:
    """Keep the terms of the consents of a record that was just stored; what was over when it came needs no sweep."""
    for resource in resources:
        if resource["resourceType"] != "Consent":
            continue
        term = _term_of(house, resource) if _may_have_a_term(resource) else None
        if term is None or (term.ends_at is not None and term.ends_at <= house.clock()):
            tx.consent_terms.drop(resource["id"])
        else:
            _put(tx, term)


def _put(tx: Transaction, term: ConsentTerm) -> None:
    """Keep a term, with what is known of the wait and the reminder if the end is still the same."""
    known = tx.consent_terms.get(term.consent_id)
    if known is not None:
        waits_since = term.waits_since and (known.waits_since or term.waits_since)
        is_reminded = known.reminded and known.ends_at == term.ends_at
        term = replace(term, waits_since=waits_since, reminded=is_reminded)
    tx.consent_terms.put(term)


def _may_have_a_term(consent: Resource) -> bool:
    """Say at a glance whether reading a consent is worth it: most records bring an agreement without any end."""
    may_wait = "verification" in consent or "source" in consent.get("meta", {})
    return consent.get("status") == "active" and (may_wait or _has_end(consent.get("provision", {})))


def _has_end(provision: Resource) -> bool:
    return "end" in provision.get("period", {}) or any(map(_has_end, provision.get("provision", ())))


def _term_of(house: House, consent: Resource) -> ConsentTerm | None:
    if consent.get("status") != "active":
        return None
    now = house.clock()
    directive = read_directive(house, {**consent, "meta": {**consent.get("meta", {}), "lastUpdated": written(now)}})
    if not directive.readable:
        return None
    term = ConsentTerm(consent["id"], end_of(directive), now if waits(house, directive) else None)
    return term if term.ends_at or term.waits_since else None
