"""The store as the rest of the gateway sees it: durable writes, snapshot reads, and waiting for work."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.model.errors import ConfigurationError, GatewayError
from gateway.ports import Clock, SharedWork, Transaction
from gateway.storage.checkpoints import Checkpoints, Signer
from gateway.storage.doorbell import Doorbell
from gateway.storage.effects import Effects
from gateway.storage.engines import create_private, parse_url, reading_engine, sqlite_file, writing_engine
from gateway.storage.failures import explain
from gateway.storage.lock_file import LockFile
from gateway.storage.outbox import next_due
from gateway.storage.schema import CURRENT, create_schema, require_schema, schema_version
from gateway.storage.tables import lanes
from gateway.storage.transaction import SqlTransaction
from gateway.storage.writer import Alike, Writer

T = TypeVar("T")
M = TypeVar("M")

Role = Literal["server", "operator", "reader"]
"""`server`: writes all day; on SQLite only one may. `operator`: a command that writes a little, also beside a running
server. `reader`: never writes."""


def open_database(url: str, *, clock: Clock, role: Role = "server", signer: Signer | None = None) -> "SqlDatabase":
    """Open the database at `url` (`sqlite:///FILE` or `postgresql://...`).

    A server creates or upgrades the schema; the other roles expect it as it should be. With a `signer` the audit
    trail gets its checkpoints. Raises `ConfigurationError` with what to do when the database cannot be used in this
    role.
    """
    parsed = parse_url(url)
    path = sqlite_file(parsed)
    if path is not None and role != "server" and not path.is_file():
        raise ConfigurationError(f"there is no database at {path} yet: `gateway serve` creates it")
    with ExitStack() as undo:
        lock = None
        if path is not None and role == "server":
            create_private(path)
            lock = LockFile(path)
            undo.callback(lock.release)
        reading = reading_engine(parsed)
        undo.callback(reading.dispose)
        writing = None if role == "reader" else writing_engine(parsed)
        if writing is not None:
            undo.callback(writing.dispose)
        try:
            if writing is not None and role == "server":
                create_schema(writing)
                if lock is not None:
                    _end_leases(writing)
            else:
                require_schema(reading)
        except SQLAlchemyError as error:
            raise explain(error) from None
        undo.pop_all()
    return SqlDatabase(reading=reading, writing=writing, lock=lock, clock=clock, signer=signer)


def _end_leases(engine: Engine) -> None:
    """Free every lane: on SQLite the lock file proves that whoever leased one is gone, so nobody has to wait for it."""
    with engine.begin() as connection:
        connection.execute(update(lanes).values(owner=None))


class SqlDatabase:
    """`ports.Database` on SQLite or PostgreSQL; made by `open_database`."""

    def __init__(
        self,
        *,
        reading: Engine,
        writing: Engine | None,
        lock: LockFile | None,
        clock: Clock,
        signer: Signer | None = None,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = lock
        self._clock = clock
        self._added = threading.Condition()
        self._additions = 0
        self._seen = threading.local()
        self._doorbell = Doorbell(reading, self._work_was_added)
        self._checkpoints = None if signer is None else Checkpoints(signer, clock)
        on_chained = None if self._checkpoints is None else self._checkpoints.after
        self._writer = None if writing is None else Writer(writing, self._work_was_added, on_chained)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a writing transaction; return its value after the commit is on disk (`ports.Database`)."""
        writer = self._must_write()
        if isinstance(work, SharedWork):
            value: T = writer.run(Alike(_in_transaction(work.for_each), work.matter, key=work.for_each))
            return value
        return writer.run(lambda connection, effects: work(SqlTransaction(connection, effects)))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent snapshot of committed state."""
        return self.query(lambda connection: work(SqlTransaction(connection, Effects())))

    def has_current_schema(self) -> bool:
        """Tell whether the database still has the schema of this version."""
        return self.query(schema_version) == CURRENT

    def query(self, work: Callable[[Connection], T]) -> T:
        """Run SQL of this room's own (the console's views, the audit's check) on one consistent snapshot."""
        try:
            with self._reading.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise explain(error) from None

    def change(self, work: Callable[[Connection], T]) -> T:
        """Run SQL of this room's own (staff, sessions) as `write` runs work."""
        return self._must_write().run(lambda connection, _effects: work(connection))

    def clock_ahead(self) -> timedelta:
        """Return how far our clock is ahead of that of the database server; zero on SQLite, which has none."""
        if self._reading.dialect.name != "postgresql":
            return timedelta(0)

        def compare(connection: Connection) -> timedelta:
            asked = self._clock()
            theirs: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return asked + (self._clock() - asked) / 2 - theirs

        return self.query(compare)

    def checkpoint(self) -> None:
        """Sign the audit trail as it stands, unless nothing happened since it was signed last; needs a signer."""
        if self._checkpoints is None:
            raise GatewayError("the database was opened without the key that signs checkpoints")
        self.change(self._checkpoints.now)

    def wait_for_work(self, timeout_s: float) -> None:
        """Return once a worker may find a lane to claim: work was added or reopened, a rest or lease ended.

        Returns after `timeout_s` at the latest; so a worker on SQLite learns of what an operator's command added. What
        was added since this thread's last wait is not missed.
        """
        self._doorbell.listen()
        with self._added:
            if getattr(self._seen, "additions", 0) != self._additions:
                self._seen.additions = self._additions
                return
        due = self.query(next_due)
        pause_s = timeout_s if due is None else min(timeout_s, (due - self._clock()).total_seconds())
        with self._added:
            self._added.wait_for(lambda: self._additions != getattr(self._seen, "additions", 0), max(pause_s, 0.0))
            self._seen.additions = self._additions

    def close(self) -> None:
        """Finish what is queued, close every connection, give the lock back."""
        self._doorbell.close()
        if self._writer is not None:
            self._writer.close()
        for engine in (self._reading, self._writing):
            if engine is not None:
                engine.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _must_write(self) -> Writer:
        if self._writer is None:
            raise GatewayError("the database was opened for reading only: expected no writes")
        return self._writer

    def _work_was_added(self) -> None:
        with self._added:
            self._additions += 1
            self._added.notify_all()


def _in_transaction(
    for_each: Callable[[Transaction, Sequence[M]], Sequence[T]],
) -> Callable[[Connection, Effects, Sequence[M]], Sequence[T]]:
    return lambda connection, effects, matters: for_each(SqlTransaction(connection, effects), matters)
