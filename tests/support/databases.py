"""Every implementation of `ports.Database`, so that one table of tests runs on all of them.

A test module says `pytest_plugins = ("tests.support.databases",)` and takes `database` (all three), or `sql_database`
or `database_url` (both engines). The schema is made once a session and copied, as a migration takes its time.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.engines import parse_url, writing_engine
from gateway.storage.schema import create_schema
from gateway.storage.tables import metadata
from gateway.testing import FixedClock, InMemoryDatabase
from tests.support.stored import AT

pytest_plugins = ("tests.support.postgres",)


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at `AT`."""
    return FixedClock(AT)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with the schema."""
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_store(new_postgres: Callable[[], str]) -> str:
    """Give the URL of a PostgreSQL database with the schema, shared by the session's tests."""
    url = new_postgres()
    _migrate(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a store without any rows on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_store_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without any tables on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def sqlite_store_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of a SQLite store without any rows."""
    path = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_store_url(postgres_store: str) -> str:
    """Give the URL of a PostgreSQL store without any rows: those of the test before are thrown away."""
    engine = writing_engine(parse_url(postgres_store))
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    engine.dispose()
    return postgres_store


@pytest.fixture
def sql_database(database_url: str, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give an open, empty store on each engine."""
    database = open_database(database_url, clock=clock)
    yield database
    database.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, clock: FixedClock) -> Iterator[InMemoryDatabase | SqlDatabase]:
    """Give every implementation of `ports.Database`, empty."""
    if request.param == "memory":
        yield InMemoryDatabase(clock)
        return
    opened = open_database(request.getfixturevalue(f"{request.param}_store_url"), clock=clock)
    yield opened
    opened.close()


def _migrate(url: str) -> None:
    engine = writing_engine(parse_url(url))
    create_schema(engine)
    engine.dispose()
