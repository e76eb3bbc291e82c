"""A `Database` that notes every question it is asked, so that a test can compare the work done for two answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.model.errors import TryLater
from gateway.ports import Database, Transaction

T = TypeVar("T")

_TOGETHER = "audit.append"
"""Rows of the audit trail are collected and written as one at the commit (gateway/storage/audit.py)."""


@dataclass
class CountedDatabase:
    """Passes everything on to `inner`; `asked` names each call on a repository, in order."""

    inner: Database
    asked: list[str] = field(default_factory=list)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, noting what it asks."""
        self.asked.append("write")
        return self.inner.write(lambda tx: work(_Counted(tx, self.asked)))  # type: ignore[arg-type]

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, noting what it asks."""
        self.asked.append("read")
        return self.inner.read(lambda tx: work(_Counted(tx, self.asked)))  # type: ignore[arg-type]


class _Counted:
    def __init__(self, tx: Transaction, asked: list[str]) -> None:
        self._tx = tx
        self._asked = asked

    def __getattr__(self, repository: str) -> Any:
        return _CountedRepository(repository, getattr(self._tx, repository), self._asked)


class _CountedRepository:
    def __init__(self, name: str, inner: Any, asked: list[str]) -> None:
        self._name = name
        self._inner = inner
        self._asked = asked

    def __getattr__(self, method: str) -> Any:
        passed_on = getattr(self._inner, method)

        def called(*arguments: Any, **named: Any) -> Any:
            call = f"{self._name}.{method}"
            if call != _TOGETHER or self._asked[-1:] != [call]:
                self._asked.append(call)
            return passed_on(*arguments, **named)

        return called


@dataclass
class FailingDatabase:
    """Passes everything on to `inner`, but for the call named `at`, or (`commit`) what comes after the work.

    `error` is what the call raises; without it the store does not answer.
    """

    inner: Database
    at: str
    error: Exception | None = None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; fail where it asks what cannot be answered."""
        return self.inner.write(lambda tx: self._run(work, tx))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; fail where it asks what cannot be answered."""
        return self.inner.read(lambda tx: self._run(work, tx))

    def _run(self, work: Callable[[Transaction], T], tx: Transaction) -> T:
        asked = _Refusing(self.at, self.error or TryLater(f"the database did not answer {self.at}"))
        value = work(_Counted(tx, asked))  # type: ignore[arg-type]
        if self.at == "commit":
            raise TryLater("the database did not confirm the commit (disk full)")
        return value


class _Refusing(list[str]):
    """A list of calls that refuses one of them."""

    def __init__(self, at: str, error: Exception) -> None:
        super().__init__()
        self._at = at
        self._error = error

    def append(self, call: str) -> None:
        """Note a call, or fail it."""
        if call == self._at:
            raise self._error
        super().append(call)
