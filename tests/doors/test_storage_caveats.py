"""Restrictions and reports of false consents: one table of tests for every implementation of the store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.model.caveat import Caveat
from gateway.ports import Database
from tests.support.stored import AT, a_person

pytest_plugins = ("tests.support.databases",)


def a_caveat(caveat_id: str = "caveat-1", **changes: Any) -> Caveat:
    """Return a restriction against the hospital about everything the clinic has of person-1."""
    restriction = Caveat(
        id=caveat_id, person_id="person-1", kind="agreed", organization="org:clinic", against=("org:hospital",),
        items=None, consent_id=None, reason="asked for at the desk", by="staff-1", since=AT,
    )  # fmt: skip
    return replace(restriction, **changes)


def keep(database: Database, *caveats: Caveat) -> None:
    def put(tx: Any) -> None:
        for person_id in sorted({one.person_id for one in caveats}):
            tx.people.save(a_person(person_id, patient_ids=(), identifiers=()), AT)
        for one in caveats:
            tx.caveats.save(one)

    database.write(put)


def test_a_caveat_is_kept_as_it_was_given(database: Database) -> None:
    whole, narrow = a_caveat(), a_caveat("caveat-2", against=("org:a", "org:b"), items=("Condition/c-1",))
    false = a_caveat("caveat-3", kind="consent_false", against=(), consent_id="consent-1", since=AT + timedelta(1))

    keep(database, whole, narrow, false)

    assert database.read(lambda tx: tx.caveats.of_person("person-1")) == [whole, narrow, false]


def test_what_has_ended_is_no_longer_among_them_and_can_still_be_looked_up(database: Database) -> None:
    ended = a_caveat(ended_at=AT + timedelta(days=1), ended_by="staff-2", ended_how="written")
    keep(database, a_caveat())
    keep(database, ended)

    assert database.read(lambda tx: tx.caveats.of_person("person-1")) == []
    assert database.read(lambda tx: tx.caveats.of_people(["person-1"])) == []
    assert database.read(lambda tx: tx.caveats.get("caveat-1")) == ended
    assert database.read(lambda tx: tx.caveats.get("caveat-2")) is None


def test_those_of_several_people_come_in_one_answer_oldest_first(database: Database) -> None:
    later, sooner = a_caveat(since=AT + timedelta(1)), a_caveat("caveat-2", person_id="person-2")
    keep(database, later, sooner, a_caveat("caveat-3", person_id="person-3"))

    assert database.read(lambda tx: tx.caveats.of_people(["person-1", "person-2"])) == [sooner, later]
    assert database.read(lambda tx: tx.caveats.of_people([])) == []


def test_they_move_with_the_person_they_are_about(database: Database) -> None:
    keep(database, a_caveat(), a_caveat("caveat-2", person_id="person-2"))

    database.write(lambda tx: tx.handoffs.move_person("person-1", "person-2"))

    assert database.read(lambda tx: tx.caveats.of_person("person-1")) == []
    assert len(database.read(lambda tx: tx.caveats.of_person("person-2"))) == 2
