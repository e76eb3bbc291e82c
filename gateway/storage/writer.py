"""One piece of work at a time is written, or a group: a thread commits together what has queued up.

Many callers share one fsync, which is what makes `synchronous=FULL` affordable: with a commit for each of 16 threads
SQLite's slowest requests waited near a second, with group commit a few hundredths. Who finds nobody writing needs no
thread: on a busy machine, waking it and being woken by it took longer than the commit.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.model.audit import ChainHead
from gateway.model.errors import TryLater
from gateway.storage.audit import chain
from gateway.storage.doorbell import announce
from gateway.storage.effects import Effects
from gateway.storage.engines import SQLITE_BEGINS_WRITING
from gateway.storage.failures import explain, kind, worth_repeating
from gateway.storage.prepared import command
from gateway.storage.waiting_line import WaitingLine

T = TypeVar("T")
M = TypeVar("M")

_TRIES_ALONE = 5
_PAUSE_S = 0.02

# Every transaction begins with one of these (PostgreSQL). Any number that is ours will do, but that of the chain.
_AMONG_OTHERS = text("SELECT pg_advisory_xact_lock_shared(7746282)")
_ALONE = text("SELECT pg_advisory_xact_lock(7746282)")

_log = structlog.get_logger(__name__)


Lone = Callable[[Connection, Effects], T]
"""Work that is one call for one caller."""


@dataclass(frozen=True, slots=True)
class Alike(Generic[M, T]):
    """Work that is one call for all of a group whose `key` is equal; where it fails, one for each by itself."""

    work: Callable[[Connection, Effects, Sequence[M]], Sequence[T]]
    """Takes the matters of all and gives a value for each."""
    matter: M
    key: Hashable


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    asked: Alike[Any, Any]
    future: "Future[Any]"


_Piece = Sequence[_Job]
"""Jobs that are one call."""


class Writer:
    """Runs work in groups: one durable transaction each, and in it a savepoint for each of several pieces."""

    def __init__(
        self,
        engine: Engine,
        on_work_added: Callable[[], None],
        on_chained: Callable[[Connection, ChainHead, int], None] | None = None,
    ) -> None:
        """`on_chained` is told, in the transaction, of the new head of the audit trail and the rows added to it."""
        self._engine = engine
        self._on_work_added = on_work_added
        self._on_chained = on_chained
        self._line: WaitingLine[_Job] = WaitingLine()
        self._turn = threading.Lock()
        """Held by whoever writes, from the first piece of a group to the end of its commit."""
        self._writing: int | None = None
        """The thread that has the turn."""
        self._is_quiet = True
        """The last group was one piece, and no group is gathered or written: who comes need not look for company."""
        self._held: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    def run(self, work: Lone[T] | Alike[Any, T]) -> T:
        """Write work and return what it returned, once that is on disk, or raise what it raised; see `submit`."""
        if not (self._is_quiet and self._line.is_empty and self._turn.acquire(blocking=False)):
            return self.submit(work).result()
        job = _job(work)
        try:
            self._line.require_open()
            self._write([job])
        finally:
            self._turn.release()
        value: T = job.future.result()
        return value

    def submit(self, work: Lone[T] | Alike[Any, T]) -> "Future[T]":
        """Queue work; its future gets what it returned, once that is on disk, or what it raised.

        Raises `RuntimeError` inside work that is itself being written: waiting there for the future would never end.
        """
        if self._writing == threading.get_ident():
            raise RuntimeError(
                "write was called by work that is itself being written: use the transaction it was given"
            )
        job = _job(work)
        self._line.add(job)
        return job.future

    def close(self) -> None:
        """Finish everything that is queued, then stop the thread."""
        self._line.close()
        self._thread.join()
        with self._turn:
            if self._held is not None:
                self._held.close()
                self._held = None

    def _run(self) -> None:
        expected = 1
        while self._line.gather(expected):
            self._is_quiet = False
            with self._turn:
                group = self._line.take()
                expected = len(group)
                self._write(group)
            self._is_quiet = expected == 1

    def _write(self, group: list[_Job]) -> None:
        """Commit a group whose turn it is."""
        self._writing = threading.get_ident()
        try:
            for lone in self._commit(_pieces(group)):
                self._commit_alone(lone)
        finally:
            self._writing = None

    def _commit_alone(self, job: _Job) -> None:
        """Run again what collided with another process, with no neighbours whose locks could stand in the way.

        Neither in this process nor in another: of two that wait for each other the database ends who has waited longer,
        which could be the same one each time.
        """
        for attempt in range(1, _TRIES_ALONE + 1):
            # The other side of a deadlock must wake up and take its lock before we ask for ours again.
            time.sleep(_PAUSE_S * attempt)
            if not self._commit([[job]], is_alone=True, is_last_try=attempt == _TRIES_ALONE):
                return

    def _commit(
        self, pieces: Sequence[_Piece], *, is_alone: bool = False, is_last_try: bool = False
    ) -> list[_Job]:  # fmt: skip
        """Run pieces in one transaction and resolve their futures; return the jobs that should be run again alone."""
        again: list[_Job] = []

        def refuse(job: _Job, reason: BaseException) -> None:
            if worth_repeating(reason) and not is_last_try:
                again.append(job)
            else:
                job.future.set_exception(_for_caller(reason))

        try:
            with self._transaction(is_alone=is_alone) as connection:
                returned, effects = self._work(connection, pieces, refuse)
        except _Failed as failed:
            if len(pieces[0]) > 1:
                return self._commit([[job] for job in pieces[0]])
            refuse(pieces[0][0], failed.reason)
            return again
        except Exception as error:  # the thread must outlive every group: callers of later ones depend on it
            self._fail_all([job for piece in pieces for job in piece], error)
            return []
        for job, value in returned:
            job.future.set_result(value)
        if effects.woke:
            self._on_work_added()
        return again

    def _work(
        self, connection: Connection, pieces: Sequence[_Piece], refuse: Callable[[_Job, BaseException], None]
    ) -> tuple[list[tuple[_Job, Any]], Effects]:
        """Run each piece and chain what they left; one that fails alone ends its transaction (`_Failed`)."""
        returned: list[tuple[_Job, Any]] = []
        effects = Effects()
        if len(pieces) == 1:
            returned += _alone(connection, pieces[0], effects)
        else:
            for piece in pieces:
                returned += _apart(connection, piece, effects, refuse)
        head = chain(connection, effects.audit)
        if head is not None and self._on_chained is not None:
            self._on_chained(connection, head, len(effects.audit))
        if effects.woke:
            announce(connection)
        return returned, effects

    @contextmanager
    def _transaction(self, *, is_alone: bool) -> Iterator[Connection]:
        """Begin a transaction and commit it at the end; one that raises is rolled back.

        A connection to a file is kept for the next; one to a server is asked each time whether it is still there.
        """
        connection = self._held or self._engine.connect()
        self._held = None
        try:
            if connection.dialect.name == "sqlite":
                # Without SQLAlchemy: its beginning and end took a tenth of all that is computed to keep a message.
                command(connection, SQLITE_BEGINS_WRITING)
                yield connection
                command(connection, "COMMIT")
                self._held = connection
            else:
                with connection.begin():
                    connection.execute(_ALONE if is_alone else _AMONG_OTHERS)
                    yield connection
                connection.close()
        except BaseException:
            connection.close()
            raise

    def _fail_all(self, group: list[_Job], error: Exception) -> None:
        """Tell everyone in a group whose commit failed to repeat it.

        On a full disk nothing was kept; where the connection broke during the commit nobody can know, so a repeated
        step must be recognized (idempotency key, message id, content).
        """
        waiting = [job for job in group if not job.future.done()]
        _log.error("database.commit_failed", failure=kind(error), pieces_of_work=len(waiting))
        for job in waiting:
            job.future.set_exception(
                TryLater(f"the database did not confirm the commit ({kind(error)}): repeat the same step later")
            )


class _Failed(Exception):
    """The only piece of a transaction failed."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


