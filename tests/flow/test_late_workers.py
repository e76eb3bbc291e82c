"""A worker that comes too late: its lease ended while it stood still, and another has done its work meanwhile.

A process that is stopped, a laptop that sleeps, a virtual machine that moves: all go on later as if nothing had been.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from gateway.flow.work import work_once
from gateway.model.disclosure import Disclosure
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import SendResult
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.ports import Transaction
from tests.support.counted import FailingDatabase
from tests.support.flow_house import CONTACT, World, a_world

T = TypeVar("T")

LANE = "org:demo-hospital/fhir"


@pytest.fixture
def world() -> World:
    """A world in which one delivery is queued."""
    made = a_world()
    made.gateway.pause("test", LANE, True)
    made.take(CONTACT)
    made.gateway.pause("test", LANE, False)
    return made


def stand_still(world: World, meanwhile: Callable[[], None], how_long: timedelta) -> None:
    """Let time pass for whoever works, then something happen, then another worker do what there is for them."""
    world.clock.advance(how_long)
    meanwhile()
    while work_once(world.house, "another"):
        pass


def nothing() -> None:
    """Happen."""


@dataclass
class StandsStillAfterDeciding:
    """The database, for a worker that stands still as soon as its decision to send is committed."""

    world: World
    meanwhile: Callable[[], None] = nothing
    too_short: timedelta = timedelta(0)
    has_stood: bool = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        value = self.world.database.write(work)
        is_sending = any(one.state == "sending" for one in self.world.database.state.work.values())
        if is_sending and not self.has_stood:
            self.has_stood = True
            stand_still(self.world, self.meanwhile, self.world.house.lease - self.too_short)
        return value

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.world.database.read(work)


@dataclass
class StandsStillAtTheReceiver:
    """A transport whose message arrives, and whose answer is read only after the worker stood still."""

    world: World
    error: Exception | None

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        stand_still(self.world, nothing, self.world.house.lease)
        if self.error is not None:
            raise self.error
        return SendResult("200", sent=disclosure.body)


def late(world: World, error: Exception | None = None, database: object = None) -> None:
    """Do the delivery by a worker that stands still while it waits for the answer."""
    changes = {"database": database} if database is not None else {}
    transports = {"fhir": StandsStillAtTheReceiver(world, error)}
    house = replace(world.house, transports=transports, report=lambda work, failed: None, **changes)  # type: ignore[arg-type]
    work_once(house, "late")


def test_what_another_worker_has_sent_does_not_leave_a_second_time(world: World) -> None:
    work_once(replace(world.house, database=StandsStillAfterDeciding(world)), "late")

    assert len(world.transport.sent) == 1
    assert world.states() == [("create", "delivered", "")]


def test_what_was_taken_back_while_a_worker_stood_still_does_not_leave(world: World) -> None:
    def refuse() -> None:
        world.take({**CONTACT, "consent_status": "refused"})

    work_once(replace(world.house, database=StandsStillAfterDeciding(world, refuse)), "late")

    assert world.transport.sent == []
    assert {state for _, state, _ in world.states()} <= {"refused", "superseded"}


@pytest.mark.parametrize(
    "error", [WillNeverWork("the receiver refused it"), KeyError("nobody foresaw it"), TryLater("no answer")]
)
def test_what_another_worker_has_delivered_stays_delivered_whatever_a_late_one_was_told(
    world: World, error: Exception
) -> None:
    late(world, error)

    assert world.states() == [("create", "delivered", "")]


def test_a_late_confirmation_is_written_down(world: World) -> None:
    late(world)

    assert world.states() == [("create", "delivered", "")]


def test_a_lane_that_goes_on_in_other_hands_is_not_made_to_rest(world: World) -> None:
    late(world, database=FailingDatabase(world.database, "decisions.confirm"))

    assert world.database.state.lanes[LANE].failures == 0


def test_a_worker_that_stands_still_for_less_than_its_lease_sends(world: World) -> None:
    short = StandsStillAfterDeciding(world, too_short=timedelta(seconds=1))

    work_once(replace(world.house, database=short), "on time")

    assert len(world.transport.sent) == 1
    assert world.states() == [("create", "delivered", "")]
