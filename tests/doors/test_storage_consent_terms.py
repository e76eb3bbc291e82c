"""The terms of consents: one table of tests for every implementation of the store."""

from datetime import timedelta

from gateway.model.consent_life import ConsentTerm
from gateway.ports import Database, Transaction
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)

SOON, LATER = AT + timedelta(days=1), AT + timedelta(days=9)


def keep(database: Database, *terms: ConsentTerm) -> None:
    def put(tx: Transaction) -> None:
        for one in terms:
            tx.consent_terms.put(one)

    database.write(put)


def test_a_term_is_kept_overwritten_and_forgotten(database: Database) -> None:
    keep(database, ConsentTerm("c-1", SOON, AT))
    keep(database, ConsentTerm("c-1", LATER, None, reminded=True))
    changed = database.read(lambda tx: tx.consent_terms.get("c-1"))
    database.write(lambda tx: tx.consent_terms.drop("c-1"))
    database.write(lambda tx: tx.consent_terms.drop("c-1"))

    assert changed == ConsentTerm("c-1", LATER, None, reminded=True)
    assert database.read(lambda tx: tx.consent_terms.get("c-1")) is None


def test_ends_come_in_their_order_and_only_those_that_have_come(database: Database) -> None:
    later, soon, same = ConsentTerm("c-1", LATER), ConsentTerm("c-3", SOON), ConsentTerm("c-2", SOON)
    keep(database, later, soon, same, ConsentTerm("c-4", None, AT))

    assert database.read(lambda tx: tx.consent_terms.ending(SOON - timedelta(microseconds=1))) == []
    assert database.read(lambda tx: tx.consent_terms.ending(SOON)) == [same, soon]
    assert database.read(lambda tx: tx.consent_terms.ending(LATER)) == [same, soon, later]
    assert database.read(lambda tx: tx.consent_terms.ending(LATER, 1)) == [same]


def test_who_was_reminded_is_not_reminded_again(database: Database) -> None:
    reminded, not_yet = ConsentTerm("c-1", SOON, None, reminded=True), ConsentTerm("c-2", SOON)
    keep(database, reminded, not_yet)

    assert database.read(lambda tx: tx.consent_terms.unreminded(SOON)) == [not_yet]


def test_what_turns_comes_in_its_order_and_only_once_its_instant_has_come(database: Database) -> None:
    later, soon = ConsentTerm("c-1", None, turns_at=LATER), ConsentTerm("c-2", LATER, turns_at=SOON)
    keep(database, later, soon, ConsentTerm("c-3", SOON))

    assert database.read(lambda tx: tx.consent_terms.turning(SOON - timedelta(microseconds=1))) == []
    assert database.read(lambda tx: tx.consent_terms.turning(SOON)) == [soon]
    assert database.read(lambda tx: tx.consent_terms.turning(LATER)) == [soon, later]
    assert database.read(lambda tx: tx.consent_terms.turning(LATER, 1)) == [soon]


def test_of_whose_end_was_told_longest_ago_comes_first(database: Database) -> None:
    later, first = ConsentTerm("c-1", SOON, event_told_at=LATER), ConsentTerm("c-2", None, event_told_at=AT)
    keep(database, later, first, ConsentTerm("c-3", SOON))

    assert database.read(lambda tx: tx.consent_terms.doubtful()) == [first, later]
    assert database.read(lambda tx: tx.consent_terms.doubtful(1)) == [first]


def test_the_longest_wait_comes_first_and_what_waits_only_later_not_at_all(database: Database) -> None:
    second, first = ConsentTerm("c-1", None, LATER), ConsentTerm("c-2", None, SOON)
    keep(database, second, first, ConsentTerm("c-3", SOON))

    assert database.read(lambda tx: tx.consent_terms.waiting(LATER)) == [first, second]
    assert database.read(lambda tx: tx.consent_terms.waiting(LATER, 1)) == [first]
    assert database.read(lambda tx: tx.consent_terms.waiting(SOON)) == [first]
