"""The version of the schema: brought up to date by a server's start, checked by everyone else.

To change the schema: change `tables`, write the step as `migrations/versions/NNNN_what_it_does.py` after the ones that
are there (never change those), and raise `CURRENT`. A test holds the migrations against the tables on both engines.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from gateway.model.errors import ConfigurationError

CURRENT = "0001"
"""The newest revision under `migrations/versions`."""

_MIGRATIONS = Path(__file__).with_name("migrations")

# Two processes that start at once must not upgrade at once; any number that is ours will do.
_LOCK_SCHEMA = text("SELECT pg_advisory_xact_lock(7746280)")


def create_schema(engine: Engine) -> None:
    """Bring an empty or older database to the current schema, all or nothing; leave a current one alone.

    Raises `ConfigurationError` for a database that a newer version of the product has written.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_LOCK_SCHEMA)
        found = schema_version(connection)
        if found == CURRENT:
            return
        refuse_newer(found)
        upgrade(connection)


def require_schema(engine: Engine) -> None:
    """Raise `ConfigurationError` unless the database has the current schema."""
    with engine.begin() as connection:
        found = schema_version(connection)
    refuse_newer(found)
    if found != CURRENT:
        raise ConfigurationError(
            f"the database has schema {found or 'none'}, expected {CURRENT}: run `gateway db upgrade`"
        )


def schema_version(connection: Connection) -> str | None:
    """Return the revision a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(connection: Connection) -> None:
    """Run the migrations inside the caller's transaction."""
    # Imported here: only a start that finds an older database pays for it.
    from alembic.command import upgrade as run
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    run(config, "head")


def refuse_newer(found: str | None) -> None:
    """Raise `ConfigurationError` for a schema that only a newer version of the product knows."""
    if found is not None and found > CURRENT:
        raise ConfigurationError(
            f"the database has schema {found}, newer than this version's {CURRENT}: install the newer version, "
            "or restore the backup made before the upgrade"
        )
