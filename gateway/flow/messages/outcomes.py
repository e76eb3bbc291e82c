"""What became of an HL7v2 message that was kept, in the words its page and its receipt use."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gateway.formats.hl7v2 import Unreadable
from gateway.model.handoff import InputRecord, RecordState
from gateway.ports import Transaction

T = TypeVar("T")

Outcome = tuple[RecordState, str | None, str | None]
"""State of the message, why it moved nothing or waits for a person, and the handoff it moved."""

_UNSUPPORTED_EVENT = "201"
"""HL7 table 0357."""

UNMAPPED = "unmapped: "
"""How the reason begins where nothing was made of a message, or of one way to read it."""

A_WORD = "a word on a message"
"""At this those take turns who say what is open of messages: one word can settle others, so it is one for all."""

_FIRST = ("quarantined", "converted", "skipped", "duplicate")


def joined(*outcomes: Outcome | None) -> Outcome:
    """Join what became of the parts of a message, the one that waits for a person first; None is no part.

    Where something waits, only that is told of why; where something came of it, not that another part is unmapped.
    """
    parts = sorted((one for one in outcomes if one is not None), key=lambda one: _FIRST.index(one[0]))
    told = [one for one in parts if one[0] == "quarantined"] or parts
    reasons = [reason for state, reason, _ in told if reason and not _is_idle(state, reason, parts)]
    handoffs = [handoff for _, _, handoff in parts if handoff]
    return parts[0][0], "; ".join(reasons) or None, handoffs[0] if handoffs else None


def _is_idle(state: RecordState, reason: str, parts: Sequence[Outcome]) -> bool:
    return state == "skipped" and reason.startswith(UNMAPPED) and any(one[0] != "skipped" for one in parts)


def put_outcome(tx: Transaction, input_id: str, outcome: Outcome) -> None:
    """Write down what became of a message."""
    put_outcomes(tx, {input_id: outcome})


def put_outcomes(tx: Transaction, outcomes: Mapping[str, Outcome]) -> None:
    """Write down what became of messages, by the ids of their inputs."""
    records = [InputRecord(input_id, 1, *outcome) for input_id, outcome in outcomes.items()]
    tx.inputs.put_records(records)
    tx.inputs.set_states(
        [(one.input_id, "quarantined" if one.state == "quarantined" else "done", one.reason) for one in records]
    )


def read_or_kept(read: T | Unreadable, take: Callable[[T], Outcome]) -> Outcome:
    """Take what was read; an event that has no meaning for referrals is kept and said to be unmapped."""
    if not isinstance(read, Unreadable):
        return take(read)
    if read.code == _UNSUPPORTED_EVENT:
        return "skipped", f"{UNMAPPED}{read.reason}", None
    return "quarantined", f"{read.location}: {read.reason}", None
