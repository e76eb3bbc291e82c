"""Looking at what was put before a second person, and closing it with a note.

A review stays open until somebody other than who raised it closes it. Closing is a row of the audit trail.
"""

from dataclasses import replace

from gateway.flow.house import House
from gateway.flow.messages.relays import queue_relay
from gateway.flow.referrals import add_work
from gateway.flow.staff.console import serves_every_program
from gateway.model.audit import AuditEntry
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.release import Release, Review
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


def may_read(house: House, tx: Transaction, actor: Member, release: Release | Review) -> bool:
    """Say whether staff may read of a release, or of a second look at one: as `may_look`, and the record's own program.

    What leaves a program's record without a consent has to be written down in that record (42 CFR 2.51(c)), so the
    program reads of it, whoever released it.
    """
    if may_look(house, actor, release.organization):
        return True
    handoff = tx.handoffs.get(release.handoff_id) if release.handoff_id else None
    keeper = house.registry.get(handoff.agency) if handoff is not None else None
    return keeper is not None and keeper.id == actor.organization and keeper.is_program(house.clock())


def may_close(house: House, tx: Transaction, actor: Member, review: Review) -> bool:
    """Say whether staff are shown a review to close it: at a broken glass the record's program may look as well."""
    is_broken_glass = review.kind == "second-look"
    return may_read(house, tx, actor, review) if is_broken_glass else may_look(house, actor, review.organization)


def close_review(house: House, actor: Member, review_id: str, note: str, *, again: bool = False) -> None:
    """Close a review with a note. Legal reviews end by approving or refusing their release, not here.

    `again`: what held the items of a delivery is settled, so the referral is decided and sent once more, as an update,
    and a message passed on once more, under an MSH-10 of its own.
    """

    def look(tx: Transaction) -> None:
        tx.turns.take(f"review {review_id}")  # of two who press at once the second finds it closed
        review = tx.reviews.get(review_id)
        if review is None or review.closed_at is not None or not may_close(house, tx, actor, review):
            raise RequestRefused(NOT_FOUND)
        if not actor.may("review"):
            raise RequestRefused(NO_DUTY)
        if review.kind == "legal":
            raise RequestRefused(Problem(409, "conflict", None, "Approve or refuse the release itself."))
        close(house, tx, actor, review, note)
        if again:
            _send_again(house, tx, review)

    house.database.write(look)


def _send_again(house: House, tx: Transaction, review: Review) -> None:
    referral = tx.referrals.get(review.subject)
    handoff = tx.handoffs.get(referral.handoff_id) if referral else None
    if referral is not None and handoff is not None:
        add_work(house, tx, referral.id, referral.lane, "update", handoff.version, "ready", None)
    elif tx.inputs.get(review.subject) is not None:
        queue_relay(house, tx, review.subject, review.recipient)


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
