"""What a piece of work leaves to be done when its group commits, and how an update that met no row is told."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CursorResult

from gateway.model.audit import AuditEntry
from gateway.model.errors import GatewayError


@dataclass(slots=True)
class Effects:
    """Collected while work runs; dropped with it when it fails."""

    audit: list[AuditEntry] = field(default_factory=list)
    """Rows to be chained at the end of the transaction, so that its lock is held only for the commit."""
    woke: bool = False
    """Work was added or reopened: idle workers should look."""

    def add(self, other: "Effects") -> None:
        """Take over what another piece of work of the same group left."""
        self.audit.extend(other.audit)
        self.woke = self.woke or other.woke


def must_exist(result: CursorResult[Any] | int, kind: str, key: object) -> None:
    """Raise `GatewayError` when an update met no row: the caller believes in something that is not stored."""
    if (result if isinstance(result, int) else result.rowcount) == 0:
        raise GatewayError(f"expected a stored {kind} with id {key}, found none")
