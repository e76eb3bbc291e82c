"""The queue of what a second person has to look at: how something gets into it.

One subject has at most one open review of a kind for each recipient. Opening is a row of the audit trail; closing is in
`reviews`.
"""

from gateway.flow.house import House
from gateway.model.audit import AuditEntry
from gateway.model.decision import DecisionRecord
from gateway.model.handoff import Referral
from gateway.model.release import Release, Review, ReviewKind
from gateway.ports import Transaction

WORKER = "worker"
"""Who raises what no person did."""


def open_review(house: House, tx: Transaction, kind: ReviewKind, release: Release, reason: str) -> None:
    """Put a release before a second person, unless it is there already."""
    review = Review(
        id=house.new_id(), kind=kind, subject=release.id, handoff_id=release.handoff_id, recipient=release.recipient,
        organization=release.organization, reason=reason, items=(), raised_by=release.requested_by,
        opened_at=house.clock(),
    )  # fmt: skip
    _open(house, tx, review)


def open_held_items(house: House, tx: Transaction, referral: Referral, record: DecisionRecord) -> None:
    """Put before a person the items of a delivery that hold while the rest of it goes."""
    review = Review(
        id=house.new_id(), kind="held", subject=referral.id, handoff_id=referral.handoff_id,
        recipient=referral.recipient, organization=house.operator, reason=record.reason, items=record.held,
        raised_by=WORKER, opened_at=house.clock(),
    )  # fmt: skip
    _open(house, tx, review)


def open_held_parts(
    house: House, tx: Transaction, input_id: str, handoff_id: str | None, recipient: str, record: DecisionRecord
) -> None:
    """Put before a person the groups of a message that hold while the rest of it is passed on."""
    review = Review(
        id=house.new_id(), kind="held", subject=input_id, handoff_id=handoff_id, recipient=recipient,
        organization=house.operator, reason=record.reason, items=record.held, raised_by=WORKER, opened_at=house.clock(),
    )  # fmt: skip
    _open(house, tx, review)


def _open(house: House, tx: Transaction, review: Review) -> None:
    before = tx.reviews.of_subject(review.subject, review.kind)
    if any(one.closed_at is None and one.recipient == review.recipient for one in before):
        return
    tx.reviews.save(review)
    told = {
        "review": review.id, "kind": review.kind, "subject": review.subject, "reason": review.reason,
        "items": len(review.items),
    }  # fmt: skip
    tx.audit.append(AuditEntry(review.opened_at, "review.opened", review.raised_by, told))
