"""What a compiled rule sees while it runs: one record, what was read of it so far, and where to leave findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.model.findings import Finding
from gateway.model.source_record import SourceRecord


@dataclass(frozen=True, slots=True)
class Agency:
    """An organization as a mapping needs it: how it is identified, called, and which zone its clocks show."""

    system: str
    value: str
    name: str | None = None
    zone: str | None = None


def no_agency(system: str, value: str) -> Agency | None:
    """Know no organization: the registry of a run without configuration."""
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """Everything of an installation that a mapping may depend on."""

    key: bytes
    """The secret that ids are derived with."""
    at: datetime
    """The instant of the conversion: later times in a record are errors of the record."""
    agencies: Callable[[str, str], Agency | None] = no_agency
    """The registry: (identifier system, value) -> organization."""
    assigned: Mapping[str, Agency] = field(default_factory=dict)
    """Author unit -> organization that the installation's settings put behind it, for records that name none."""
    zone: str | None = None
    """Zone of agencies that state none."""


class Scope:
    """The state of mapping one record. `node` moves into items while a loop runs over them."""

    __slots__ = (
        "context", "findings", "names", "node", "record", "references", "rejection", "root", "rows", "rule", "seen",
        "zone",
    )  # fmt: skip

    def __init__(self, record: SourceRecord, root: dict[str, Any], context: Context) -> None:
        """Start at the record itself, with nothing read yet."""
        self.context = context
        self.record = record
        self.rows = record.rows
        self.references = record.references
        self.root = root
        self.node: Any = root
        self.names: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self.seen: list[tuple[int, str, str]] = []
        """(identity of a tree node, member, rule): each step a path has taken, for telling what nobody read."""
        self.rule = ""
        self.zone: ZoneInfo | None = None
        self.rejection: tuple[str, str] | None = None

    def note(self, rule: str, path: str, message: str) -> None:
        """Leave a finding on a source field; the message names kinds, never the field's value."""
        self.findings.append(Finding("warning", rule, path, message))

    def reject(self, rule: str, reason: str) -> None:
        """Send the record to quarantine; the first reason stands."""
        if self.rejection is None:
            self.rejection = (rule, reason)

    def follow(self, node: Any) -> Any:
        """Return what a reference stands for; anything else, and a reference to nowhere, is itself."""
        if type(node) is dict and "$ref" in node:
            return self.references.get(node["$ref"], node)
        return node
