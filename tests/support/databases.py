"""Every implementation of `ports.Database`, so that one table of tests runs on all of them.

A test module says `pytest_plugins = ("tests.support.databases",)` and takes `database` (all three) or `sql_database`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock, InMemoryDatabase
from tests.support.stored import AT

pytest_plugins = ("tests.support.postgres",)


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at `AT`."""
    return FixedClock(AT)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a new database on each engine."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def sql_database(database_url: str, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give an open, empty store on each engine."""
    database = open_database(database_url, clock=clock)
    yield database
    database.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock
) -> Iterator[InMemoryDatabase | SqlDatabase]:
    """Give every implementation of `ports.Database`, empty."""
    if request.param == "memory":
        yield InMemoryDatabase(clock)
        return
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    opened = open_database(url, clock=clock)
    yield opened
    opened.close()
