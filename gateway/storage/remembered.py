"""What one transaction has read and may take for known: single rows asked for again and again by the parts of a story.

What the transaction writes is known as it was written, or forgotten. Where others may commit meanwhile, everything is
forgotten when it has waited for a lock: whoever held the lock may have changed what was read before, and a revocation
that was committed meanwhile must be seen. On SQLite nobody else writes from the first statement of the transaction on.
"""

from typing import Any

from gateway.model.handoff import Handoff, Person, Referral

Key = tuple[str, str]
"""Resource type and logical id."""


class Remembered:
    """The memory of one transaction, shared by its repositories; a row that is not there is remembered too."""

    __slots__ = ("handoffs", "is_alone", "locked", "numbers", "people", "referrals", "referrals_of", "resources")

    def __init__(self, *, is_alone: bool = False) -> None:
        """`is_alone`: nobody else can commit while this transaction runs."""
        self.is_alone = is_alone
        self.resources: dict[Key, Any | None] = {}
        self.handoffs: dict[str, Handoff | None] = {}
        self.people: dict[str, Person | None] = {}
        self.numbers: dict[str, list[tuple[str, Person]]] = {}
        self.referrals: dict[str, Referral | None] = {}
        self.referrals_of: dict[str, list[Referral]] = {}
        """By person."""
        self.locked: set[str] = set()
        """Persons locked until the transaction ends, whatever else is forgotten."""

    def doubt(self) -> None:
        """Forget what others may have changed since it was read; where nobody can, everything still holds."""
        if not self.is_alone:
            self.forget()

    def person_for_certain(self, person_id: str) -> Person | None:
        """Return what is remembered of a person whom nobody else can have changed since."""
        return self.people.get(person_id) if self.is_alone or person_id in self.locked else None

    def handoff_for_certain(self, handoff_id: str) -> Handoff | None:
        """Return what is remembered of a handoff that nobody else can have changed since."""
        return self.handoffs.get(handoff_id) if self.is_alone else None

    def referral_for_certain(self, referral_id: str) -> Referral | None:
        """Return what is remembered of a referral that nobody else can have changed since."""
        return self.referrals.get(referral_id) if self.is_alone else None

    def forget(self) -> None:
        """Know nothing any more."""
        for known in (self.resources, self.handoffs, self.people, self.numbers, self.referrals, self.referrals_of):
            known.clear()
