"""Look at the clock for consents: what some of them stopped is decided again, some have ended, some end soon.

No decision depends on it: each reads the dates for itself. Several processes may look at once, and a look that is cut
off by a crash is done again: each consent is written in a transaction of its own that finds only what was not done.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from gateway.flow.consents.changes import put_expired, reopen_stopped
from gateway.flow.consents.terms import keep_watch
from gateway.flow.house import House
from gateway.flow.people import lock_person, person_of_consent
from gateway.model.audit import AuditEntry
from gateway.model.consent_life import ConsentTerm
from gateway.model.fhir_time import written
from gateway.ports import StoredResource, Transaction

EVERY = timedelta(minutes=10)
"""How often it is worth looking."""

AT_ONCE = 100
"""Consents that turn, end and are reminded of in one look, of each at most so many."""


def sweep(house: House) -> bool:
    """Take one look; tell whether there is more to do at once."""
    now = house.clock()
    turned = house.database.read(lambda tx: tx.consent_terms.turning(now, AT_ONCE))
    for term in turned:
        house.database.write(partial(_turn, house, term))
    ended = house.database.read(lambda tx: tx.consent_terms.ending(now, AT_ONCE))
    for term in ended:
        house.database.write(partial(_end, house, term, now))
    soon = now + timedelta(days=house.consent_reminder_days)
    unreminded = house.database.read(lambda tx: tx.consent_terms.unreminded(soon, AT_ONCE))
    for term in unreminded:
        house.database.write(partial(_remind, house, term, now))
    return AT_ONCE in (len(turned), len(ended), len(unreminded))


def _turn(house: House, term: ConsentTerm, tx: Transaction) -> None:
    """Let what a consent stopped be decided again, now that it permits more or refuses less; find its next turn.

    It must not wait for the next version of a record: the moment would tell that the record has one (42 CFR 2.13).
    """
    stored = _locked(tx, term)
    if stored is None or stored.person_id is None:
        tx.consent_terms.drop(term.consent_id)
    elif tx.consent_terms.get(term.consent_id) == term:
        keep_watch(house, tx, stored.body)
        reopen_stopped(house, tx, stored.person_id)


def _end(house: House, term: ConsentTerm, now: datetime, tx: Transaction) -> None:
    stored = _locked(tx, term)
    if stored is None:
        tx.consent_terms.drop(term.consent_id)
    elif not put_expired(house, tx, stored, now):
        keep_watch(house, tx, stored.body)


def _remind(house: House, term: ConsentTerm, now: datetime, tx: Transaction) -> None:
    """Write once for each end that it comes near; staff look at the list of consents that end soon."""
    if _locked(tx, term) is None or tx.consent_terms.get(term.consent_id) != term or term.ends_at is None:
        return
    tx.consent_terms.put(replace(term, reminded=True))
    told = {"consent": term.consent_id, "ends": written(term.ends_at)}
    tx.audit.append(AuditEntry(now, "consent.reminded", "worker", told))


def _locked(tx: Transaction, term: ConsentTerm) -> StoredResource | None:
    """Return the consent of a term with its person, if it has one, locked."""
    lock_person(tx, lambda: person_of_consent(tx, term.consent_id))
    return tx.resources.get("Consent", term.consent_id)
