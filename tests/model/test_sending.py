"""A sending against a revocation: the model is explored whole, and the real code is led through every step of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Answer
from gateway.model.handoff import SendResult
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.ports import Transaction
from tests.model.sending import MESSAGE, State, Step, explored, steps
from tests.support.flow_house import CONTACT, POLICE, World, a_world

WAYS = explored()
LANE = "org:demo-hospital/fhir"
MOST_S = 30


def test_the_model_is_explored_whole() -> None:
    assert len(WAYS) > 300
    assert {state.work for state in WAYS} == {"ready", "sending", "delivered", "refused"}
    assert any(len(state.wire) == 2 for state in WAYS)


def test_nothing_is_sent_that_was_decided_after_the_revocation_was_committed() -> None:
    assert not [state for state in WAYS if any(late for _, late in state.wire)]


def test_nothing_is_sent_under_two_identities() -> None:
    assert all({identity for identity, _ in state.wire} <= {MESSAGE} for state in WAYS)


def test_nothing_is_on_the_wire_without_an_intent_written_before() -> None:
    assert all(state.is_intended for state in WAYS if state.wire)


def test_what_comes_to_rest_is_delivered_or_refused_and_its_lane_is_free_while_a_worker_lives() -> None:
    ends = [state for state in WAYS if not [step for step, _ in steps(state) if step[0] != "file_consent"]]

    stuck = [state for state in ends if state.work in ("ready", "sending") and state.lease_ends]

    assert ends
    assert stuck == []


def test_two_sendings_need_a_lost_lease() -> None:
    """Without a lease that ended under a living or dead worker there is one sending at most."""
    assert all(len(state.wire) <= 1 for state in WAYS if state.lease_ends == 2)


def ways_over_every_step() -> list[tuple[Step, ...]]:
    """Return ways from the beginning that together take every step from every state, the longest first."""
    ends = [(*way, step) for state, way in WAYS.items() for step, _ in steps(state)]
    covered: set[tuple[Step, ...]] = set()
    chosen = []
    for way in sorted(ends, key=len, reverse=True):
        if way not in covered:
            chosen.append(way)
            covered |= {way[:length] for length in range(1, len(way) + 1)}
    return chosen


COURSES = ways_over_every_step()
SHARES = 8


@pytest.mark.parametrize("share", range(SHARES))
def test_the_real_code_takes_every_step_of_the_model(share: int) -> None:
    for way in COURSES[share::SHARES]:
        real, state = Real(), State()
        try:
            for step in way:
                state = dict(steps(state))[step]
                real.take(step)
                assert real.seen() == shown(state), way
        finally:
            real.stop()


def shown(state: State) -> dict[str, Any]:
    """Return what of a state can be seen in the store and on the wire."""
    return {
        "work": state.work,
        "owner": state.owner,
        "lease ended": state.lease_ended,
        "revoked": state.is_revoked,
        "intended": state.is_intended,
        "confirmed": state.is_confirmed,
        "sent": len(state.wire),
        "identities": min(len(state.wire), 1),
    }


class Crash(BaseException):
    """Ends a worker as a kill would: nothing in the flow catches it."""


class Real:
    """The real flow over a store in memory, with two workers that wait for leave before each of their steps."""

    def __init__(self) -> None:
        self._world, self._consent = _begun()
        self._world.database.state = _queued()
        self._world.clock.at = _instant()
        self._world.transport.sent.clear()
        self.workers = [Worker(self._world, name) for name in ("0", "1")]

    def take(self, step: Step) -> None:
        """Take one step of the model."""
        name, one = step
        if name == "file_consent":
            self._revoke()
        elif name == "lease_ends":
            self._world.clock.advance(self._world.house.lease)
        elif name == "crash":
            self.workers[one].crash()
        else:
            self.workers[one].take(name)

    def _revoke(self) -> None:
        gateway, key = self._world.gateway, self._consent
        stored = gateway.database.read(lambda tx: tx.resources.get("Consent", key))
        assert stored is not None
        answer = gateway.file_consent(POLICE, {**stored.body, "status": "inactive"}, key, stored.version)
        assert isinstance(answer, Answer)

    def seen(self) -> dict[str, Any]:
        state = self._world.database.state
        (work,) = (one for one in state.work.values() if one.kind == "deliver")
        lane = state.lanes[LANE]
        owner = None if lane.owner is None else int(lane.owner)
        sent = self._world.transport.sent
        return {
            "work": work.state,
            "owner": owner,
            "lease ended": owner is not None and lane.lease_until <= self._world.clock.at,
            "revoked": state.resources["Consent", self._consent].body["status"] == "inactive",
            "intended": work.message_id in state.disclosures,
            "confirmed": any(one.confirmed_at is not None for one in state.disclosures.values()),
            "sent": len(sent),
            "identities": len({envelope.message_id for _, _, envelope in sent}),
        }

    def stop(self) -> None:
        for worker in self.workers:
            worker.crash()


@dataclass
class Worker:
    """One worker's thread: it runs `work_once` and stops before every step until it is given leave."""

    world: World
    name: str

    def __post_init__(self) -> None:
        self._leave, self._arrived = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._is_lost = False

    def take(self, name: str) -> None:
        """Let the worker take its next step; it begins a round with `claim`."""
        if name == "claim":
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
            self._wait()
        self._leave.release()
        self._wait()

    def crash(self) -> None:
        """End the worker where it stands."""
        if self._thread is not None and self._thread.is_alive():
            self._is_lost = True
            self._leave.release()
            self._thread.join(MOST_S)

    def _run(self) -> None:
        house = replace(self.world.house, database=self, transports={"fhir": self})  # type: ignore[arg-type]
        try:
            work_once(house, self.name)
        except Crash:
            return
        self._arrived.release()

    def _wait(self) -> None:
        assert self._arrived.acquire(timeout=MOST_S), "the worker did not come to its next step"

    def _gate(self) -> None:
        self._arrived.release()
        self._leave.acquire()
        if self._is_lost:
            raise Crash

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        """Stand for the store: each transaction is one step."""
        self._gate()
        return self.world.database.write(work)

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Stand for the transport: the sending is a step of its own."""
        self._gate()
        return self.world.transport.send(disclosure, endpoint, envelope)


@cache
def _begun() -> tuple[World, str]:
    """Take a contact and leave its one delivery queued."""
    world = a_world()
    Gateway(world.house).pause("test", LANE, True)
    world.take(CONTACT)
    Gateway(world.house).pause("test", LANE, False)
    (consent,) = (key for kind, key in world.database.state.resources if kind == "Consent")
    return world, consent


@cache
def _queued() -> Any:
    return _begun()[0].database.state


@cache
def _instant() -> Any:
    return _begun()[0].clock.at
