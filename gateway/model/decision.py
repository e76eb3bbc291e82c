"""What a decision is: a permit or a refusal, each with the record that explains it.

Only `gateway.consent` makes a `Permit`; an architecture test holds that line. Whoever holds one may redact and
send what it names, once, now; nothing in it is authority for a later sending.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Outcome = Literal["PERMIT", "PERMIT_REDACTED", "DENY", "HOLD"]

POLICY_VERSION = "2026.4"
"""The version of the rules written in `gateway.consent`; it changes whenever a decision could."""


class Basis(NamedTuple):
    """What a permit rests on: a consent and its version, an agreement, an order, or a kind of exception."""

    type: str
    id: str | None = None
    version: str | None = None

    def to_json(self) -> dict[str, str]:
        """Render the stated keys."""
        stated = {"type": self.type, "id": self.id, "version": self.version}
        return {key: value for key, value in stated.items() if value is not None}


class Verdict(NamedTuple):
    """What was decided on one item, for insiders: `outcome` PERMIT, DENY or HOLD, and the step that settled it.

    `obligations` (AUDIT, which every decision owes, apart) and `basis` are those of a permit. `release` names the row
    of the label table (docs/consent-engine.md): tpo, consent, bound, emergency, patient, order, report, crime,
    internal, non_part2, deidentified.
    """

    item: str
    outcome: Outcome
    reason: str
    step: int
    obligations: frozenset[str] = frozenset()
    basis: Basis | None = None
    release: str = "other"
    elements: frozenset[str] | None = None
    """Those of the item that may leave, where a law lists them; None = all that its basis opens."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """The decision record: everything needed to explain a decision, and no clinical content."""

    decision: Outcome
    reason: str
    section: str
    obligations: tuple[str, ...]
    basis: Basis | None
    withheld: tuple[str, ...]
    policy_version: str
    at: str
    input_hash: str
    held: tuple[str, ...] = ()
    """What is withheld of a PERMIT_REDACTED until a person has looked at it; a HOLD holds as a whole."""

    def to_json(self) -> dict[str, Any]:
        """Render the keys in their written order; `held` only where something is."""
        held = {"held": list(self.held)} if self.held else {}
        return {
            "decision": self.decision,
            "reason": self.reason,
            "section": self.section,
            "obligations": list(self.obligations),
            "basis": self.basis.to_json() if self.basis else None,
            "withheld": list(self.withheld),
            "policy_version": self.policy_version,
            "at": self.at,
            "input_hash": self.input_hash,
            **held,
        }


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to disclose the items of `permitted()` to `recipients`, for `purposes`, over `transport`, at this instant.

    `verdicts` holds every item's own verdict, in the order of the items: also those withheld, so that an item that
    holds still reaches a person. `recipients` are registry ids or references: the recipient first, then the copies
    that may have the same.
    """

    record: DecisionRecord
    verdicts: tuple[Verdict, ...]
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    transport: str

    def permitted(self) -> dict[str, Verdict]:
        """Return the verdict of each item that may leave, by its reference."""
        return {each.item: each for each in self.verdicts if each.outcome == "PERMIT"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave: DENY, or HOLD where a person must decide. Its reason is for insiders and the audit store only."""

    record: DecisionRecord
    verdicts: tuple[Verdict, ...] = ()
