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
    if isinstance(error, _NOT_NOW) and not _lies_in_the_statement(_code(error)):
        return TryLater(f"the database is not available for this now ({found}); nothing of the change was kept")
    return WillNeverWork(f"the database could not carry out a statement ({found})")


def _lies_in_the_statement(code: str) -> bool:
    """Say whether what drivers call operational fails each time: too many variables, too deep, too long for an index.

    That is SQLite's generic error, and PostgreSQL's class of limits that a program exceeds.
    """
    return code == "SQLITE_ERROR" or code.startswith("54")


def kind(error: BaseException) -> str:
    """Name a failure: the driver's class, its code, and the constraint where one is named."""
    original = getattr(error, "orig", None)
    if original is None:
        return type(error).__name__
    constraint = getattr(getattr(original, "diag", None), "constraint_name", None)
    return ", ".join(part for part in (type(original).__name__, _code(error), constraint) if part)


def _code(error: BaseException) -> str:
    """Return the driver's code of a failure; empty where there is none."""
    original = getattr(error, "orig", None)
    return getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or ""
