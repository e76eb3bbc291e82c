"""Opening the store: which URLs, which roles, one writing process on SQLite, and waiting for work."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from gateway.model.errors import ConfigurationError, GatewayError, TryLater
from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock
from tests.support.stored import AT, an_input

pytest_plugins = ("tests.support.databases",)

LONG_S = 20.0


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """Give the URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def server(file_url: str, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give a SQLite store opened as a server opens it."""
    database = open_database(file_url, clock=clock)
    yield database
    database.close()


def enqueue(database: SqlDatabase, message_id: str = "m-1", state: str = "ready") -> int:
    """Add a delivery."""
    return database.write(
        lambda t: t.outbox.add(
            lane="org:clinic/fhir",
            kind="deliver",
            subject="task-1",
            action="create",
            message_id=message_id,
            version=1,
            at=AT,
            state=state,
        )
    )


def seconds_waited(database: SqlDatabase, timeout_s: float) -> float:
    """Wait for work and return how long that took."""
    begun = time.monotonic()
    database.wait_for_work(timeout_s)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "url",
    [
        "mysql://x", "not a url", "sqlite://", "sqlite:///:memory:", "mysql://u:ZZSECRET@h/d",
        "postgresql://u:pass@word:ZZSECRET@h/d",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_a_store_is_refused_without_repeating_it(url: str, clock: FixedClock) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_database(url, clock=clock)

    assert "expected" in str(refused.value)
    assert "ZZSECRET" not in str(refused.value)


def test_a_database_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot open the database file .*: No such file or directory"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'gateway.db'}", clock=clock)


def test_a_postgres_that_does_not_answer_is_a_clear_refusal(tmp_path: Path, clock: FixedClock) -> None:
    with pytest.raises(TryLater, match="the database is not available"):
        open_database(f"postgresql://gateway@/none?host={tmp_path}", clock=clock)


def test_only_the_owner_can_read_the_database_file(server: SqlDatabase, tmp_path: Path) -> None:
    server.write(lambda t: t.inputs.add(an_input()))

    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        "gateway.db": "0o600",
        "gateway.db-shm": "0o600",
        "gateway.db-wal": "0o600",
        "gateway.db.lock": "0o600",
    }


def test_a_commit_on_sqlite_is_on_disk_before_it_returns(server: SqlDatabase) -> None:
    def settings(connection: object) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]

    assert server.change(settings) == ["wal", 2, 1, 10_000]


def test_the_writer_keeps_what_it_writes_in_memory_of_its_own(server: SqlDatabase) -> None:
    def cache_kib(connection: Connection) -> int:
        return -int(connection.execute(text("PRAGMA cache_size")).scalar_one())

    assert server.change(cache_kib) == 65_536
    assert server.query(cache_kib) == 2_000


def test_a_second_server_on_the_same_file_is_refused_by_name(
    server: SqlDatabase, file_url: str, clock: FixedClock
) -> None:
    with pytest.raises(ConfigurationError, match=r"already being written by process \d+: stop that one first"):
        open_database(file_url, clock=clock)


def test_another_process_is_refused_too(server: SqlDatabase, file_url: str) -> None:
    program = (
        "import sys; from datetime import UTC, datetime; from gateway.storage.database import open_database\n"
        "open_database(sys.argv[1], clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))"
    )

    done = subprocess.run([sys.executable, "-c", program, file_url], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "already being written by process" in done.stderr


def test_the_lock_is_free_again_after_closing(file_url: str, clock: FixedClock) -> None:
    open_database(file_url, clock=clock).close()

    open_database(file_url, clock=clock).close()


def test_an_operator_writes_beside_a_running_server(server: SqlDatabase, file_url: str, clock: FixedClock) -> None:
    operator = open_database(file_url, clock=clock, role="operator")
    operator.write(lambda t: t.inputs.add(an_input("from-operator")))
    operator.close()
    server.write(lambda t: t.inputs.add(an_input("from-server")))

    assert server.read(lambda t: t.inputs.get("from-operator")) is not None


def test_a_reader_reads_beside_a_running_server_and_cannot_write(
    server: SqlDatabase, file_url: str, clock: FixedClock
) -> None:
    server.write(lambda t: t.inputs.add(an_input()))
    reader = open_database(file_url, clock=clock, role="reader")

    assert reader.read(lambda t: t.inputs.get("input-1")) is not None
    with pytest.raises(GatewayError, match="opened for reading only"):
        reader.write(lambda t: t.inputs.add(an_input("input-2")))
    reader.close()


def test_a_read_cannot_write(sql_database: SqlDatabase) -> None:
    with pytest.raises(GatewayError):
        sql_database.read(lambda t: t.inputs.add(an_input()))


@pytest.mark.parametrize("role", ["operator", "reader"])
def test_commands_do_not_create_a_database(role: str, file_url: str, clock: FixedClock) -> None:
    with pytest.raises(GatewayError, match="there is no database at"):
        open_database(file_url, clock=clock, role=role)


def test_a_read_sees_one_snapshot(sql_database: SqlDatabase) -> None:
    sql_database.write(lambda t: t.inputs.add(an_input("before")))

    def read_twice(transaction: object) -> list[bool]:
        first = transaction.inputs.get("before") is not None
        sql_database.write(lambda t: t.inputs.add(an_input("meanwhile")))
        return [first, transaction.inputs.get("meanwhile") is not None]

    assert sql_database.read(read_twice) == [True, False]
    assert sql_database.read(lambda t: t.inputs.get("meanwhile")) is not None


def test_waiting_ends_when_work_is_committed(sql_database: SqlDatabase) -> None:
    waited: list[float] = []
    waiter = threading.Thread(target=lambda: waited.append(seconds_waited(sql_database, LONG_S)))
    waiter.start()

    enqueue(sql_database)
    waiter.join()

    assert waited[0] < LONG_S / 2


def test_work_added_before_waiting_is_not_missed(sql_database: SqlDatabase) -> None:
    enqueue(sql_database)

    assert seconds_waited(sql_database, LONG_S) < LONG_S / 2


def test_reopened_work_ends_the_waiting(sql_database: SqlDatabase) -> None:
    held = enqueue(sql_database, state="held")
    sql_database.write(lambda t: t.outbox.set_state(held, "ready", None, AT))

    assert seconds_waited(sql_database, LONG_S) < LONG_S / 2


def test_waiting_lasts_its_time_when_all_work_rests(server: SqlDatabase) -> None:
    enqueue(server, state="held")

    assert seconds_waited(server, 0.2) >= 0.2


def test_waiting_lasts_as_long_as_a_lane_rests(server: SqlDatabase) -> None:
    enqueue(server)
    server.wait_for_work(0)
    server.write(lambda t: t.outbox.back_off("org:clinic/fhir", AT + timedelta(seconds=0.3)))

    assert seconds_waited(server, LONG_S) >= 0.3


def test_waiting_ends_when_a_lane_is_due_again(sql_database: SqlDatabase) -> None:
    enqueue(sql_database)
    sql_database.wait_for_work(0)
    sql_database.write(lambda t: t.outbox.back_off("org:clinic/fhir", AT + timedelta(seconds=0.3)))

    assert seconds_waited(sql_database, LONG_S) < LONG_S / 2


def test_waiting_ends_when_another_workers_lease_ends(sql_database: SqlDatabase) -> None:
    enqueue(sql_database)
    sql_database.wait_for_work(0)
    sql_database.write(lambda t: t.outbox.claim("dead", AT, timedelta(seconds=0.3)))

    assert seconds_waited(sql_database, LONG_S) < LONG_S / 2
