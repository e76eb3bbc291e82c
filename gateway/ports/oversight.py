"""What is proven and looked after: decisions, the ends of consents, caveats, releases, reviews, the audit trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from gateway.model.accounting import Disclosed, HandedOver, NewDecision, StoredDecision
from gateway.model.audit import AuditEntry
from gateway.model.caveat import Caveat
from gateway.model.consent_life import ConsentTerm
from gateway.model.release import Release, Review, ReviewKind


class Decisions(Protocol):
    """Every decision with the input it was made from, and the log of what was disclosed."""

    def add(self, decisions: Sequence[NewDecision]) -> None:
        """Keep decisions, each with the canonical input that gave it."""
        ...

    def of_handoff(self, handoff_id: str) -> list[Mapping[str, Any]]:
        """Return the decision records of a handoff, newest first, with id, recipient, channel, referral, work."""
        ...

    def last_sent(self, referral_id: str) -> Mapping[str, Any] | None:
        """Return the record of the newest decision on which a referral was sent; None where none permitted it."""
        ...

    def get(self, decision_id: str) -> StoredDecision | None:
        """Return one decision with the input it was made from."""
        ...

    def disclosed(self, person_id: str, since: datetime, until: datetime) -> list[Disclosed]:
        """Return what was disclosed about a person, or may have been, in [since, until), oldest first."""
        ...

    def received(self, recipient: str, message_id: str) -> Disclosed | None:
        """Return one disclosure, or what may have been one, to this recipient."""
        ...

    def received_between(
        self, recipient: str, since: datetime, until: datetime | None, limit: int, after: Disclosed | None = None
    ) -> list[Disclosed]:
        """Return what was disclosed to a recipient, or may have been, in [since, until), the `limit` oldest.

        With `after` only what follows that one; of two of the same instant that with the greater id follows.
        """
        ...

    def received_about(self, recipient: str, person_id: str) -> list[Disclosed]:
        """Return what was disclosed to a recipient about a person, or may have been: the newest of each record and
        channel, oldest first. One question, whether or not there is any.
        """
        ...

    def bases_received(self, recipient: str, person_id: str) -> set[tuple[str, str]]:
        """Return on what anything was disclosed to a recipient about a person, or may have been, by type and id.

        One question, whether or not there is any.
        """
        ...

    def intend(self, *, decision_id: str, message_id: str, purpose: str, description: str, at: datetime) -> None:
        """Write that a disclosure is about to leave (42 CFR 2.25; committed before the first byte)."""
        ...

    def confirm(self, *, message_id: str, code: str, sent: bytes, answered: bytes, at: datetime) -> None:
        """Write that a disclosure has left and what the receiver answered."""
        ...

    def hand_over(self, disclosures: Sequence[HandedOver]) -> None:
        """Write disclosures that leave with the commit."""
        ...


class ConsentTerms(Protocol):
    """When consents end, and which wait for their verification: for lists and sweeps, never for a decision."""

    def get(self, consent_id: str) -> ConsentTerm | None:
        """Return the term of a consent."""
        ...

    def put(self, term: ConsentTerm) -> None:
        """Keep the term of a consent."""
        ...

    def drop(self, consent_id: str) -> None:
        """Forget the term of a consent; does nothing where there is none."""
        ...

    def ending(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until`, the earliest end first."""
        ...

    def unreminded(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until` and of whose end nobody was reminded, the earliest end first."""
        ...

    def doubtful(self, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents of whose ending event we were told, the longest told first."""
        ...

    def turning(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that may stop less at `until` than before, the earliest instant first."""
        ...

    def waiting(self, at: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that wait for their verification at `at`, the longest wait first."""
        ...


class Caveats(Protocol):
    """Restrictions that were agreed with a person, and consents that are said to be false."""

    def get(self, caveat_id: str) -> Caveat | None:
        """Return a caveat, in force or ended."""
        ...

    def save(self, caveat: Caveat) -> None:
        """Insert or update a caveat."""
        ...

    def of_person(self, person_id: str) -> list[Caveat]:
        """Return the caveats in force about a person, oldest first."""
        ...

    def of_people(self, person_ids: Sequence[str]) -> list[Caveat]:
        """Return the caveats in force about these persons, oldest first."""
        ...


class Releases(Protocol):
    """What was asked for at the console, with the evidence that somebody registered."""

    def get(self, release_id: str) -> Release | None:
        """Return a release."""
        ...

    def save(self, release: Release) -> None:
        """Insert or update a release."""
        ...

    def newest(self, limit: int = 200) -> list[Release]:
        """Return releases, newest first."""
        ...

    def of_handoff(self, handoff_id: str) -> list[Release]:
        """Return the releases of a record, newest first."""
        ...


class Reviews(Protocol):
    """What a second person has to look at."""

    def get(self, review_id: str) -> Review | None:
        """Return a review."""
        ...

    def save(self, review: Review) -> None:
        """Insert or update a review."""
        ...

    def open(self) -> list[Review]:
        """Return what nobody has closed yet, oldest first."""
        ...

    def of_subject(self, subject: str, kind: ReviewKind | None = None) -> list[Review]:
        """Return the reviews of a release or referral, oldest first."""
        ...


class Audit(Protocol):
    """The hash-chained audit trail."""

    def append(self, entry: AuditEntry) -> None:
        """Add a row in the same transaction as what it tells of."""
        ...
