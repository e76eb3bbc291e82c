"""Do queued work: lease a lane, do its pieces in order, give it back. Any number of workers may run this."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from gateway.flow.accept import convert
from gateway.flow.alerts.delivery import deliver_alert
from gateway.flow.deliver import deliver
from gateway.flow.house import House
from gateway.flow.messages.answers import take_messages
from gateway.flow.messages.awaited import look
from gateway.flow.messages.relays import deliver_relay
from gateway.flow.messages.replies import reply
from gateway.flow.messages.status_answers import deliver_status
from gateway.flow.pacing import rest
from gateway.flow.releases.delivery import deliver_release
from gateway.flow.second_look import look_again
from gateway.model.audit import AuditEntry
from gateway.model.errors import TryLater
from gateway.model.handoff import Work, WorkKind
from gateway.ports import Claim, Transaction

_SENDINGS: dict[WorkKind, Callable[[House, Claim, Work], bool]] = {
    "release": deliver_release,
    "alert": deliver_alert,
    "status": deliver_status,
    "status-asked": deliver_status,
    "acknowledge": reply,
    "await": look,
    "relay": deliver_relay,
}
"""Work that tells itself what became of it, and whether its lane may go on."""


def _take(house: House, claim: Claim, pieces: Sequence[Work]) -> bool:
    return take_messages(house, [one.subject for one in pieces], lambda tx: _done(house, tx, claim, pieces))


def _look(house: House, claim: Claim, pieces: Sequence[Work]) -> bool:
    return look_again(house, [one.subject for one in pieces], lambda tx: _done(house, tx, claim, pieces))


_TOGETHER: dict[WorkKind, tuple[int, Callable[[House, Claim, Sequence[Work]], bool]]] = {
    "answer": (12, _take),
    "look": (8, _look),
    "deliver": (24, deliver),
}
"""Work that is done several at a time where it follows each other, at most so many, and by whom.

What is read or looked at shares a transaction and its commit: few, for others wait behind them for theirs. Deliveries
share only the commit between two of them.
"""

_ENDS_ITS_CLAIM: frozenset[WorkKind] = frozenset({"answer", "look", "convert"})
"""Work that is finished by `_done`, which gives the lane back with the last of it."""

_AT_ONCE = 24
"""Pieces of a lane that are leased together: whole groups of what is done together."""


def work_once(house: House, owner: str) -> bool:
    """Lease one lane and do what is ready in it; tell whether there was anything to do.

    An error nobody foresaw stops the piece it happened in and is put before a person; its neighbours go on. Where the
    database could not be reached or written, the lane rests, and the same piece is the first again.
    """
    claim = house.database.write(lambda tx: tx.outbox.claim(owner, house.clock(), house.lease, _AT_ONCE))
    if claim is None:
        return False
    for pieces in _in_turn(claim.work):
        if not _goes_on(house, claim, pieces):
            house.database.write(lambda tx: tx.outbox.release(claim))
            return True
    if not claim.work or claim.work[-1].kind not in _ENDS_ITS_CLAIM:
        house.database.write(lambda tx: _give_back(house, tx, claim))
    return True


def _is_last(claim: Claim, pieces: Sequence[Work]) -> bool:
    return bool(pieces) and pieces[-1].id == claim.work[-1].id


def _in_turn(work: Sequence[Work]) -> Iterator[Sequence[Work]]:
    """Yield the pieces of a lane in their order, those that follow each other and share something together."""
    for kind, following in groupby(work, lambda piece: piece.kind):
        pieces, size = list(following), _TOGETHER[kind][0] if kind in _TOGETHER else 1
        yield from (pieces[n : n + size] for n in range(0, len(pieces), size))


def _goes_on(house: House, claim: Claim, pieces: Sequence[Work]) -> bool:
    """Do pieces and tell whether the lane goes on; where one of several stops all, each is done by itself."""
    try:
        return _do(house, claim, pieces)
    except Exception as error:  # the outermost loop of the workers: nothing may stop the other lanes
        if isinstance(error, TryLater) and claim.failures + 1 < house.retry.max_tries:
            return _rest(house, claim, pieces[0], error)
        if len(pieces) == 1:
            return _put_aside(house, claim, pieces[0], error)
    return all(_goes_on(house, claim, [piece]) for piece in pieces)


def _do(house: House, claim: Claim, pieces: Sequence[Work]) -> bool:
    piece = pieces[0]
    if piece.kind in _TOGETHER:
        return _TOGETHER[piece.kind][1](house, claim, pieces)
    if piece.kind in _SENDINGS:
        return _SENDINGS[piece.kind](house, claim, piece)
    if not convert(house, piece.subject, lambda tx: tx.outbox.owns(claim, house.clock(), house.lease)):
        return False
    return house.database.write(lambda tx: _done(house, tx, claim, pieces))


def _done(house: House, tx: Transaction, claim: Claim, pieces: Sequence[Work]) -> bool:
    """Mark pieces as done in the transaction that did them; the last of a claim give the lane back with it."""
    tx.outbox.finish([piece.id for piece in pieces], house.clock())
    if _is_last(claim, pieces):
        _give_back(house, tx, claim)
        return True
    return tx.outbox.owns(claim, house.clock(), house.lease)


def _give_back(house: House, tx: Transaction, claim: Claim) -> None:
    """Give back a lane that was gone through to the end: whatever failed in it before fails no longer."""
    if claim.failures:
        tx.outbox.back_off(claim.lane, house.clock())
    tx.outbox.release(claim)


def _rest(house: House, claim: Claim, piece: Work, error: TryLater) -> bool:
    """Let a lane rest whose work the database did not take: nothing is known to be wrong with the work."""

    def let_rest(tx: Transaction) -> None:
        if tx.outbox.owns(claim, house.clock(), house.lease):
            rest(house, tx, claim, claim.failures)

    house.report(piece, error)
    house.database.write(let_rest)
    return False


def _put_aside(house: House, claim: Claim, piece: Work, error: Exception) -> bool:
    """Make a dead letter of work that failed in a way nobody foresaw; only the kind of the error is told.

    Its text is not: it may quote the record. Where another worker has the lane by now, the work is theirs.
    """
    reason = f"stopped by an unexpected {type(error).__name__}; see the log of this instant"

    def put(tx: Transaction) -> bool:
        if not tx.outbox.owns(claim, house.clock(), house.lease):
            return False
        tx.outbox.set_state(piece.id, "dead", reason, house.clock())
        if piece.kind in ("convert", "answer"):
            tx.inputs.set_state(piece.subject, "quarantined", reason)
        tx.audit.append(
            AuditEntry(house.clock(), "work.failed", "worker", {"work": piece.id, "error": type(error).__name__})
        )
        if _is_last(claim, [piece]):
            _give_back(house, tx, claim)
        return True

    is_ours = house.database.write(put)
    house.report(piece, error)
    return is_ours
