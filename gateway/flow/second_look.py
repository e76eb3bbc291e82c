"""Look again, by ourselves, at what was stopped: circumstances change without anybody's handing anything in.

A provider undertakes a person's care, an agreement or a legal class of the registry begins, a person comes of age, the
rules or the registry are others since the last start. If that waited for the next version of a record, the moment of
the sending would tell that the record has one (42 CFR 2.13). A look decides as the sending would and keeps nothing:
what may leave now becomes ready, and is decided on, with its record, where it is claimed.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from gateway.flow.house import House
from gateway.flow.news import sees_more, what_it_sees
from gateway.flow.people import locked_referral
from gateway.flow.referrals import FINAL, add_work
from gateway.model.errors import TryLater
from gateway.model.handoff import Work
from gateway.ports import NewWork, Transaction

LANE = "second-looks"

AT_ONCE = 25
"""Referrals looked at between two other pieces of work: some hundredths of a second of processor time."""


def look_again_soon(house: House, tx: Transaction, person_id: str) -> None:
    """Queue a look at what was stopped about a person, because the circumstances have changed in this transaction.

    Queued, it costs whoever caused it the same whatever is kept about the person. One look that has not begun sees all
    that was written before it: whoever holds the lock of the person keeps it from beginning.
    """
    tx.people.lock(person_id)
    tx.outbox.add_once(NewWork(LANE, "look", person_id, "update", house.new_id(), 1, house.clock()))


def has_open_referrals(tx: Transaction, person_id: str) -> bool:
    """Say whether there is anything of a person to look at; most of whom a feed tells have never been referred."""
    return any(one.status not in FINAL for one in tx.referrals.of_person(person_id))


def look_again(house: House, person_ids: Iterable[str], finish: Callable[[Transaction], bool]) -> bool:
    """Look at what was stopped about these persons, each once.

    `finish` is called in the same transaction, so that looking and that it was done are one commit; its word is
    returned.
    """

    def look(tx: Transaction) -> bool:
        for person_id in sorted(set(person_ids)):  # who locks several locks them in their order
            for referral in tx.referrals.of_person(person_id):
                _look_at(house, referral.id, tx)
        return finish(tx)

    return house.database.write(look)


class DailyLook:
    """The look at everything that is open: begun at every start and whenever somebody's day begins, in small steps.

    What counts by days (agreements, legal classes, birthdays) counts by those of the organizations of the registry.
    One worker of a process takes a step at a time, between two other pieces of work: what is sent waits for one step.
    """

    def __init__(self) -> None:
        self._due: datetime | None = None
        self._after: str | None = ""
        self._turn = threading.Lock()

    def go_on(self, house: House) -> None:
        """Take the next step of the look; do nothing most of the time, or while another worker takes one."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._step(house)
        finally:
            self._turn.release()

    def _step(self, house: House) -> None:
        now = house.clock()
        if self._due is None or now >= self._due:
            self._due, self._after = _next_midnight({one.zone or UTC for one in house.registry}, now), ""
        if self._after is None:
            return
        after = self._after
        referrals = house.database.read(lambda tx: tx.referrals.in_order(after, FINAL, AT_ONCE))
        for referral_id in referrals:
            before, self._after = self._after, referral_id  # what cannot be decided keeps none of the others waiting
            try:
                house.database.write(partial(_look_at, house, referral_id))
            except TryLater:
                self._after = before
                raise
        if len(referrals) < AT_ONCE:
            self._after = None


def _next_midnight(zones: Iterable[tzinfo], now: datetime) -> datetime:
    days = (now.astimezone(zone) + timedelta(days=1) for zone in (UTC, *zones))
    return min(day.replace(hour=0, minute=0, second=0, microsecond=0) for day in days)


def _look_at(house: House, referral_id: str, tx: Transaction) -> None:
    """Make ready what a referral's recipient may have now, or add an update for what it may have besides.

    The person is locked first: work that is read before it may be on its way by now.
    """
    referral = locked_referral(tx, referral_id)
    if referral is None or referral.status in FINAL:
        return
    handoff = tx.handoffs.get(referral.handoff_id)
    if handoff is None or handoff.state == "held":
        return
    deliveries = [piece for piece in tx.outbox.of_subject(referral.id) if piece.kind == "deliver"]
    stopped = [piece for piece in deliveries if is_stopped(piece)]
    if any(piece.state in ("ready", "sending", "held") and piece not in stopped for piece in deliveries):
        return
    if stopped and what_it_sees(house, tx, handoff, referral) is not None:
        for piece in stopped:
            tx.outbox.set_state(piece.id, "ready", None, house.clock())
    elif deliveries and not stopped and sees_more(house, tx, referral):
        add_work(house, tx, referral.id, referral.lane, "update", handoff.version, "ready", None)


def is_stopped(piece: Work) -> bool:
    """Say whether a decision stopped it, and no doubt that a person has to settle."""
    return piece.state == "refused" or (piece.state == "held" and (piece.reason or "").startswith("CONSENT_"))
