"""What a check found: problems with their place, rule and severity, and never a value from the record."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "information"]
"""As OperationOutcome.issue.severity (FHIR R4), without `fatal`: what cannot be read at all is an error too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """State one problem: `rule` is its stable key, `location` a FHIRPath, `message` fit to be shown and logged."""

    severity: Severity
    rule: str
    location: str
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Hold what one check found, in the order of the document; no finding at all means nothing to say."""

    items: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that make the resource invalid."""
        return tuple(item for item in self.items if item.severity == "error")

    @property
    def is_valid(self) -> bool:
        """Tell whether nothing found is an error."""
        return not any(item.severity == "error" for item in self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def findings(items: Iterable[Finding]) -> Findings:
    """Gather findings, each once: two profiles that stand on the same rule report it as one."""
    return Findings(tuple(dict.fromkeys(items)))
