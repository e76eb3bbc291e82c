"""A model of one delivery, two workers and one revocation: every state they can be in, and every step between them.

Each step is one transaction of the store, or the sending itself, which is none. The functions bear the names of those
they stand for in gateway/flow/work.py, deliver.py, consent filing and the outbox; docs/states-of-a-disclosure.md
explains the states. Left out: a receiver that does not answer (it is a sending whose confirmation never comes, like a
crash), and more than one piece of work in the lane.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Place = Literal["idle", "claimed", "prepared", "sent", "finished", "crashed"]
"""Where a worker stands: after `claim`, after a `_prepare` that permits, after `send`, before `release`."""

Step = tuple[str, int]
"""Name of a step and the worker who takes it (-1: nobody of them)."""

MESSAGE = "the message id of the work"


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is committed, what the workers hold in their memory, and what is on the wire."""

    work: Literal["ready", "sending", "delivered", "refused"] = "ready"
    owner: int | None = None
    """Who has leased the lane."""
    lease_ended: bool = False
    is_revoked: bool = False
    is_intended: bool = False
    is_confirmed: bool = False
    workers: tuple[Place, Place] = ("idle", "idle")
    wire: tuple[tuple[str, bool], ...] = ()
    """(identity, whether it was decided after the revocation was committed) of each sending, oldest first."""
    decided_late: tuple[bool, bool] = (False, False)
    crashes: int = 1
    """How many may still happen."""
    lease_ends: int = 2
    """How often a lease may still end."""


def steps(state: State) -> Iterator[tuple[Step, State]]:
    """Yield every step that can be taken now, with the state after it."""
    for one in (0, 1):
        for name, step in _OF_A_WORKER.items():
            after = step(state, one)
            if after is not None:
                yield (name, one), after
    for name, happens in _BESIDE.items():
        after = happens(state)
        if after is not None:
            yield (name, -1), after


def claim(state: State, one: int) -> State | None:
    """Lease the lane where nobody has it, or the lease of whoever has it has ended."""
    is_free = state.owner is None or state.lease_ended
    if state.workers[one] != "idle" or state.work not in ("ready", "sending") or not is_free:
        return None
    return _at(replace(state, owner=one, lease_ended=False), one, "claimed")


def prepare(state: State, one: int) -> State | None:
    """Look whether the lane is still ours; decide; write decision, intent and `sending`, all in one transaction."""
    if state.workers[one] != "claimed":
        return None
    if state.owner != one:
        return _at(state, one, "finished")
    state = replace(state, lease_ended=False)
    if state.work not in ("ready", "sending"):
        return _at(state, one, "finished")
    if state.is_revoked:
        return _at(replace(state, work="refused"), one, "finished")
    late = (state.is_revoked, state.decided_late[1]) if one == 0 else (state.decided_late[0], state.is_revoked)
    return _at(replace(state, work="sending", is_intended=True, decided_late=late), one, "prepared")


def send(state: State, one: int) -> State | None:
    """Put the message on the wire; nothing of the store is held."""
    if state.workers[one] != "prepared":
        return None
    return _at(replace(state, wire=(*state.wire, (MESSAGE, state.decided_late[one]))), one, "sent")


def delivered(state: State, one: int) -> State | None:
    """Confirm what was sent, whoever has the lane by now: it has left."""
    if state.workers[one] != "sent":
        return None
    ended = state.lease_ended and state.owner != one
    return _at(replace(state, work="delivered", is_confirmed=True, lease_ended=ended), one, "finished")


def release(state: State, one: int) -> State | None:
    """Give the lane back, where it is still ours."""
    if state.workers[one] != "finished":
        return None
    if state.owner != one:
        return _at(state, one, "idle")
    return _at(replace(state, owner=None, lease_ended=False), one, "idle")


def crash(state: State, one: int) -> State | None:
    """Lose a worker with all it held in its memory."""
    if not state.crashes or state.workers[one] in ("idle", "crashed"):
        return None
    return _at(replace(state, crashes=state.crashes - 1), one, "crashed")


def file_consent(state: State) -> State | None:
    """Commit the revocation."""
    return None if state.is_revoked else replace(state, is_revoked=True)


def lease_ends(state: State) -> State | None:
    """Let so much time pass that whoever has the lane has had it too long."""
    if state.owner is None or state.lease_ended or not state.lease_ends:
        return None
    return replace(state, lease_ended=True, lease_ends=state.lease_ends - 1)


_OF_A_WORKER = {
    "claim": claim,
    "prepare": prepare,
    "send": send,
    "delivered": delivered,
    "release": release,
    "crash": crash,
}
_BESIDE = {"file_consent": file_consent, "lease_ends": lease_ends}


def _at(state: State, one: int, place: Place) -> State:
    workers = (place, state.workers[1]) if one == 0 else (state.workers[0], place)
    return replace(state, workers=workers)


def explored() -> dict[State, tuple[Step, ...]]:
    """Return every state that can be reached, each with a shortest way to it, breadth first."""
    begin = State()
    ways: dict[State, tuple[Step, ...]] = {begin: ()}
    frontier = [begin]
    while frontier:
        found = []
        for state in frontier:
            for step, after in steps(state):
                if after not in ways:
                    ways[after] = (*ways[state], step)
                    found.append(after)
        frontier = found
    return ways
