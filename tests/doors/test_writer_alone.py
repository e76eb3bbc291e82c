"""On PostgreSQL, what collided with another process is repeated while nobody else writes, so it cannot collide again.

The impatient writer here gives up after a tenth of a second where it has to wait for a lock; so no test waits to see
that somebody waits.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway.model.errors import TryLater
from gateway.storage.effects import Effects
from gateway.storage.engines import parse_url, writing_engine
from gateway.storage.writer import Writer

pytest_plugins = ("tests.support.databases",)

Work = Callable[[Connection, Effects], Any]

_DEADLOCK = text("DO $$ BEGIN RAISE EXCEPTION 'as of a deadlock' USING ERRCODE = '40P01'; END $$")


def a_writer(url: str, *, impatient: bool) -> Iterator[Writer]:
    parsed = parse_url(url)
    if impatient:
        parsed = parsed.update_query_dict({"options": "-c lock_timeout=100ms"})
    engine = writing_engine(parsed)
    running = Writer(engine, on_work_added=lambda: None)
    yield running
    running.close()
    engine.dispose()


@pytest.fixture
def writer(postgresql_store_url: str) -> Iterator[Writer]:
    """Give a writer that waits for its turn as long as it takes."""
    yield from a_writer(postgresql_store_url, impatient=False)


@pytest.fixture
def impatient(postgresql_store_url: str) -> Iterator[Writer]:
    """Give the writer of another process, which waits for no lock."""
    yield from a_writer(postgresql_store_url, impatient=True)


def colliding(calls: list[str], on_call: Callable[[], str]) -> Work:
    """Return work that the database ends as it ends one of a deadlock, the first time it is called."""

    def work(connection: Connection, _effects: Effects) -> str:
        calls.append(on_call())
        if len(calls) == 1:
            connection.execute(_DEADLOCK)
        return calls[-1]

    return work


def test_what_collided_is_repeated_while_no_other_process_writes(writer: Writer, impatient: Writer) -> None:
    calls: list[str] = []

    def let_another_write() -> str:
        try:
            impatient.run(lambda connection, _effects: connection.execute(text("SELECT 1")).scalar())
        except TryLater:
            return "alone"
        return "among others"

    assert writer.run(colliding(calls, let_another_write)) == "alone"
    assert calls == ["among others", "alone"]
    assert let_another_write() == "among others"


def test_who_repeats_waits_until_the_others_have_written(writer: Writer, impatient: Writer) -> None:
    calls: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: Connection, _effects: Effects) -> None:
        begun.set()
        go_on.wait()

    with ThreadPoolExecutor(1) as another_process:
        holding = another_process.submit(writer.run, hold)
        begun.wait()
        try:
            with pytest.raises(TryLater):
                impatient.run(colliding(calls, lambda: "called"))
        finally:
            go_on.set()
        holding.result()

    assert calls == ["called"]
    assert impatient.run(lambda _connection, _effects: "later") == "later"


def test_of_a_group_only_what_collided_is_repeated(writer: Writer) -> None:
    calls: list[str] = []
    begun, go_on = threading.Event(), threading.Event()
    neighbour: list[str] = []

    def hold(_connection: Connection, _effects: Effects) -> None:
        begun.set()
        go_on.wait()

    def beside(_connection: Connection, _effects: Effects) -> None:
        neighbour.append("called")

    holding = writer.submit(hold)
    begun.wait()
    group = [writer.submit(colliding(calls, lambda: "called")), writer.submit(beside)]
    go_on.set()

    assert [one.result() for one in (holding, *group)] == [None, "called", None]
    assert (calls, neighbour) == (["called", "called"], ["called"])
