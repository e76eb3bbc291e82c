"""One run of a conversion: from files on disk to outcomes, each input counted once."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.formats import InMemorySpill, Spill, matching, read
from gateway.intake.spill import DiskSpill, SeenContent
from gateway.mapping import CompiledMapping, Context, apply
from gateway.model.draft import Draft, Rejected
from gateway.model.findings import Finding
from gateway.model.received import Received
from gateway.model.source_record import Skipped, SourceRecord, Unreadable

DEMONSTRATION_KEY = hashlib.sha256(b"warm-handoff demonstration key: published, protects nothing").digest()
"""Used where no configuration is named, so that everyone gets the same ids from the same file."""

SMALL_FILE = 1 << 24
"""Bytes up to which the rows of a table wait in memory."""


_NONE_RECOGNIZES = (
    "expected a file that a mapping recognizes, found none that does; name one with --mapping, take your own with "
    "--config, or have one proposed: gateway mapping new --from FILE"
)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same record with the same content as before in this run."""

    number: int
    where: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A record whose Bundle breaks R4 or a profile of ours; it goes to quarantine."""

    number: int
    where: str
    errors: tuple[Finding, ...]


Outcome = Draft | Rejected | Unreadable | Skipped | Duplicate | Invalid
Take = Callable[[Draft, int, str], Outcome]
"""Takes each new record with its number and place, and says what became of it."""


@dataclass
class Counts:
    """How many inputs came to which end; their sum is the number of inputs."""

    converted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    skipped: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one input."""
        name = _COUNTED_AS[type(outcome)]
        setattr(self, name, getattr(self, name) + 1)

    def __str__(self) -> str:
        return (
            f"converted={self.converted} quarantined={self.quarantined} "
            f"duplicates={self.duplicates} skipped={self.skipped}"
        )


_COUNTED_AS: dict[type, str] = {
    Draft: "converted", Rejected: "quarantined", Unreadable: "quarantined", Invalid: "quarantined",
    Duplicate: "duplicates", Skipped: "skipped",
}  # fmt: skip


def _kept(draft: Draft, number: int, where: str) -> Outcome:
    return draft


@dataclass
class Conversion:
    """A run over any number of files."""

    mappings: Mapping[str, CompiledMapping]
    context_for: Callable[[CompiledMapping], Context]
    named: str | None = None
    """The mapping to use for every file; None: each file is recognized by its content."""
    take: Take = _kept
    counts: Counts = field(default_factory=Counts)
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(location, message, rule) -> how many records."""
    seen: SeenContent = field(default_factory=SeenContent)

    def run(self, received: Received, size: int) -> Iterator[Outcome]:
        """Yield what became of each input of a file, counting it."""
        for outcome in self._outcomes(received, size):
            self.counts.add(outcome)
            if isinstance(outcome, Draft):
                self.findings.update({(one.location, one.message, one.rule): 1 for one in outcome.findings})
            yield outcome

    def _outcomes(self, received: Received, size: int) -> Iterator[Outcome]:
        if not received.head(1 << 12).strip():
            return
        mapping = self.mapping_for(received)
        if isinstance(mapping, str):
            yield Unreadable(1, "the file", mapping)
            return
        context = self.context_for(mapping)
        spill: Spill = InMemorySpill() if size <= SMALL_FILE else DiskSpill()
        for item in read(received, mapping.layout, spill):
            outcome = apply(item, mapping, context) if isinstance(item, SourceRecord) else item
            if isinstance(outcome, Draft) and self.seen.is_repeated(outcome.handoff, outcome.content_hash):
                yield Duplicate(item.number, item.where)
            elif isinstance(outcome, Draft):
                yield self.take(outcome, item.number, item.where)
            else:
                yield outcome

    def mapping_for(self, received: Received) -> CompiledMapping | str:
        """Return the mapping of a file, or why there is not exactly one."""
        if self.named is not None:
            return self.mappings[self.named]
        found = matching(received, [mapping.layout for mapping in self.mappings.values()])
        if len(found) == 1:
            return self.mappings[found[0].mapping]
        if not found:
            return _NONE_RECOGNIZES
        names = ", ".join(layout.mapping for layout in found)
        return f"expected a file that one mapping recognizes, found several ({names}); name one with --mapping"


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and those below the folders named, in a stable order; hidden ones are passed over."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and not any(part.startswith(".") for part in inner.relative_to(path).parts):
                yield inner


def complaint(name: str, outcome: Outcome) -> str | None:
    """Return what to say on stderr about an input that was not converted, a line each; None where there is nothing."""
    if isinstance(outcome, Invalid):
        told = f"{name}: record {outcome.number} ({outcome.where}): quarantined: "
        return "\n".join(f"{told}{one.location} [{one.rule}] {one.message}" for one in outcome.errors)
    if isinstance(outcome, Rejected | Unreadable):
        return f"{name}: record {outcome.number} ({outcome.where}): quarantined: {outcome.reason}"
    if isinstance(outcome, Skipped):
        return f"{name}: record {outcome.number} ({outcome.where}): skipped: {outcome.reason}"
    return None


def summary(findings: Counter[tuple[str, str, str]]) -> Iterator[str]:
    """Yield one line for each kind of finding, with the number of records that have it."""
    for (location, message, rule), count in sorted(findings.items()):
        yield f"{count} x {location}: {message} [{rule}]"
