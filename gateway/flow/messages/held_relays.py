"""Relays that wait for a person's word on their message, and that go on once anything of the kind has been said.

A word on one message can settle others: the number it learned stands in them too, a merge makes two persons of their
numbers one. So all that wait for such a word are decided again where they are claimed; what still waits is held again,
for the same reason. What a decision held (a consent nobody has verified, a notice without a place) is not touched: a
person sends that again, for nobody may want it any more.
"""

from gateway.flow.house import House
from gateway.ports import Transaction

OF_NOBODY = "it is about nobody we know"
ONLY_POSSIBLE = "it is about a person who is only possibly known: decide who it is"
CONTRADICTORY = "its numbers are those of several persons here: decide whose it is"
UNREAD = "its own reading waits for a person"

_WAIT_FOR_A_WORD = frozenset({OF_NOBODY, ONLY_POSSIBLE, CONTRADICTORY, UNREAD})
_AT_ONCE = 1000


def resume_relays(house: House, tx: Transaction) -> None:
    """Let what waits to know whom a message is about, or how it is read, be decided again: a person has spoken."""
    for work in tx.outbox.of_states(["held"], _AT_ONCE):
        if work.kind == "relay" and work.reason in _WAIT_FOR_A_WORD:
            tx.outbox.set_state(work.id, "ready", None, house.clock())
