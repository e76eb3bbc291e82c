"""What a gateway does for itself from time to time, beside the work there is: each chore when it is due.

Any process may do them and several may do them at once: each is a small write that changes nothing the second time.
"""

from datetime import datetime

from gateway.flow.consents import sweep
from gateway.flow.house import House
from gateway.flow.messages.watch import DropCounts
from gateway.flow.second_look import DailyLook


class Chores:
    """The chores of one process, and when each is due again."""

    def __init__(self, dropped: DropCounts) -> None:
        self._dropped = dropped
        self._sweep_at: datetime | None = None
        self._look = DailyLook()

    def do_due(self, house: House) -> None:
        """Do what is due now; nothing most of the time."""
        self._dropped.write_if_due(house)
        now = house.clock()
        if self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now if sweep.sweep(house) else now + sweep.EVERY
        self._look.go_on(house)

    def finish(self, house: House) -> None:
        """Do at the end of the process what would be lost with it."""
        self._dropped.write(house)
