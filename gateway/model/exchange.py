"""What passes between a door that takes requests and the stories behind it: accepted, answered, or not.

A story gives these back as values. A door that cannot go on with a request raises `RequestRefused` with the same
`Problem`, and one place (`web.errors`) turns either into what the caller's protocol calls an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.model.caller import Caller, Interaction
from gateway.model.errors import GatewayError
from gateway.model.handoff import Resource


@dataclass(frozen=True, slots=True)
class Accepted:
    """An input is kept on disk."""

    input_id: str
    repeated: bool
    """The same content came before; `input_id` is the earlier one."""


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The `Idempotency-Key` was used before with other content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A FHIR answer as bytes. `version` and `updated_at` are None where they would tell of something withheld."""

    body: bytes
    version: int | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `after` says where its next page begins, in its own words; None: this is the last one."""

    resources: Sequence[Resource]
    after: str | None = None


IssueCode = Literal[
    "invalid", "structure", "required", "value", "invariant", "security", "login", "expired", "forbidden",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "too-long", "code-invalid",
    "business-rule", "conflict", "transient", "throttled", "exception",
]  # fmt: skip
"""The codes of FHIR R4 ValueSet issue-type that this product uses."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request cannot be met: HTTP status, issue code, where, and a sentence without any value of the request."""

    status: int
    code: IssueCode
    expression: str | None
    """FHIRPath of the element at fault."""
    message: str
    version: int | None = None
    """The version that stands, where the request was made from another one (412) and the caller may know it."""


NOT_FOUND = Problem(404, "not-found", None, "There is nothing here, or nothing that this caller may see.")
"""The one answer for missing and refused alike (42 CFR 2.13(c)(2)): callers use this object, not a copy."""

NOT_WHOLE = Problem(
    400, "structure", None, "Expected a whole body, found one that was broken off or is framed wrongly."
)


class RequestRefused(GatewayError):
    """The request is not met; the caller gets `problem` in the error shape of the protocol it spoke."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def require_scope(caller: Caller, interaction: Interaction, resource_type: str) -> None:
    """Raise `RequestRefused` (403) unless a scope of the caller opens this interaction on this resource type."""
    if not caller.may(interaction, resource_type):
        raise RequestRefused(Problem(403, "forbidden", None, f"No scope of this client opens this on {resource_type}."))
