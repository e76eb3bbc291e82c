"""What stands in the way of disclosures besides the consents: a restriction that was agreed, a consent that is false.

Neither is a document of the person, so neither is a Consent: it is a word that somebody's staff have written down, and
it counts from the moment it is committed until somebody has ended it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from gateway.model.partner import Organization

CaveatKind = Literal["agreed", "self_pay", "consent_false"]
"""`agreed`: a restriction the program agreed to (42 CFR 2.26(a)(3)); `self_pay`: one it had to agree to, because the
service was paid for in full and nothing of it goes to a health plan for payment or operations (2.26(a)(6));
`consent_false`: a consent is known to be false (2.31(c)(4))."""

Ending = Literal["written", "oral"]
"""How a person ended a restriction: asked or agreed in writing, or by word of mouth, which is documented (2.26(b))."""

ENDINGS: tuple[str, ...] = get_args(Ending)


@dataclass(frozen=True, slots=True)
class Caveat:
    """One word of this kind as it is kept. `ended_at` None: it is in force."""

    id: str
    person_id: str
    kind: CaveatKind
    organization: str
    """Registry id: whose records a restriction is about, or whose staff reported the consent."""
    against: tuple[str, ...]
    """Registry ids of those who are not to get them; empty for a consent."""
    items: tuple[str, ...] | None
    """References of the items that are meant; None: everything of the organization's about the person."""
    consent_id: str | None
    reason: str
    by: str
    """Staff account id."""
    since: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_how: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A restriction to be written down; as in `Caveat`."""

    kind: str
    organization: str
    against: Sequence[str]
    items: tuple[str, ...] | None
    reason: str
    """How it was agreed, for whoever looks later."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a page shows: the restrictions in force about a person, for whom more can be agreed, and against whom."""

    in_force: tuple[Caveat, ...]
    bound: tuple[Organization, ...]
    organizations: tuple[Organization, ...]
