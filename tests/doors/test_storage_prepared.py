"""Statements handed to the driver itself: the same rows, the same failures, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from gateway.storage.engines import parse_url, writing_engine
from gateway.storage.prepared import Prepared, command
from gateway.storage.schema import create_schema
from gateway.storage.tables import lanes
from gateway.storage.upsert import prepared_upsert

pytest_plugins = ("tests.support.databases",)

INSERT = Prepared(lanes.insert())
BUSY = Prepared(select(lanes).where(lanes.c.failures > 0, lanes.c.name != bindparam("but")).order_by(lanes.c.name))
REST = Prepared(update(lanes).where(lanes.c.name == bindparam("key")).values(due=bindparam("until"), failures=7))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = writing_engine(parse_url(database_url))
    create_schema(engine)
    with engine.begin() as made:
        yield made
    engine.dispose()


def a_lane(name: str, failures: int = 0) -> dict[str, Any]:
    return {"name": name, "due": 0, "owner": None, "lease_until": 0, "paused": 0, "failures": failures}


def test_rows_are_named_and_constants_of_the_statement_count(connection: Connection) -> None:
    INSERT.run_many(connection, [a_lane("a", 1), a_lane("b"), a_lane("c", 2), a_lane("d", 3)])

    found = BUSY.all(connection, {"but": "d"})
    first = BUSY.first(connection, {"but": "a"})

    assert [(row.name, row.failures, row.owner) for row in found] == [("a", 1, None), ("c", 2, None)]
    assert first is not None
    assert first.name == "c"


def test_no_row_is_none(connection: Connection) -> None:
    assert BUSY.first(connection, {"but": ""}) is None
    assert BUSY.all(connection, {"but": ""}) == []


def test_an_update_says_how_many_rows_it_met(connection: Connection) -> None:
    INSERT.run(connection, a_lane("a"))

    counts = [REST.run(connection, {"key": name, "until": 5}) for name in ("a", "nobody")]
    row = BUSY.first(connection, {"but": ""})

    assert counts == [1, 0]
    assert row is not None
    assert (row.due, row.failures) == (5, 7)


def test_an_upsert_overwrites_what_it_names(connection: Connection) -> None:
    INSERT.run(connection, a_lane("a", 1))

    prepared_upsert(connection.dialect.name, lanes, ("due",)).run(connection, {**a_lane("a", 9), "due": 4})
    row = BUSY.first(connection, {"but": ""})

    assert row is not None
    assert (row.due, row.failures) == (4, 1)


def test_a_failure_is_told_in_sqlalchemys_words_and_leaves_the_savepoint_to_go_back_to(connection: Connection) -> None:
    INSERT.run(connection, a_lane("a", 1))
    command(connection, "SAVEPOINT work")

    with pytest.raises(IntegrityError) as told:
        INSERT.run(connection, a_lane("a"))
    command(connection, "ROLLBACK TO SAVEPOINT work")

    assert "lane" in str(told.value.orig)
    assert [row.name for row in BUSY.all(connection, {"but": ""})] == ["a"]
