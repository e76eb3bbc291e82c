"""An HL7v2 message that is to be passed on, taken apart: what stays or goes as a whole, and what it says."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.decision import DecisionRecord
from gateway.model.handoff import Resource

PartKind = Literal["envelope", "item", "opaque"]
"""`envelope`: who speaks to whom, and when; `item`: something decided on by itself; `opaque`: decided on too, and gone
as soon as anything else goes, because nobody here can tell what it means."""


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Segments of one message that stay or go together."""

    reference: str
    """`Type/id` of its resource; made up for an envelope."""
    kind: PartKind
    lines: tuple[int, ...]
    """Positions of its segments in the message, from 0."""
    parent: str | None
    """The part without which it means nothing or tells what that was: it goes with it."""
    is_core: bool
    """Without any core part the message has no point, and an empty shell would tell that something is missing."""
    needs_child: bool
    """Goes when it had children and none of them stays: an order without its results tells what they were."""
    resource: Resource | None
    """Its codes and all its text, decoded, as a FHIR resource: for labels and for the decision, never for sending."""
    fields: tuple[tuple[int, int, int, str], ...]
    """(line, field, repetition, decoded text) of all that is not empty; each component is a line of the text too."""


@dataclass(frozen=True, slots=True)
class KeptParts:
    """What of a message may be passed on: segments by their positions, without the fields of `blank`.

    Only `gateway.redaction` makes one, and only from a `Permit`. `notice` must travel in the same message where it is
    not ""; `scope` explains the consent beside it (42 CFR 2.32(b)). `level` is all that an envelope may say.
    """

    lines: frozenset[int]
    blank: frozenset[tuple[int, int, int]]
    is_whole: bool
    notice: str
    scope: str
    level: str
    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A message as it may go to its receiver, once, now: what `kept` allows, written with the notice it owes.

    Only `gateway.flow.messages.pass_on` makes one, and only from a `KeptParts`; a transport passes on nothing else.
    """

    content: bytes
    kept: KeptParts

    @property
    def record(self) -> DecisionRecord:
        """Return the record of the decision."""
        return self.kept.record
