"""What a failure of the database is told as."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
    TimeoutError,
)

from gateway.model.errors import TryLater, WillNeverWork
from gateway.storage.failures import explain, worth_repeating


class PostgresError(Exception):
    """Stands for a driver's exception with PostgreSQL's code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("DETAIL: Key (family)=(Zzsecret) already exists")
        self.sqlstate = sqlstate


def sqlite_error(statement: str) -> sqlite3.Error:
    """Return what SQLite raises for a statement."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(statement)
        except sqlite3.Error as error:
            return error
    raise AssertionError(f"expected SQLite to refuse {statement}")


def test_a_contradiction_will_never_work_and_is_told_without_the_row() -> None:
    error = explain(IntegrityError("INSERT", {"family": "Zzsecret"}, PostgresError("23505")))

    assert isinstance(error, WillNeverWork)
    assert str(error) == ("the database refused a change that contradicts what is stored (PostgresError, 23505)")


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error")),
        TimeoutError("QueuePool limit reached"),
        PendingRollbackError("connection lost"),
    ],
)
def test_a_database_that_does_not_answer_may_answer_later(failure: SQLAlchemyError) -> None:
    error = explain(failure)

    assert isinstance(error, TryLater)
    assert "nothing of the change was kept" in str(error)


def test_a_statement_that_cannot_be_carried_out_will_never_work() -> None:
    error = explain(DataError("INSERT", {"name": "Zzsecret"}, PostgresError("22021")))

    assert isinstance(error, WillNeverWork)
    assert "Zzsecret" not in str(error)


@pytest.mark.parametrize("original", [PostgresError("54000"), sqlite_error("SELECT * FROM nowhere")])
def test_what_fails_each_time_will_never_work_though_its_driver_calls_it_operational(original: Exception) -> None:
    assert isinstance(explain(OperationalError("INSERT", None, original)), WillNeverWork)


def test_a_server_that_ends_the_connection_may_answer_later() -> None:
    assert isinstance(explain(OperationalError("INSERT", None, PostgresError("57P01"))), TryLater)


@pytest.mark.parametrize(("code", "expected"), [("40001", True), ("40P01", True), ("23505", True), ("23503", False)])
def test_only_collisions_with_other_processes_are_worth_repeating(code: str, expected: bool) -> None:
    assert worth_repeating(IntegrityError("INSERT", None, PostgresError(code))) is expected


def test_what_work_itself_raises_is_not_repeated() -> None:
    assert worth_repeating(ValueError("expected a patient")) is False
