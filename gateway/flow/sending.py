"""What every sending has in common in the transaction that claims it: is it wanted, why it stops, that it leaves.

A decision is made and kept between the two; the bytes go once this transaction is committed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from gateway.flow.disclose import log_intended
from gateway.flow.house import House
from gateway.model.decision import DecisionRecord
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Work, WorkState
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.ports import Transaction

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Ready:
    """What may leave now, decided in the transaction that claimed its sending."""

    disclosure: Disclosure
    endpoint: Endpoint
    envelope: Envelope


Prepared = Ready | Literal["lost", "stopped"]


def claimed(house: House, prepare: Callable[[Transaction], P]) -> P | Literal["lost"]:
    """Run the transaction that claims a sending; `lost` where the lease it took has ended by the time it is through.

    A process or a machine may stand still for longer than a lease (stopped, suspended, moved to another host). What it
    decided before may no longer leave then: another worker has the lane, and a consent may have been taken back since.
    """
    leased_at = house.clock()

    def lease_and_prepare(tx: Transaction) -> P:
        nonlocal leased_at
        leased_at = house.clock()
        return prepare(tx)

    prepared = house.database.write(lease_and_prepare)
    return "lost" if house.clock() - leased_at >= house.lease else prepared


def is_wanted(tx: Transaction, work: Work) -> bool:
    """Say whether nobody has stopped a piece of work since its lane was leased."""
    current = tx.outbox.get(work.id)
    return current is not None and current.state in ("ready", "sending")


def stop(house: House, tx: Transaction, work: Work, state: WorkState, reason: str) -> Literal["stopped"]:
    """Let a piece of work rest in this state."""
    tx.outbox.set_state(work.id, state, reason, house.clock())
    return "stopped"


def stop_refused(
    house: House, tx: Transaction, work: Work, record: DecisionRecord, *, is_held: bool
) -> Literal["stopped"]:
    """Let rest what may not leave, with the reason; `is_held`: a person has to look at it."""
    return stop(house, tx, work, "held" if is_held else "refused", f"{record.reason} ({record.section})")


def about_to_leave(
    house: House, tx: Transaction, work: Work, disclosure: Disclosure, endpoint: Endpoint, *, decision_id: str,
    purpose: str, description: str, message: str = "", in_reply_to: str = "",
) -> Ready:  # fmt: skip
    """Write down that a disclosure is about to leave (42 CFR 2.25), and return it; `message` as in `Envelope`."""
    tx.outbox.set_state(work.id, "sending", None, house.clock())
    log_intended(house, tx, work, decision_id, purpose, description)
    envelope = Envelope(work.message_id, work.action, work.created_at.isoformat(), message, in_reply_to)
    return Ready(disclosure, endpoint, envelope)
