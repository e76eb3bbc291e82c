"""What a second person has to look at: a broken glass, a release under legal review, an item that holds.

A review stays open until somebody other than who raised it closes it with a note. Opening and closing are rows of the
audit trail. One subject has at most one open review of a kind.
"""

from collections.abc import Sequence
from dataclasses import replace

from gateway.flow.console import serves_every_program
from gateway.flow.house import House
from gateway.model.audit import AuditEntry
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.release import Release, Review, ReviewKind
from gateway.model.staff import Member
from gateway.ports import Transaction

NO_DUTY = Problem(403, "forbidden", None, "Your role does not cover this.")


def may_look(house: House, actor: Member, organization: str) -> bool:
    """Say whether staff may look at what that organization asked for: their own, or the operator who serves all.

    The evidence tells that the record is a program's, so an operator without an agreement with every program of the
    registry sees what its own staff asked for and nothing else (42 CFR 2.12(c)(4)).
    """
    is_operator = actor.organization == house.operator
    return actor.organization == organization or (is_operator and serves_every_program(house))


def open_review(house: House, tx: Transaction, kind: ReviewKind, release: Release, reason: str) -> None:
    """Put a release before a second person, unless it is there already."""
    review = Review(
        id=house.new_id(), kind=kind, subject=release.id, handoff_id=release.handoff_id, recipient=release.recipient,
        organization=release.organization, reason=reason, items=(), raised_by=release.requested_by,
        opened_at=house.clock(),
    )  # fmt: skip
    _open(house, tx, review)


def open_held_items(
    house: House, tx: Transaction, *, subject: str, handoff_id: str, recipient: str, reason: str, items: Sequence[str]
) -> None:
    """Put before a person the items of a delivery that hold while the rest of it goes."""
    review = Review(
        id=house.new_id(), kind="held", subject=subject, handoff_id=handoff_id, recipient=recipient,
        organization=house.operator, reason=reason, items=tuple(items), raised_by="worker", opened_at=house.clock(),
    )  # fmt: skip
    _open(house, tx, review)


def close_review(house: House, actor: Member, review_id: str, note: str) -> None:
    """Close a review with a note. Legal reviews end by approving or refusing their release, not here."""

    def look(tx: Transaction) -> None:
        review = tx.reviews.get(review_id)
        if review is None or review.closed_at is not None or not may_look(house, actor, review.organization):
            raise RequestRefused(NOT_FOUND)
        if not actor.may("review"):
            raise RequestRefused(NO_DUTY)
        if review.kind == "legal":
            raise RequestRefused(Problem(409, "conflict", None, "Approve or refuse the release itself."))
        close(house, tx, actor, review, note)

    house.database.write(look)


def close(house: House, tx: Transaction, actor: Member, review: Review, note: str) -> None:
    """Write who looked and what they noted; raises `RequestRefused` for who raised it, and without a note."""
    if actor.id == review.raised_by:
        raise RequestRefused(Problem(403, "forbidden", None, "Somebody else than whoever did this has to look at it."))
    if not note.strip():
        raise RequestRefused(Problem(400, "required", None, "Expected a note of what was looked at."))
    now = house.clock()
    tx.reviews.save(replace(review, closed_at=now, closed_by=actor.id, note=note.strip()))
    told = {"review": review.id, "kind": review.kind, "subject": review.subject}
    tx.audit.append(AuditEntry(now, "review.closed", actor.id, told))


def _open(house: House, tx: Transaction, review: Review) -> None:
    if any(one.closed_at is None for one in tx.reviews.of_subject(review.subject, review.kind)):
        return
    tx.reviews.save(review)
    told = {
        "review": review.id, "kind": review.kind, "subject": review.subject, "reason": review.reason,
        "items": len(review.items),
    }  # fmt: skip
    tx.audit.append(AuditEntry(review.opened_at, "review.opened", review.raised_by, told))
