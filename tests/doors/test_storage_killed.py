"""What a `kill -9` leaves behind: everything that was acknowledged, and work that another worker can take up."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.storage.audit import verify_audit
from gateway.storage.database import open_database
from gateway.testing import FixedClock
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)

REPOSITORY = Path(__file__).resolve().parents[2]
ENOUGH = 150


@pytest.fixture
def child(database_url: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that stores inputs until it is killed."""
    with start(database_url, "inputs") as process:
        yield process
        process.kill()


def start(url: str, task: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.writing_child", url, task],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_every_acknowledged_write_survives_kill_9(
    child: "subprocess.Popen[str]", database_url: str, clock: FixedClock
) -> None:
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip() for _ in range(ENOUGH)]
    child.kill()
    rest, _ = child.communicate()
    acknowledged += [line for line in rest.splitlines(keepends=False) if line]

    database = open_database(database_url, clock=clock)
    missing = [i for i in acknowledged if database.read(lambda t, i=i: t.inputs.get(i)) is None]
    without_work = [i for i in acknowledged if not database.read(lambda t, i=i: t.outbox.of_subject(i))]
    broken_link = database.query(verify_audit)
    database.close()

    assert len(acknowledged) >= ENOUGH
    assert missing == []
    assert without_work == []
    assert broken_link is None


def test_work_that_a_killed_process_had_begun_is_taken_up_and_never_by_two(
    database_url: str, clock: FixedClock
) -> None:
    database = open_database(database_url, clock=clock)
    for message_id in ("m-1", "m-2"):
        database.write(
            lambda t, message_id=message_id: t.outbox.add(
                lane="org:clinic/fhir",
                kind="deliver",
                subject="task-1",
                action="create",
                message_id=message_id,
                version=1,
                at=AT,
            )
        )
    database.close()
    process = start(database_url, "claim")
    assert process.stdout is not None
    begun = process.stdout.readline().strip()
    process.kill()
    process.communicate()

    database = open_database(database_url, clock=clock)
    lease = timedelta(seconds=30)
    early = database.write(lambda t: t.outbox.claim("heir", AT + timedelta(seconds=29), lease))
    if early is not None:
        database.write(lambda t: t.outbox.release(early))
    taken_up = database.write(lambda t: t.outbox.claim("heir", AT + timedelta(seconds=30), lease))
    database.close()

    assert begun == "m-1"
    # On SQLite the lock file proves that the owner is gone; on PostgreSQL it may live on another machine.
    assert (early is None) == database_url.startswith("postgresql")
    assert taken_up is not None
    assert [(work.message_id, work.state, work.tries) for work in taken_up.work] == [
        ("m-1", "sending", 1),
        ("m-2", "ready", 0),
    ]
