"""What a mapping makes of a source record: the Bundle with where each part came from, or why there is none."""

from dataclasses import dataclass
from typing import Any, Literal

from gateway.model.findings import Finding

FieldStatus = Literal["mapped", "kept", "ignored", "unknown"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rule wrote an entry of the Bundle, and for which item of a list."""

    block: int
    """Index of the block in the compiled mapping."""
    item: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record turned into FHIR, not yet validated, labelled or stored."""

    handoff: str
    """Stable keyed hash of (program, agency, business key)."""
    mapping: str
    program: str
    agency: str
    """Identifier value of the author of the police or program part (ORI, partner id)."""
    key: str
    """The business key in clear: for the trace and the quarantine page only."""
    content_hash: str
    """SHA-256 of everything the mapping read; equal content of the same key is a duplicate."""
    bundle: dict[str, Any]
    facts: dict[str, Any]
    findings: tuple[Finding, ...]
    deleted: bool
    """A delete message: what was derived from this key is withdrawn."""
    origins: tuple[Origin, ...]
    """One for each entry of the Bundle, in order."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could be read but not mapped; it goes to quarantine."""

    number: int
    where: str
    rule: str
    """Stable key: "time-in-future", "required-missing", "key-missing", ..."""
    reason: str


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One source field with what became of it, or one element that came from no single field."""

    path: str
    """Source field, or "" for an element made of constants."""
    status: FieldStatus
    rule: str
    """`file:line` of the rule, or the reason why the field is left out."""
    target: str
    """FHIRPath of the element, "facts.<name>", or ""."""
    value: Any = None
