"""Several machines on one PostgreSQL lease work by their own clocks, so each must be near that of the database."""

from datetime import timedelta

import pytest

from gateway.model.errors import ConfigurationError
from gateway.storage.database import SqlDatabase, open_database
from gateway.wiring import clock
from gateway.wiring.installation import require_right_clock

pytest_plugins = ("tests.support.databases",)


def opened(url: str, off: timedelta) -> SqlDatabase:
    """Open a database on a machine whose clock is so far off."""
    return open_database(url, clock=lambda: clock() + off)


@pytest.mark.parametrize(("minutes", "told"), [(4, "[+]2[34]"), (-4, "-2[34]")])
def test_a_clock_that_is_minutes_off_is_refused_with_how_far(
    postgresql_store_url: str, minutes: int, told: str
) -> None:
    database = opened(postgresql_store_url, timedelta(minutes=minutes))

    with pytest.raises(ConfigurationError, match=told):
        require_right_clock(database)
    database.close()


def test_the_clock_of_the_databases_own_machine_is_right(postgresql_store_url: str) -> None:
    database = opened(postgresql_store_url, timedelta(0))

    require_right_clock(database)
    database.close()


def test_on_sqlite_there_is_no_other_clock(sqlite_store_url: str) -> None:
    database = opened(sqlite_store_url, timedelta(days=1))

    assert database.clock_ahead() == timedelta(0)
    database.close()
