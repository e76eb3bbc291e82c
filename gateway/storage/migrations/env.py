"""Alembic's entry: runs the migrations on the connection, and in the transaction, of whoever upgrades."""

from alembic import context

from gateway.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column only by copying the table
)
context.run_migrations()
