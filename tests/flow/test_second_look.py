"""What was stopped is looked at again by itself, where circumstances change that nobody hands in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from gateway.flow.consents.restrictions import agree_restriction
from gateway.flow.gateway import Gateway
from gateway.flow.house import House
from gateway.flow.messages.numbers import number_system
from gateway.flow.second_look import AT_ONCE, DailyLook
from gateway.flow.work import work_once
from gateway.model.caveat import Wish
from gateway.model.consent_form import Recipients
from gateway.model.errors import TryLater
from gateway.model.exchange import Answer
from gateway.model.partner import LegalClass, Organization, Registry
from gateway.ports import Database, Transaction
from gateway.wiring.feeds import feed_reader
from tests.support.consent_desk import PAM, a_form, a_refused_referral, capture, hand_in, signed, states
from tests.support.feed_world import packs
from tests.support.flow_house import CONTACT, HOSPITAL, KEY, World, a_world, csv_of
from tests.support.hospital_feed import adt, take, with_feed

T = TypeVar("T")

TO_THOSE_WHO_TREAT = Recipients(treating_class=True)
MIDNIGHT = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
"""In Washington."""
PROGRAM = "org:demo-lead"


def look(house: House, daily: DailyLook | None = None) -> None:
    """Do what a process does between two pieces of work, and the work that follows."""
    (daily or DailyLook()).go_on(house)
    while work_once(house, "test"):
        pass


def decided(world: World) -> int:
    return len(world.database.state.decisions)


def contacts_no_law_lets_go(count: int) -> tuple[World, House]:
    """Contacts that a person agreed to share, at a site that lets nothing go for treatment by HIPAA alone."""
    world = a_world()
    strict = replace(world.house, switches={"hipaa_treatment": "deny"})
    rows = [{**CONTACT, "contact_id": f"C-{number}"} for number in range(count)]
    world.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(*rows), None)
    while work_once(strict, "test"):
        pass
    return world, strict


def test_who_takes_a_referral_treats_the_person_and_gets_what_those_who_treat_may_have() -> None:
    """42 CFR 2.11, treating provider relationship; 2.31(a)(4)(i)."""
    world = a_refused_referral()
    capture(world, signed(world, a_form(world, recipients=TO_THOSE_WHO_TREAT)))
    world.take(CONTACT)
    before = states(world)
    contact = world.transport.sent[-1][0].content
    task = next(one["resource"] for one in contact["entry"] if one["resource"]["resourceType"] == "Task")

    answer = world.gateway.update_task(HOSPITAL, task["id"], {**task, "status": "accepted"}, 1)
    world.work()

    assert isinstance(answer, Answer)
    assert (before, states(world)) == ({"delivered", "refused"}, {"delivered"})


def test_other_rules_at_the_next_start_let_go_what_the_old_ones_stopped() -> None:
    world, strict = contacts_no_law_lets_go(1)
    look(strict)
    before = states(world)

    Gateway(world.house).do_chores()
    world.work()

    assert (before, states(world)) == ({"refused"}, {"delivered"})


def test_a_look_that_finds_nothing_keeps_nothing() -> None:
    world, strict = contacts_no_law_lets_go(1)
    state = world.database.state

    look(strict)

    assert world.database.state == state


def test_what_a_look_cannot_do_at_once_it_does_in_the_next_steps() -> None:
    world, _ = contacts_no_law_lets_go(AT_ONCE + 1)
    daily = DailyLook()

    look(world.house, daily)
    first = [state for _, state, _ in world.states()].count("delivered")
    look(world.house, daily)

    assert (first, states(world)) == (AT_ONCE, {"delivered"})


@dataclass
class FailingOnce:
    """A `Database` whose first write fails; the next ones do not."""

    inner: Database
    error: Exception
    has_failed: bool = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        if not self.has_failed:
            self.has_failed = True
            raise self.error
        return self.inner.write(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.inner.read(work)


@pytest.mark.parametrize(("error", "delivered"), [(TryLater("the disk is full"), 2), (ValueError("nobody foresaw"), 1)])
def test_what_cannot_be_looked_at_keeps_no_other_waiting(error: Exception, delivered: int) -> None:
    """The store's trouble passes and costs nobody the look; a record that cannot be decided is left out."""
    world, _ = contacts_no_law_lets_go(2)
    daily = DailyLook()
    failing = replace(world.house, database=FailingOnce(world.database, error))

    with pytest.raises(type(error)):
        daily.go_on(failing)
    look(world.house, daily)

    assert [state for _, state, _ in world.states()].count("delivered") == delivered


