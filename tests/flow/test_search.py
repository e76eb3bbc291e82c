"""A search over more referrals than one transaction decides on: it locks persons once in each, and misses nothing."""

from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.people import unite
from gateway.flow.pulls.search import MOST_RESULTS
from gateway.model.exchange import RequestRefused
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


def a_world_of_older_ones(world: World, number: int) -> str:
    """Put as many referrals of the same record before the one that may be had; return the id of its Task."""
    ((key, newest),) = world.database.state.referrals.items()
    for n in range(number):
        at = newest.updated_at - timedelta(seconds=1 + n // 2)
        world.database.state.referrals[f"{key}-{n}"] = replace(
            newest, id=f"{key}-{n}", identifier=f"R-{n}", updated_at=at
        )
    return key


def test_what_does_not_fit_on_a_page_is_on_the_next_and_nothing_is_said_of_a_page_that_holds_all() -> None:
    world = a_world()
    world.take(CONTACT)
    task = a_world_of_older_ones(world, MOST_RESULTS)

    first = world.gateway.search(HOSPITAL, "Task", [])
    second = world.gateway.search(HOSPITAL, "Task", [("after", str(first.after))])

    assert [[one["id"] for one in page.resources] for page in (first, second)] == [[], [task]]
    assert (first.after is None, second.after) == (False, None)


def test_one_that_is_named_is_found_at_once_among_more_than_a_page() -> None:
    world = a_world()
    world.take(CONTACT)
    a_world_of_older_ones(world, MOST_RESULTS)
    world.take(OTHER_CONTACT)
    task = next(reversed(world.database.state.referrals))
    counted = CountedDatabase(world.database)

    found = Gateway(replace(world.house, database=counted)).search(HOSPITAL, "Task", [("_id", f"nobodys,{task}")])

    assert [one["id"] for one in found.resources] == [task]
    assert (found.after, counted.asked.count("write")) == (None, 1)


def test_what_is_withheld_makes_no_next_page() -> None:
    """42 CFR 2.13(c)(2): a page that holds all that may be had looks as if that were all there is."""
    world = a_world()
    world.take(CONTACT)
    a_world_of_older_ones(world, MOST_RESULTS - 1)
    world.clock.advance(world.house.lease)
    world.take({**OTHER_CONTACT, "consent_status": "refused"})
    (withheld,) = (one for one in world.database.state.referrals.values() if one.updated_at == world.clock())
    for n in range(25):
        copy = replace(withheld, id=f"{withheld.id}-{n}", identifier=f"W-{n}")
        world.database.state.referrals[copy.id] = copy

    found = world.gateway.search(HOSPITAL, "Task", [])

    assert (len(found.resources), found.after) == (1, None)


@pytest.mark.parametrize("after", ["", "nobodys", "2026-11-02T18:00:00~x", "~x"])
def test_a_page_that_no_page_named_is_refused(after: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        a_world().gateway.search(HOSPITAL, "Task", [("after", after)])

    assert refused.value.problem.status == 400
