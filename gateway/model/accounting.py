"""The accounting of disclosures: what is kept of each, and what a patient is told of it (42 CFR 2.25)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Part = Literal["consent", "other"]
"""`consent`: made with the patient's consent (42 CFR 2.25). `other`: without one, outside Part 2 or by an exception of
it that 45 CFR 164.528 counts; told apart, because other rules say which of them are owed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose accounting is asked for: a person of the index, the id of a Patient, or a record about the person."""

    person: str = ""
    patient: str = ""
    handoff: str = ""
    intermediary: str = ""
    """Registry id of whoever owes a list of what it passed on; then that list is wanted (42 CFR 2.24)."""


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision as it is to be kept, with the canonical input that gave it."""

    decision_id: str
    at: datetime
    recipient: str
    person_id: str | None
    handoff_id: str | None
    referral_id: str | None
    work_id: int | None
    channel: str
    record: Mapping[str, Any]
    inputs: bytes


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A disclosure that leaves with the commit: whoever asked waits for it, and nothing comes back."""

    message_id: str
    decision_id: str
    purpose: str
    description: str
    code: str
    sent: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was kept. `inputs` is the canonical matter it was made from."""

    id: str
    at: datetime
    recipient: str
    person_id: str | None
    channel: str
    record: Mapping[str, Any]
    inputs: bytes


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One row of the disclosure log with its decision. `confirmed_at` None: it may have left, nobody has said so."""

    message_id: str
    purpose: str
    description: str
    intended_at: datetime
    confirmed_at: datetime | None
    decision: StoredDecision


@dataclass(frozen=True, slots=True)
class Accounted:
    """One disclosure as the patient is told of it (45 CFR 164.528(b)(2))."""

    part: Part
    at: datetime
    recipient: str
    """Registry id."""
    name: str
    address: str
    """Postal where the registry knows one, else the electronic one it was sent to; "" where neither is known."""
    occasion: str
    """What was done: "create of a referral", "read by ..."."""
    content: str
    """What of: resource types with their numbers."""
    purpose: str
    consent: str
    """Id of the Consent it rests on; "" without one."""
    transport: str
    is_confirmed: bool
    decision: str


@dataclass(frozen=True, slots=True)
class Accounting:
    """The disclosures about one person in [since, until), oldest first."""

    person_id: str
    since: datetime
    until: datetime
    made_at: datetime
    disclosures: tuple[Accounted, ...]
    intermediary: str | None = None
    """Registry id, where this is the list of an intermediary (42 CFR 2.24)."""

    def of_part(self, part: Part) -> tuple[Accounted, ...]:
        """Return the disclosures of one part."""
        return tuple(one for one in self.disclosures if one.part == part)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Disclosures to one recipient for one purpose, told together (45 CFR 164.528(b)(3)): `first` of `times`."""

    first: Accounted
    times: int
    last: datetime
