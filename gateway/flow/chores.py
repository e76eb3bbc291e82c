"""What a gateway does for itself from time to time, beside the work there is: each chore when it is due.

Any process may do them and several may do them at once: each is a small write that changes nothing the second time.
"""

from datetime import datetime, timedelta

from gateway.flow.consents import sweep
from gateway.flow.house import House
from gateway.flow.messages.watch import DropCounts
from gateway.flow.second_look import DailyLook

KNOWN_AGAIN_FOR = timedelta(days=30)
"""How long a message is known again by its MSH-10; senders repeat within hours."""

_EVERY = timedelta(hours=1)
_AT_ONCE = 2000
"""Message ids forgotten in one transaction: a write of some milliseconds, so that what arrives need not wait."""


class Chores:
    """The chores of one process, and when each is due again."""

    def __init__(self, dropped: DropCounts) -> None:
        self._dropped = dropped
        self._forget_at: datetime | None = None
        self._sweep_at: datetime | None = None
        self._look = DailyLook()

    def do_due(self, house: House) -> None:
        """Do what is due now; nothing most of the time."""
        self._dropped.write_if_due(house)
        now = house.clock()
        if self._forget_at is None or now >= self._forget_at:
            forgotten = house.database.write(lambda tx: tx.messages.forget(now - KNOWN_AGAIN_FOR, _AT_ONCE))
            self._forget_at = now + _EVERY if forgotten < _AT_ONCE else now
        if self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now if sweep.sweep(house) else now + sweep.EVERY
        self._look.go_on(house)

    def finish(self, house: House) -> None:
        """Do at the end of the process what would be lost with it."""
        self._dropped.write(house)
