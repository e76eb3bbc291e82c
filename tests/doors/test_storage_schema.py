"""The schema: migrations lead exactly to what `tables` says, and nobody works on a schema they do not know."""

import re
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Select, select, text
from sqlalchemy.dialects import sqlite

import gateway.storage
from gateway.model.errors import ConfigurationError
from gateway.storage.database import open_database
from gateway.storage.decisions import LAST_SENT
from gateway.storage.engines import parse_url, writing_engine
from gateway.storage.inputs import BY_KEY, SAME_CONTENT
from gateway.storage.messages import SEEN
from gateway.storage.outbox import CLAIMABLE, OF_SUBJECT, SENT_AS, WAITING, in_states
from gateway.storage.schema import CURRENT, create_schema, schema_version
from gateway.storage.tables import metadata, outbox
from gateway.testing import FixedClock

pytest_plugins = ("tests.support.databases",)

_IN_FULL = {"render_postcompile": True}


# SQLite tells of no expression of an index; on PostgreSQL this one is compared too.
@pytest.mark.filterwarnings("ignore:.*expression-based index .?outbox_by_control_id")
def test_the_migrations_lead_to_the_tables_as_they_are_written(empty_database_url: str, clock: FixedClock) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    database = open_database(empty_database_url, clock=clock)
    found = database.query(differences)
    database.close()

    assert found == []


def test_the_current_revision_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(gateway.storage.__path__[0]) / "migrations"))

    assert ScriptDirectory.from_config(config).get_heads() == [CURRENT]


def test_a_current_database_is_left_alone(empty_database_url: str) -> None:
    engine = writing_engine(parse_url(empty_database_url))
    create_schema(engine)

    create_schema(engine)

    with engine.begin() as connection:
        assert schema_version(connection) == CURRENT
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(empty_database_url: str, clock: FixedClock) -> None:
    open_database(empty_database_url, clock=clock).close()
    engine = writing_engine(parse_url(empty_database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    for role in ("server", "operator", "reader"):
        with pytest.raises(ConfigurationError, match=f"schema 9999, newer than this version's {CURRENT}"):
            open_database(empty_database_url, clock=clock, role=role)


def test_commands_do_not_work_on_a_database_without_the_schema(empty_database_url: str, clock: FixedClock) -> None:
    engine = writing_engine(parse_url(empty_database_url))
    engine.connect().close()
    engine.dispose()

    with pytest.raises(ConfigurationError, match=f"schema none, expected {CURRENT}: run `gateway db upgrade`"):
        open_database(empty_database_url, clock=clock, role="operator")


@pytest.mark.parametrize(
    ("statement", "search"),
    [
        (WAITING, "outbox USING INDEX outbox_unfinished (lane=?)"),
        (CLAIMABLE, "outbox USING INDEX outbox_unfinished (lane=?)"),
        (select(outbox).where(in_states("held", "dead")), "outbox USING INDEX outbox_standing (state=?)"),
        (SEEN, "input USING INDEX input_by_control_id (application=? AND facility=? AND control_id=?)"),
        (OF_SUBJECT, "outbox USING INDEX outbox_by_subject (subject=?)"),
        (SENT_AS, "outbox USING INDEX outbox_by_control_id (<expr>=?)"),
        (SAME_CONTENT, "input USING INDEX input_by_content (source=? AND sha256=?)"),
        (LAST_SENT, "decision USING INDEX decision_by_sending (referral_id=?)"),
        (BY_KEY, "input_key USING INDEX sqlite_autoindex_input_key_1 (client=? AND source=? AND key=?)"),
    ],
)
def test_what_is_looked_for_is_found_by_its_index(
    statement: Select[Any], search: str, sqlite_store_url: str, clock: FixedClock
) -> None:
    database = open_database(sqlite_store_url, clock=clock)
    sql = re.sub(
        r":\w+", "1", str(statement.compile(dialect=sqlite.dialect(paramstyle="named"), compile_kwargs=_IN_FULL))
    )

    plan = database.query(lambda c: [row.detail for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")])
    database.close()

    assert f"SEARCH {search}" in plan
    assert not [step for step in plan if step.startswith("SCAN") and "lane" not in step]


def test_a_schema_that_a_newer_version_has_changed_meanwhile_is_not_current(
    empty_database_url: str, clock: FixedClock
) -> None:
    database = open_database(empty_database_url, clock=clock)
    before = database.has_current_schema()
    newer = writing_engine(parse_url(empty_database_url))
    with newer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer.dispose()

    after = database.has_current_schema()
    database.close()

    assert (before, after) == (True, False)
