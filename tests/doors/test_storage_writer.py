"""Who writes: groups that share a commit, failures inside them, and failures of the database itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text

from gateway.model.audit import AuditEntry
from gateway.model.errors import GatewayError, TryLater
from gateway.storage.effects import Effects
from gateway.storage.engines import parse_url, writing_engine
from gateway.storage.inputs import SqlInputs
from gateway.storage.schema import create_schema
from gateway.storage.tables import audit, inputs
from gateway.storage.transaction import SqlTransaction
from gateway.storage.writer import Alike, Writer
from tests.support.stored import AT, an_input

pytest_plugins = ("tests.support.databases",)

Work = Callable[[Connection, Effects], Any] | Alike[Any, Any]


class Unlucky(Exception):
    """Raised by work on purpose."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine on an empty store."""
    made = writing_engine(parse_url(database_url))
    create_schema(made)
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """Give a running writer."""
    running = Writer(engine, on_work_added=lambda: None)
    yield running
    running.close()


def add(input_id: str, **changes: Any) -> Callable[[Connection, Effects], str]:
    """Return work that stores an input, tells the audit, and returns the id."""

    def work(connection: Connection, effects: Effects) -> str:
        transaction = SqlTransaction(connection, effects)
        transaction.inputs.add(an_input(input_id, **changes))
        transaction.audit.append(AuditEntry(AT, "input.accepted", "demo-agency", {"input": input_id}))
        return input_id

    return work


def add_and_fail(connection: Connection, effects: Effects) -> None:
    """Store an input, tell the audit, and raise."""
    add("spoiled")(connection, effects)
    raise Unlucky