def test_one_worker_of_a_process_takes_a_step_at_a_time() -> None:
    world, _ = contacts_no_law_lets_go(1)
    daily, steps = DailyLook(), []

    def look_meanwhile(work: Callable[[Transaction], T]) -> T:
        steps.append("begun")
        daily.go_on(world.house)
        return world.database.write(work)

    daily.go_on(replace(world.house, database=Interrupted(world.database, look_meanwhile)))

    assert steps == ["begun"]


@dataclass
class Interrupted:
    """A `Database` in which something else happens before each write."""

    inner: Database
    write: Callable[[Callable[[Transaction], Any]], Any]

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.inner.read(work)


def test_a_day_begins_where_an_organization_of_the_registry_is() -> None:
    """A consent to less than the record asks for does no harm once its program is none any more."""
    world = a_refused_referral()
    capture(world, signed(world, a_form(world, information=("attendance",))))
    house, daily = replace(world.house, registry=Registry(no_program_since(world, date(2026, 11, 3)))), DailyLook()
    look(house, daily)
    seen = [states(world)]

    for at in (MIDNIGHT - timedelta(microseconds=1), MIDNIGHT):
        world.clock.at = at
        look(house, daily)
        seen.append(states(world))

    assert seen == [{"refused"}, {"refused"}, {"delivered"}]


def no_program_since(world: World, day: date) -> Iterator[Organization]:
    for one in world.house.registry:
        later = LegalClass(day, "no", covered_entity=True)
        yield replace(one, legal_classes=(*one.legal_classes, later)) if one.id == PROGRAM else one


def test_that_a_withheld_part_is_gone_from_the_record_is_no_news() -> None:
    """42 CFR 2.13: an update in which nothing is different would tell that something was there."""
    world = a_refused_referral()
    capture(world, signed(world, a_form(world)))
    (record,) = world.database.state.handoffs
    wish = Wish("agreed", PROGRAM, ("org:demo-hospital",), None, "asked for at the desk")
    assert agree_restriction(world.house, PAM, record, wish) is None
    hand_in(world, "find work")
    hand_in(world, "")
    sent = len(world.transport.sent)

    look(world.house)

    assert len(world.transport.sent) == sent


@pytest.mark.parametrize("reason", ["two persons became one", "ENDPOINT_UNVERIFIED (42 CFR 2.16)"])
def test_what_waits_for_a_person_goes_on_waiting(reason: str) -> None:
    world, _ = contacts_no_law_lets_go(1)
    world.database.write(lambda tx: tx.outbox.set_state(2, "held", reason, world.clock()))

    look(world.house)

    assert [state for _, state, _ in world.states()] == ["held"]


def test_who_tells_by_its_feed_that_it_treats_the_person_is_taken_in_too() -> None:
    world = a_refused_referral()
    capture(world, signed(world, a_form(world, recipients=TO_THOSE_WHO_TREAT)))
    reader = feed_reader(packs(), KEY, "America/Los_Angeles", world.clock)
    hospital = with_feed(replace(world, house=replace(world.house, read_feed=reader)))
    before = states(hospital)
    (person,) = world.database.state.people.values()
    numbered = replace(person, identifiers=((number_system("org:demo-hospital", "HOSPITAL"), "M-1"),))
    world.database.write(lambda tx: tx.people.save(numbered, world.clock()))

    outcome = take(hospital, adt("A01", "E1", rest="PV1|1|E|ED^^^HOSPITAL||||||||||||||||V-1"))

    assert outcome[0] == "converted"
    assert (before, states(hospital)) == ({"refused"}, {"delivered"})
