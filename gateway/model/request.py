"""Who asks for what: one request to disclose, read once at the edge (docs/consent-engine.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OWN_PURPOSE = "https://warmhandoff.example/fhir/CodeSystem/purpose"

TRANSPORTS = frozenset({"fhir", "hl7v2", "link", "file", "session"})
"""`session` is ours: an answer on the connection of a caller who has proven who it is."""
BASES = frozenset(
    {"emergency", "research", "audit", "qso", "court_order", "crime_on_premises", "child_abuse_report"}
    | {"deidentified", "patient_access", "hipaa_locate", "lawful_custody"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to disclose `items` (None = every record handed in) of `patient` to `recipient`.

    `purposes` are (code system, code). `basis` is the exception invoked, with its evidence, or None. `digest` covers
    the request as written.
    """

    organization: str | None
    authenticated_as: str | None
    person_id: str | None
    person_role: str | None
    link_issued_to: str | None
    recipient: str
    via: tuple[str, ...]
    copies: tuple[str, ...]
    purposes: tuple[tuple[str, str], ...]
    patient: str | None
    basis: Mapping[str, Any] | None
    transport: str
    message: str
    """MSH-9 of what is written where that is no referral (hl7v2), as ADT^A01; "" for the receiver's kind of one."""
    items: frozenset[str] | None
    digest: bytes

    @property
    def basis_type(self) -> str | None:
        """The kind of exception invoked, or None."""
        return self.basis["type"] if self.basis else None