def in_one_group(writer: Writer, works: list[Work]) -> "list[Future[Any]]":
    """Queue all works while the writer is held by another, so that they share the next commit."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: Connection, _effects: Effects) -> None:
        begun.set()
        go_on.wait()

    holding = writer.submit(hold)
    begun.wait()
    futures = [writer.submit(work) for work in works]
    go_on.set()
    holding.result()
    return futures


def kept(engine: Engine) -> set[str]:
    """Return the ids of all stored inputs."""
    with engine.begin() as connection:
        return set(connection.execute(select(inputs.c.id)).scalars())


def test_work_that_raises_does_not_touch_its_neighbours(engine: Engine, writer: Writer) -> None:
    before, failed, after = in_one_group(writer, [add("one"), add_and_fail, add("two")])

    assert before.result() == "one"
    assert isinstance(failed.exception(), Unlucky)
    assert after.result() == "two"
    assert kept(engine) == {"one", "two"}


def adding_together(calls: list[list[str]]) -> Callable[[str], Work]:
    """Return what asks for an input to be stored, together with all that are asked for; each call of it is noted.

    The one named "spoiled" is stored too, and then all of the call fails.
    """

    def add_each(connection: Connection, effects: Effects, input_ids: Sequence[str]) -> list[str]:
        calls.append([*input_ids])
        for input_id in input_ids:
            add(input_id)(connection, effects)
        if "spoiled" in input_ids:
            raise Unlucky
        return [f"{input_id} stored" for input_id in input_ids]

    return lambda input_id: Alike(add_each, input_id, key="add each")


def test_what_is_alike_is_one_call_and_everybody_gets_his_own_value(engine: Engine, writer: Writer) -> None:
    calls: list[list[str]] = []
    alike = adding_together(calls)

    futures = in_one_group(writer, [alike("one"), add("between"), alike("two"), alike("three")])

    assert [future.result() for future in futures] == ["one stored", "between", "two stored", "three stored"]
    assert calls == [["one", "two", "three"]]
    assert kept(engine) == {"one", "two", "three", "between"}


@pytest.mark.parametrize("others", [[], ["between"]])
def test_of_those_who_are_alike_only_the_one_who_fails_fails(engine: Engine, writer: Writer, others: list[str]) -> None:
    calls: list[list[str]] = []
    alike = adding_together(calls)

    futures = in_one_group(writer, [alike("one"), alike("spoiled"), alike("two"), *map(add, others)])

    assert [futures[0].result(), futures[2].result()] == ["one stored", "two stored"]
    assert isinstance(futures[1].exception(), Unlucky)
    assert calls == [["one", "spoiled", "two"], ["one"], ["spoiled"], ["two"]]
    assert kept(engine) == {"one", "two", *others}
    with engine.begin() as connection:
        assert list(connection.execute(select(audit.c.seq).order_by(audit.c.seq)).scalars()) == [
            *range(1, 3 + len(others))
        ]


def test_a_change_the_database_refuses_does_not_touch_its_neighbours(engine: Engine, writer: Writer) -> None:
    first, again, other = in_one_group(writer, [add("one"), add("one"), add("two")])

    assert first.result() == "one"
    assert isinstance(again.exception(), GatewayError)
    assert other.result() == "two"
    assert kept(engine) == {"one", "two"}


def test_failed_work_leaves_no_audit_row_and_no_gap(engine: Engine, writer: Writer) -> None:
    for future in in_one_group(writer, [add("one"), add_and_fail, add("two")]):
        future.exception()

    with engine.begin() as connection:
        rows = connection.execute(select(audit.c.seq, audit.c.data).order_by(audit.c.seq)).all()
    assert [tuple(row) for row in rows] == [(1, b'{"input":"one"}'), (2, b'{"input":"two"}')]


def test_a_refusal_of_the_database_never_quotes_the_row(writer: Writer) -> None:
    def remember(connection: Connection, effects: Effects) -> None:
        inputs = SqlTransaction(connection, effects).inputs
        inputs.remember_key("demo-agency", "seattle-rms-crisis", "ZZSECRET", "one")

    in_one_group(writer, [add("one"), remember])

    (refused,) = in_one_group(writer, [remember])

    error = refused.exception()
    assert error is not None
    assert "ZZSECRET" not in repr(error)
    assert "contradicts what is stored" in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_result_is_given_only_after_the_commit(engine: Engine, writer: Writer) -> None:
    seen_by_others: list[set[str]] = []

    def look(_: "Future[Any]") -> None:
        seen_by_others.append(kept(engine))

    future = writer.submit(add("one"))
    future.add_done_callback(look)
    future.result()
    writer.close()

    assert seen_by_others == [{"one"}]


def test_more_work_than_one_group_holds_is_all_written(engine: Engine, writer: Writer) -> None:
    futures = in_one_group(writer, [add(f"input-{n}") for n in range(600)])

    assert [future.result() for future in futures] == [f"input-{n}" for n in range(600)]
    assert len(kept(engine)) == 600


def test_closing_finishes_what_is_queued(engine: Engine, writer: Writer) -> None:
    futures = in_one_group(writer, [add(f"input-{n}") for n in range(300)])

    writer.close()

    assert all(future.done() for future in futures)
    assert len(kept(engine)) == 300


def test_a_closed_writer_takes_no_more_work(writer: Writer) -> None:
    writer.close()

    with pytest.raises(GatewayError, match="the database is closed"):
        writer.submit(add("late"))


def test_a_full_disk_fails_the_work_with_try_later_and_is_survived(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = writing_engine(parse_url(f"sqlite:///{tmp_path_factory.mktemp('small') / 'gateway.db'}"))
    create_schema(engine)
    writer = Writer(engine, on_work_added=lambda: None)
    writer.submit(lambda c, _: c.exec_driver_sql("PRAGMA max_page_count=60").scalar()).result()

    futures = in_one_group(writer, [add("small"), add("huge", payload=bytes(2_000_000)), add("other")])
    outcomes = [future.exception() for future in futures]
    writer.submit(lambda c, _: c.exec_driver_sql("PRAGMA max_page_count=100000").scalar()).result()
    later = writer.submit(add("later")).result()
    stored = kept(engine)
    writer.close()
    engine.dispose()

    assert isinstance(outcomes[1], TryLater)
    assert later == "later"
    assert stored == {"later"} | {i for i, o in zip(("small", "huge", "other"), outcomes, strict=True) if o is None}


def test_a_lost_connection_fails_the_whole_group_with_try_later_and_is_survived(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = writing_engine(parse_url(postgres_url))
    create_schema(engine)
    writer = Writer(engine, on_work_added=lambda: None)

    def cut_the_line(connection: Connection, _: Effects) -> None:
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})

    futures = in_one_group(writer, [add("before"), cut_the_line, add("after")])
    outcomes = [type(future.exception()) for future in futures]
    later = writer.submit(add("later")).result()
    stored = kept(engine)
    writer.close()
    engine.dispose()

    assert outcomes == [TryLater, TryLater, TryLater]
    assert (later, stored) == ("later", {"later"})
    assert "database.commit_failed" in capsys.readouterr().out


def test_work_that_fails_in_the_writers_own_hands_does_not_end_the_thread(writer: Writer) -> None:
    def unchainable(_: Connection, effects: Effects) -> None:
        effects.audit.append(AuditEntry(AT, "kind\x00", "demo-agency", {"not json": object()}))

    broken = writer.submit(unchainable)

    assert isinstance(broken.exception(), TryLater)
    assert writer.submit(lambda connection, _: SqlInputs(connection).get("none")).result() is None


def whoever_writes(_connection: Connection, _effects: Effects) -> int:
    """Tell which thread runs this work."""
    return threading.get_ident()


def test_work_that_meets_nobody_is_written_by_its_own_caller(engine: Engine, writer: Writer) -> None:
    writer.run(add("one"))

    assert writer.run(whoever_writes) == threading.get_ident()
    assert kept(engine) == {"one"}


def test_work_that_comes_after_a_group_looks_for_company_and_does_not_overtake_it(writer: Writer) -> None:
    for future in in_one_group(writer, [add("one"), add("two"), add("three")]):
        future.result()

    assert writer.run(whoever_writes) != threading.get_ident()


def test_work_that_finds_others_writing_waits_for_its_turn(engine: Engine, writer: Writer) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection, effects: Effects) -> str:
        begun.set()
        go_on.wait()
        return str(add("held")(connection, effects))

    with ThreadPoolExecutor(2) as callers:
        holding = callers.submit(writer.run, hold)
        begun.wait()
        queued = writer.submit(add("queued"))
        behind = callers.submit(writer.run, add("behind"))
        go_on.set()

        assert [one.result() for one in (holding, queued, behind)] == ["held", "queued", "behind"]
    assert kept(engine) == {"held", "queued", "behind"}


def test_what_its_caller_writes_and_fails_leaves_nothing_and_the_next_is_written(
    engine: Engine, writer: Writer
) -> None:
    with pytest.raises(Unlucky):
        writer.run(add_and_fail)

    assert writer.run(add("after")) == "after"
    assert kept(engine) == {"after"}


def test_work_cannot_wait_for_other_work_whoever_writes_it(writer: Writer) -> None:
    def wait_for_another(_connection: Connection, _effects: Effects) -> None:
        writer.run(add("never"))

    with pytest.raises(RuntimeError, match="use the transaction it was given"):
        writer.run(wait_for_another)
    with pytest.raises(RuntimeError, match="use the transaction it was given"):
        writer.submit(wait_for_another).result()


def test_closing_waits_for_work_in_the_hands_of_its_caller(engine: Engine) -> None:
    writer = Writer(engine, on_work_added=lambda: None)
    begun, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection, effects: Effects) -> str:
        begun.set()
        go_on.wait()
        return str(add("held")(connection, effects))

    with ThreadPoolExecutor(2) as others:
        holding = others.submit(writer.run, hold)
        begun.wait()
        closing = others.submit(writer.close)
        assert not closing.done()
        go_on.set()
        closing.result()

        assert holding.result() == "held"
    with pytest.raises(GatewayError, match="the database is closed"):
        writer.run(add("late"))
    assert kept(engine) == {"held"}
