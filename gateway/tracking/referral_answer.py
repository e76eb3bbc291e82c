"""What a recipient's answer (RRI, OSU, OMG) says about the status of our referral."""

from datetime import datetime

from gateway.model.hl7_answer import ReferralAnswer
from gateway.tracking.status import Status, StatusEvent, happened_at

_IMPLIED_BY = {
    "requested": frozenset(("accepted", "in-progress", "on-hold")),
    "accepted": frozenset(("in-progress", "on-hold", "completed")),
    "in-progress": frozenset(("completed",)),
    "rejected": frozenset(("cancelled",)),
}
"""HL7v2 has no words for what happens after acceptance: these states already include the coarser answer.
A referral that was taken back cannot be declined any more: its recipient confirms that, or was about to decline."""


def status_event(status: Status, answer: ReferralAnswer, received_at: datetime) -> StatusEvent | None:
    """Turn an answer into the event it is; None when our state already includes it.

    A recipient that declines or lets expire without a word gets a reason that says so, because a status of that kind
    must have one.
    """
    if status.task in _IMPLIED_BY.get(answer.status, ()):
        return None
    return StatusEvent(
        answer.status,
        "recipient",
        happened_at(answer.at, received_at),
        reason=answer.reason or _UNEXPLAINED.get(answer.status),
        business=_VISIT.get(answer.visit or ""),
        is_expiry=answer.status == "failed",
        has_output=answer.status == "completed",
    )


_VISIT = {"booked": "5.1.1", "done": "5.1.4"}
"""BSeR business status of a visit."""

_UNEXPLAINED = {
    "rejected": "The recipient gave no reason.",
    "failed": "The referral expired at the recipient.",
}