def _job(work: Lone[Any] | Alike[Any, Any]) -> _Job:
    if not isinstance(work, Alike):
        # As alike to itself alone.
        work = Alike(lambda connection, effects, matters: [one(connection, effects) for one in matters], work, object())
    return _Job(work, Future())


def _pieces(group: Sequence[_Job]) -> list[_Piece]:
    """Put together what is alike, in the order in which the first of each came."""
    pieces: dict[Hashable, list[_Job]] = {}
    for job in group:
        pieces.setdefault(job.asked.key, []).append(job)
    return list(pieces.values())


def _call(connection: Connection, piece: _Piece, effects: Effects) -> list[tuple[_Job, Any]]:
    values = piece[0].asked.work(connection, effects, [job.asked.matter for job in piece])
    return list(zip(piece, values, strict=True))


def _alone(connection: Connection, piece: _Piece, effects: Effects) -> list[tuple[_Job, Any]]:
    """Run what has its transaction for itself; raises `_Failed`, and then all of it has to be rolled back."""
    try:
        return _call(connection, piece, effects)
    except BaseException as reason:  # the caller waits in another thread: whatever it is, it is raised there
        raise _Failed(reason) from None


def _apart(
    connection: Connection, piece: _Piece, effects: Effects, refuse: Callable[[_Job, BaseException], None]
) -> list[tuple[_Job, Any]]:
    """Run a piece so that its failure undoes only its own changes; where it is several jobs, then each by itself.

    Where the database has already given up the whole transaction (SQLite does on a full disk), the rollback to the
    savepoint fails, and that ends the group.
    """
    mine = Effects()
    command(connection, "SAVEPOINT work")
    try:
        returned = _call(connection, piece, mine)
    except BaseException as reason:  # the caller waits in another thread: whatever it is, it is raised there
        command(connection, "ROLLBACK TO SAVEPOINT work")
        command(connection, "RELEASE SAVEPOINT work")
        if len(piece) > 1:
            return [done for job in piece for done in _apart(connection, [job], effects, refuse)]
        refuse(piece[0], reason)
        return []
    command(connection, "RELEASE SAVEPOINT work")
    effects.add(mine)
    return returned


def _for_caller(reason: BaseException) -> BaseException:
    return explain(reason) if isinstance(reason, SQLAlchemyError) else reason
