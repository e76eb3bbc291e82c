"""Steps 8 and 9: decide and redact, the one road from a stored record to anything that leaves.

A push (delivery), a pull (FHIR read and search) and a page of the console all come through `disclose`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.consent import agreement, compile_consents, decide, read_facts, read_request
from gateway.flow.house import House
from gateway.labeling import label
from gateway.model.audit import AuditEntry
from gateway.model.decision import DecisionRecord, Permit, Refusal
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.ports import Transaction
from gateway.redaction import redact


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, in the words of the consent engine (case-format section 3)."""

    organization: str
    person: tuple[str, str]
    """(id, role)"""
    recipient: str
    purpose: tuple[str, ...]
    transport: str
    channel: str
    """How it would leave: fhir, hl7v2, read, search, console; kept with the decision."""
    basis: dict[str, Any] | None = None

    def request(self, patient: str | None) -> dict[str, Any]:
        """Render the request. Organizations are proven by credential or by our own process, never claimed."""
        return {
            "requester": {
                "organization": self.organization,
                "authenticated_as": self.organization,
                "person": {"id": self.person[0], "role": self.person[1]},
            },
            "recipient": self.recipient,
            "purpose": list(self.purpose),
            "patient": patient,
            "basis": self.basis,
            "transport": self.transport,
        }


@dataclass(frozen=True, slots=True)
class Made:
    """What came of asking: the outcome, its record, and the canonical input that gives the same record again."""

    outcome: Disclosure | Refusal
    record: DecisionRecord
    inputs: bytes
