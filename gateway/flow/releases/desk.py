"""The desk of the console where releases are asked for, approved, handed over and looked at by a second person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.flow.house import House
from gateway.flow.releases import copy, release, reviews
from gateway.flow.releases.content import references_of
from gateway.flow.releases.kinds import KINDS, KindRule
from gateway.flow.staff.console import serves_every_program
from gateway.flow.staff.withheld import WithheldFrom, withheld
from gateway.model.accounting import StoredDecision
from gateway.model.audit import AuditEntry
from gateway.model.exchange import RequestRefused
from gateway.model.handoff import Work
from gateway.model.partner import Organization
from gateway.model.release import Release, ReleaseRequest, Review
from gateway.model.staff import Member
from gateway.ports import Transaction


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release in the list: it names nobody. `work` is its newest delivery, `open` what somebody has to look at."""

    release: Release
    rule: KindRule
    work: Work | None
    open: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """One release with its evidence, its newest decision and everything a second person did or has to do.

    `may_act`: whoever reads this may do something about it; the program whose record it is may only read.
    """

    release: Release
    may_act: bool
    rule: KindRule
    work: Work | None
    decision: StoredDecision | None
    reviews: tuple[Review, ...]


class ReleaseDesk:
    """Each method tells one story in its house. What is not there and what is not theirs is refused alike."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def operator(self) -> str:
        """Registry id of whoever runs this gateway."""
        return self._house.operator

    @property
    def serves_every_program(self) -> bool:
        """Say whether the operator has an agreement in force with every Part 2 program of the registry."""
        return serves_every_program(self._house)

    @property
    def organizations(self) -> tuple[Organization, ...]:
        """The organizations of the registry, by name."""
        return tuple(sorted(self._house.registry, key=lambda one: one.name))

    def request(self, actor: Member, wanted: ReleaseRequest) -> Release:
        """Register, decide and let go as far as it may what somebody asks to release."""
        return release.request_release(self._house, actor, wanted)

    def approve(self, actor: Member, release_id: str, evidence: Mapping[str, Any], note: str) -> Release:
        """Register what a release under legal review stands on, and decide it again."""
        return release.approve_release(self._house, actor, release_id, dict(evidence), note)

    def refuse(self, actor: Member, release_id: str, note: str) -> Release:
        """Refuse a release under legal review."""
        return release.refuse_release(self._house, actor, release_id, note)

    def decide_again(self, actor: Member, release_id: str) -> Release:
        """Decide a held release once more."""
        return release.decide_again(self._house, actor, release_id)

    def give_copy(self, actor: Member, release_id: str, form: str) -> copy.Copy:
        """Hand over the copy of a release, once."""
        return copy.give_copy(self._house, actor, release_id, form)

    def close_review(self, actor: Member, review_id: str, note: str, *, again: bool = False) -> None:
        """Close what a second person has to look at; `again`: and send what held once more."""
        reviews.close_review(self._house, actor, review_id, note, again=again)

    def items(self, actor: Member, handoff_id: str) -> list[str]:
        """Name the items of a record that somebody may release; none where the record is not theirs or not there."""

        def look(tx: Transaction) -> list[str]:
            handoff = release.record_of(tx, handoff_id)
            try:
                return references_of(self._house, tx, actor, handoff) if handoff is not None else []
            except RequestRefused:
                return []

        return self._house.database.read(look)

    def releases(self, actor: Member) -> list[ReleaseRow]:
        """List the releases this member of staff may look at, newest first."""

        def look(tx: Transaction) -> list[ReleaseRow]:
            waiting = tx.reviews.open()
            return [
                ReleaseRow(
                    one,
                    KINDS[one.kind],
                    _newest_work(tx, one),
                    tuple(each for each in waiting if each.subject == one.id),
                )
                for one in tx.releases.newest()
                if reviews.may_read(self._house, tx, actor, one)
            ]

        return self._house.database.read(look)

    def page(self, actor: Member, release_id: str) -> ReleasePage:
        """Show one release with its evidence; the look is a row of the audit trail."""

        def look(tx: Transaction) -> ReleasePage:
            found = release.visible_release(self._house, tx, actor, release_id)
            tx.audit.append(AuditEntry(self._house.clock(), "release.viewed", actor.id, {"release": found.id}))
            decision = tx.decisions.get(found.decision_id) if found.decision_id else None
            made = tuple(tx.reviews.of_subject(found.id))
            may_act = reviews.may_look(self._house, actor, found.organization)
            return ReleasePage(found, may_act, KINDS[found.kind], _newest_work(tx, found), decision, made)

        return self._house.database.write(look)

    def waiting(self, actor: Member) -> list[Review]:
        """List what this member of staff may look at and nobody has closed, oldest first."""
        return self._house.database.read(
            lambda tx: [one for one in tx.reviews.open() if reviews.may_close(self._house, tx, actor, one)]
        )

    def withheld(self, actor: Member, handoff_id: str) -> list[WithheldFrom]:
        """Say what was withheld of a record and why, as far as it is theirs to know."""
        return withheld(self._house, actor, handoff_id)


def _newest_work(tx: Transaction, one: Release) -> Work | None:
    work = tx.outbox.of_subject(one.id) if one.state == "queued" else []
    return work[-1] if work else None
