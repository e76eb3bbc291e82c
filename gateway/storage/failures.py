"""What a failure of the database means to a caller, told without a value from the statement or the row.

The texts of drivers quote rows (PostgreSQL's DETAIL names the duplicate key), so only the kind of a failure is told.
"""

from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
    TimeoutError,
)

from gateway.model.errors import GatewayError, TryLater, WillNeverWork

_WORTH_REPEATING = frozenset({"40001", "40P01", "23505"})
"""PostgreSQL: serialization failure, deadlock, and a key that another process inserted a moment ago."""

_NOT_NOW = (OperationalError, InterfaceError, PendingRollbackError, TimeoutError)
"""Disk full, locked, connection lost, or every connection of the pool in use."""


def worth_repeating(error: BaseException) -> bool:
    """Say whether the same work, run again in a transaction of its own, may well succeed now."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _WORTH_REPEATING


def explain(error: SQLAlchemyError) -> GatewayError:
    """Return the gateway's exception for a database's: `TryLater` where the database, not the change, is at fault."""
    found = kind(error)
    if isinstance(error, IntegrityError):
        return WillNeverWork(f"the database refused a change that contradicts what is stored ({found})")
    if isinstance(error, _NOT_NOW):
        return TryLater(f"the database is not available for this now ({found}); nothing of the change was kept")
    return WillNeverWork(f"the database could not carry out a statement ({found})")


def kind(error: BaseException) -> str:
    """Name a failure: the driver's class, its code, and the constraint where one is named."""
    original = getattr(error, "orig", None)
    if original is None:
        return type(error).__name__
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    constraint = getattr(getattr(original, "diag", None), "constraint_name", None)
    return ", ".join(part for part in (type(original).__name__, code, constraint) if part)
