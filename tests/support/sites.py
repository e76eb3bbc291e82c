"""The HTTP application over an empty store: a test module says `pytest_plugins = ("tests.support.sites",)`."""

from collections.abc import Iterator

import pytest

from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock
from tests.support.web_house import Site, a_site

pytest_plugins = ("tests.support.databases",)


@pytest.fixture
def web_store(sqlite_store_url: str, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give an open, empty store."""
    database = open_database(sqlite_store_url, clock=clock)
    yield database
    database.close()


@pytest.fixture
def site(web_store: SqlDatabase, clock: FixedClock) -> Site:
    """Give the application on an empty store."""
    return a_site(web_store, clock)
