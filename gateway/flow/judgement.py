"""One decision from what it is made of to what may leave: the same road for pushes, pulls, consults and replays.

A `Matter` holds everything a decision depends on but the registry. It is written down in one canonical form and kept
with the decision, so that any past decision can be made again and compared.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from gateway.consent import (
    Facts,
    Switches,
    agreement,
    decide,
    read_facts,
    read_request,
    read_switches,
)
from gateway.flow.compiled import CompiledConsents
from gateway.labeling import label
from gateway.model.consent_directive import Consents
from gateway.model.decision import Permit, Refusal, Verdict
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Resource
from gateway.model.labeled import LabeledRecords
from gateway.model.partner import Registry
from gateway.model.request import Request
from gateway.redaction import redact


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate before `decide` needs to know (docs/consent-engine.md).

    `referral` names the ServiceRequest by which a referral is made: its author decides whether the person's agreement
    is needed, because a record of one agency can hold the referral of another. "" where no program refers.
    `policy` is the policy that lets it go without anybody having been asked, or None.
    """

    referral: str
    policy: str | None


@dataclass(frozen=True, slots=True)
class Matter:
    """Everything one decision is made from, but the registry: `request` and `facts` as in docs/consent-engine.md."""

    request: Mapping[str, Any]
    records: Sequence[Resource]
    consents: Resource
    facts: Sequence[Mapping[str, Any]]
    at: datetime
    switches: Mapping[str, Any]
    gate: Gate | None
    message: bytes | None = None
    """The HL7v2 message that is to be passed on, of which `records` are the parts; None where it is about resources."""
    labeled: LabeledRecords | None = field(default=None, compare=False, repr=False)
    """`records` as `with_labels` has labeled them; None: whoever decides labels them."""

    def with_labels(self, registry: Registry) -> "Matter":
        """Label the records now, so that more than one choice of them is decided on without doing it again."""
        return replace(self, labeled=self.labels(registry))

    def labels(self, registry: Registry) -> LabeledRecords:
        """Return the records with their labels and origins."""
        return self.labeled if self.labeled is not None else label(_bundle(self.records), registry, self.at)

    def only(self, items: Iterable[str]) -> "Matter":
        """Return the matter of these items of the same records."""
        return replace(self, request={**self.request, "items": sorted(items)})

    def written(self, registry: Registry) -> bytes:
        """Write down the matter in its canonical form, with the digest of the registry it is decided with."""
        gate = {"referral": self.gate.referral, "policy": self.gate.policy} if self.gate else None
        message = {"message": base64.b64encode(self.message).decode("ascii")} if self.message is not None else {}
        return orjson.dumps(
            {
                "request": self.request,
                "records": _bundle(self.records),
                "consents": self.consents,
                "facts": self.facts,
                "at": self.at.isoformat(),
                "switches": dict(self.switches),
                "gate": gate,
                "registry": registry.digest.hex(),
                **message,
            },
            option=orjson.OPT_SORT_KEYS,
        )


def read_matter(written: bytes) -> tuple[Matter, str]:
    """Return the matter of a kept decision, and the digest (hex) of the registry it was decided with."""
    kept = orjson.loads(written)
    matter = Matter(
        request=kept["request"],
        records=[entry["resource"] for entry in kept["records"]["entry"]],
        consents=kept["consents"],
        facts=kept["facts"],
        at=datetime.fromisoformat(kept["at"]),
        switches=kept["switches"],
        gate=Gate(**kept["gate"]) if kept["gate"] else None,
        message=base64.b64decode(kept["message"]) if "message" in kept else None,
    )
    return matter, kept["registry"]


def judge(matter: Matter, registry: Registry) -> Disclosure | Refusal:
    """Decide, and build what may leave: the gate first where there is one, then `decide`, then `redact`."""
    read, outcome = decided(matter, registry)
    return redact(read.records, outcome, read.consents, registry=registry) if isinstance(outcome, Permit) else outcome


def decided(matter: Matter, registry: Registry) -> "tuple[Read, Permit | Refusal]":
    """Decide, the gate first where there is one; return what was decided on beside the outcome."""
    read = _read(matter, registry)
    refusal = _stopped_at_gate(matter.gate, read, registry, matter.at) if matter.gate else None
    if refusal is not None:
        return read, refusal
    return read, decide(
        read.request, read.records, read.consents, registry=registry, at=matter.at, facts=read.facts,
        switches=read.switches,
    )  # fmt: skip


def verdicts_of(matter: Matter, registry: Registry) -> tuple[Verdict, ...]:
    """Return what was decided on each item, for insiders: a `Disclosure` no longer says it."""
    read = _read(matter, registry)
    refusal = _stopped_at_gate(matter.gate, read, registry, matter.at) if matter.gate else None
    if refusal is not None:
        return refusal.verdicts
    return decide(
        read.request, read.records, read.consents, registry=registry, at=matter.at, facts=read.facts,
        switches=read.switches,
    ).verdicts  # fmt: skip


def stopped_at_gate(matter: Matter, gate: Gate, registry: Registry) -> Refusal | None:
    """Return the refusal that `gate` would end this matter with, or None."""
    return _stopped_at_gate(gate, _read(matter, registry), registry, matter.at)


class Read(NamedTuple):
    """The parts of a matter, read."""

    request: Request
    records: LabeledRecords
    consents: Consents
    facts: Facts
    switches: Switches


def _read(matter: Matter, registry: Registry) -> Read:
    return Read(
        read_request(matter.request),
        matter.labels(registry),
        _COMPILED.of(orjson.dumps(matter.consents), registry),
        read_facts(matter.facts, registry, matter.at),
        _switched(orjson.dumps(dict(matter.switches))),
    )


_COMPILED = CompiledConsents()


@lru_cache(maxsize=8)  # those of this installation, and of decisions that are made again
def _switched(written: bytes) -> Switches:
    """Read switches that are given as JSON."""
    return read_switches(orjson.loads(written))


def _stopped_at_gate(gate: Gate, read: Read, registry: Registry, at: datetime) -> Refusal | None:
    return agreement(
        read.request, read.records, read.consents, registry=registry, at=at, facts=read.facts,
        switches=read.switches, agency=_author_of(read.records, gate.referral), without_agreement=gate.policy,
    )  # fmt: skip


def _author_of(records: LabeledRecords, reference: str) -> str:
    """Name the organization that wrote a resource; "" (which is no program) where nobody registered did."""
    authors = [item.origin.authors for item in records.items if item.reference == reference]
    author = authors[0][0] if authors and authors[0] else None
    return author.id if author is not None else ""


def _bundle(resources: Sequence[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
