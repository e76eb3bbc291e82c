"""Who is calling, proven by a credential, and what the scopes of that credential open.

The scope algebra of SMART App Launch 2.0 ("system/Task.rus") and of version 1 ("system/Task.read") lives here only.
"""

import re
from dataclasses import dataclass
from typing import Literal

Interaction = Literal["c", "r", "u", "d", "s"]
"""Create, read, update, delete, search: the letters of a SMART v2 scope, always in this order."""

INTAKE = "intake"
"""The scope that opens `POST /intake/{source}` and the receipts."""

LOOKUP = "lookup"
"""The scope that opens `POST /lookup`."""

_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]{1,63})\.(?P<may>read|write|\*|c?r?u?d?s?)")


@dataclass(frozen=True, slots=True)
class Caller:
    """A registered client as its token proved it. Nothing a request claims about itself enters here."""

    client: str
    """Client id of `gateway.toml`; own inputs and receipts are found by it."""
    organization: str
    """Registry id of the organization the client speaks for."""
    scopes: frozenset[str]
    person: tuple[str, str] | None
    """(id, role) of the acting person in the words of the consent engine."""
    authenticated_as: str
    """Registry id that the credential proved (consent request `requester.authenticated_as`)."""

    def may(self, interaction: Interaction, resource_type: str) -> bool:
        """Tell whether any scope opens this interaction on this FHIR resource type."""
        return any(interaction in granted(scope, resource_type) for scope in self.scopes)

    @property
    def may_submit(self) -> bool:
        """Tell whether the client may hand in records and read its receipts."""
        return INTAKE in self.scopes


def is_scope(scope: str) -> bool:
    """Tell whether a scope is written as one; a scope that a query narrows is, though it grants nothing here."""
    match = _SCOPE.fullmatch(scope.partition("?")[0])
    return scope in (INTAKE, LOOKUP) or (match is not None and match["may"] != "")


def granted(scope: str, resource_type: str) -> str:
    """Return the letters of "cruds" that one scope grants on a resource type; "" for anything not understood.

    A scope narrowed by a query ("system/Task.rs?status=requested") grants nothing here: read as if it stood without
    its query it would open more than was given. Contexts other than `system/` need a person at the keyboard.
    """
    match = _SCOPE.fullmatch(scope)
    if match is None or match["type"] not in ("*", resource_type):
        return ""
    return _V1.get(match["may"], match["may"])
