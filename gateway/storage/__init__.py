"""Keep everything durably: one schema for SQLite and PostgreSQL."""
