"""Look at the clock for consents: what some of them stopped is decided again, some have ended, some end soon.

No decision depends on it: each reads the dates for itself. Several processes may look at once, and a look that is cut
off by a crash is done again: each consent is written in a transaction of its own that finds only what was not done.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from gateway.flow.consents.changes import put_expired, reopen_stopped
from gateway.flow.consents.terms import keep_watch
from gateway.flow.house import House
from gateway.flow.people import lock_person, person_of_consent
from gateway.model.audit import AuditEntry
from gateway.model.consent_life import ConsentTerm
from gateway.model.errors import TryLater
from gateway.model.fhir_time import written
from gateway.ports import StoredResource, Transaction

EVERY = timedelta(minutes=10)
"""How often it is worth looking."""

AT_ONCE = 100
"""Consents that turn, end and are reminded of in one look, of each at most so many."""


def sweep(house: House) -> bool:
    """Take one look; tell whether there is more to do at once.

    A consent that cannot be looked at keeps none of the others from it: what it failed with is raised in the end.
    """
    now = house.clock()
    failed: list[Exception] = []
    turned = house.database.read(lambda tx: tx.consent_terms.turning(now, AT_ONCE))
    _each(house, turned, lambda term, tx: _turn(house, term, tx), failed)
    ended = house.database.read(lambda tx: tx.consent_terms.ending(now, AT_ONCE))
    _each(house, ended, lambda term, tx: _end(house, term, now, tx), failed)
    soon = now + timedelta(days=house.consent_reminder_days)
    unreminded = house.database.read(lambda tx: tx.consent_terms.unreminded(soon, AT_ONCE))
    _each(house, unreminded, lambda term, tx: _remind(house, term, now, tx), failed)
    if failed:
        raise failed[0]
    return AT_ONCE in (len(turned), len(ended), len(unreminded))


def _each(
    house: House,
    terms: Iterable[ConsentTerm],
    look: Callable[[ConsentTerm, Transaction], None],
    failed: list[Exception],
) -> None:
    """Look at each in a transaction of its own; note in `failed` what one failed with that nobody foresaw."""
    for term in terms:
        try:
            house.database.write(partial(look, term))
        except TryLater:
            raise
        except Exception as error:  # whatever is wrong with one consent, the others end in time
            failed.append(error)


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
