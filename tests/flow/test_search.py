"""A search over more referrals than one transaction decides on: it locks persons once in each, and misses nothing."""

from dataclasses import replace
from itertools import groupby

from gateway.flow.gateway import Gateway
from gateway.flow.people import unite
from gateway.flow.pulls.search import MOST_RESULTS
from gateway.model.handoff import Person
from gateway.ports import Transaction
from tests.support.before_the_lock import BeforeTheLock
from tests.support.counted import CountedDatabase
from tests.support.flow_house import CONTACT, HOSPITAL, World, a_world
from tests.support.hospital_feed import OTHER_CONTACT


def a_world_of_many() -> World:
    """As many referrals as one transaction decides on are withheld, and one of another person may be had."""
    world = a_world()
    world.take({**CONTACT, "consent_status": "refused"})
    ((key, withheld),) = world.database.state.referrals.items()
    copies = (replace(withheld, id=f"{key}-{n}", identifier=f"R-{n}") for n in range(MOST_RESULTS - 1))
    world.database.state.referrals.update({one.id: one for one in copies})
    world.clock.advance(world.house.lease)
    world.take(OTHER_CONTACT)
    return world


def test_what_is_withheld_takes_no_place_and_persons_are_locked_once_a_transaction() -> None:
    world = a_world_of_many()
    counted = CountedDatabase(world.database)

    found = Gateway(replace(world.house, database=counted)).search(HOSPITAL, "Task", [])

    locks = [
        list(calls).count("people.lock_each")
        for is_write, calls in groupby(counted.asked, "write".__eq__)
        if not is_write
    ]
    assert len(found.resources) == 1
    assert locks == [1, 1]


def test_who_becomes_another_before_the_lock_is_locked_in_another_transaction() -> None:
    world = a_world()
    world.take(CONTACT, OTHER_CONTACT)
    ended = next(iter(world.database.state.people))

    def join(tx: Transaction) -> None:
        one, other = tx.people.get(ended), Person("nobody-yet", "Sample", "Ari", "1990-01-02", "F", None, None)
        assert one is not None
        unite(tx, one, other, world.clock())

    interrupted = BeforeTheLock(world.database, ended, join)
    counted = CountedDatabase(interrupted)

    found = Gateway(replace(world.house, database=counted)).search(HOSPITAL, "Task", [])

    assert interrupted.is_done
    assert (len(found.resources), counted.asked.count("write"), counted.asked.count("people.lock_each")) == (2, 2, 2)
