"""What a gateway does for itself from time to time, beside the work there is: each chore when it is due.

Any process may do them and several may do them at once: each is a small write that changes nothing the second time.
"""

from contextlib import ExitStack
from datetime import datetime

from gateway.flow.consents import sweep
from gateway.flow.house import House
from gateway.flow.messages.watch import DropCounts
from gateway.flow.second_look import DailyLook
from gateway.model.errors import TryLater


class Chores:
    """The chores of one process, and when each is due again."""

    def __init__(self, dropped: DropCounts) -> None:
        self._dropped = dropped
        self._sweep_at: datetime | None = None
        self._look = DailyLook()

    def do_due(self, house: House) -> None:
        """Do what is due now; nothing most of the time. Raises what one chore failed with after the others are done."""
        with ExitStack() as chores:
            chores.callback(self._look.go_on, house)
            chores.callback(self._sweep, house)
            chores.callback(self._dropped.write_if_due, house)

    def _sweep(self, house: House) -> None:
        now = house.clock()
        if self._sweep_at is not None and now < self._sweep_at:
            return
        self._sweep_at = now + sweep.EVERY  # also where a consent cannot be looked at: it would be tried without end
        try:
            is_more = sweep.sweep(house)
        except TryLater:
            self._sweep_at = now
            raise
        if is_more:
            self._sweep_at = now

    def finish(self, house: House) -> None:
        """Do at the end of the process what would be lost with it."""
        self._dropped.write(house)
