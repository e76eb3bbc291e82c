"""A release of information: somebody at the console asks for a disclosure on a basis, and registers its evidence.

The basis is an exception of 42 CFR Part 2 (or of HIPAA for other records), or a consent that no referral stands for
(2.35). The evidence becomes part of what is decided, so that a replay of the decision reads it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

ReleaseKind = Literal[
    "emergency", "court_order", "research", "audit", "qso", "child_abuse_report", "crime_on_premises",
    "criminal_justice", "patient_access", "hipaa_locate", "lawful_custody", "public_health",
]  # fmt: skip

Way = Literal["send", "copy"]
"""`send`: to the recipient's endpoint through the outbox; `copy`: handed over by whoever asked."""

ReleaseState = Literal["legal", "held", "ready", "queued", "given", "refused"]
"""`legal`: waits for legal review; `held`: something else has to be settled by a person first; `ready`: one copy may be
handed over; `queued`: in the outbox, whose work says how far it has come; `given`: the copy was handed over."""

ReviewKind = Literal["second-look", "legal", "held"]
"""`second-look`: somebody broke the glass; `legal`: a release waits for legal review; `held`: a release, or an item of
a delivery whose rest went, waits for a person."""


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What is asked for. `evidence` has the fields of the basis.

    `types` are FHIR types: only items of these, and who they are about; none means everything of the record.
    """

    kind: str
    handoff_id: str
    recipient: str
    way: str
    evidence: Mapping[str, Any]
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it is kept, with its evidence and its newest decision."""

    id: str
    kind: ReleaseKind
    handoff_id: str
    recipient: str
    """Registry id, or `Patient/id` where the patient gets the copy."""
    organization: str
    """Registry id of the organization whose staff asked."""
    requested_by: str
    """Staff account id."""
    requested_as: str
    """Role of that person in the words of the consent engine."""
    way: Way
    evidence: Mapping[str, Any]
    items: tuple[str, ...] | None
    state: ReleaseState
    reason: str | None
    """Code of the newest decision's reason, or what a person said who refused."""
    decision_id: str | None
    created_at: datetime
    updated_at: datetime
    approved_by: str | None = None
    """Staff account id of who let it go after legal review."""


@dataclass(frozen=True, slots=True)
class Review:
    """Something that a person other than `raised_by` has to look at and close with a note."""

    id: str
    kind: ReviewKind
    subject: str
    """Id of the release, or of the referral (its Task) or message (its input) with an item that holds."""
    handoff_id: str | None
    recipient: str
    organization: str
    """Registry id of the organization whose staff are to look."""
    reason: str
    items: tuple[str, ...]
    """References of the items that hold; empty where the whole is meant."""
    raised_by: str
    """Staff account id, or "worker"."""
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    note: str | None = None
