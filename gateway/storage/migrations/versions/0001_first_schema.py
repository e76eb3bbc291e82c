"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KNOWN = sa.text("control_id IS NOT NULL")
_UNFINISHED = sa.text("state IN ('ready', 'sending')")
_STANDING = sa.text("state IN ('awaiting', 'refused', 'held', 'dead')")
_OPEN = sa.text("closed_at IS NULL")
_IN_FORCE = sa.text("ended_at IS NULL")
_POSTED = sa.text("channel <> 'mllp'")
_NOT_READING = sa.text("kind <> 'answer'")
_SENT = sa.text("work_id IS NOT NULL")


def upgrade() -> None:
    """Create every table of the first schema."""
    _create_intake()
    _create_exchange()
    _create_delivery()
    _create_releases()
    _create_accounts()


def _create_intake() -> None:
    """What came in."""
    op.create_table(
        "input",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("message_type", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("application", sa.Text(), nullable=True),
        sa.Column("facility", sa.Text(), nullable=True),
        sa.Column("control_id", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("input_by_content", "input", ["source", "sha256"], sqlite_where=_POSTED, postgresql_where=_POSTED)
    op.create_index(
        "input_by_control_id", "input", ["application", "facility", "control_id"], unique=True, sqlite_where=_KNOWN,
        postgresql_where=_KNOWN,
    )  # fmt: skip
    op.create_index("input_by_time", "input", ["received_at"])
    op.create_index("input_by_message", "input", ["message_type", "received_at"])
    op.create_table(
        "input_key",
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("input_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["input_id"], ["input.id"]),
        sa.PrimaryKeyConstraint("client", "source", "key"),
    )
    op.create_table(
        "input_record",
        sa.Column("input_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("handoff_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["input_id"], ["input.id"]),
        sa.PrimaryKeyConstraint("input_id", "n"),
    )
    op.create_index("input_record_by_handoff", "input_record", ["handoff_id"])
    op.create_table(
        "feed_count",
        sa.Column("organization", sa.String(length=100), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization", "feed", "day"),
    )


def _create_exchange() -> None:
    """What is kept for exchange."""
    op.create_table(
        "handoff",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("input_id", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.String(length=100), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["input_id"], ["input.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("handoff_by_person", "handoff", ["person_id"])
    op.create_index("handoff_by_time", "handoff", ["updated_at"])
    op.create_table(
        "handoff_resource",
        sa.Column("handoff_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"]),
        sa.PrimaryKeyConstraint("handoff_id", "position"),
    )
    op.create_index("handoff_resource_by_resource", "handoff_resource", ["type", "id"])
    op.create_table(
        "resource",
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.String(length=64), nullable=True),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", "type"),
    )
    op.create_index("resource_by_person", "resource", ["person_id", "type"])
    op.create_table(
        "resource_version",
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("type", "id", "version"),
    )
    op.create_table(
        "resource_identifier",
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=255), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("type", "system", "value", "id"),
    )
    op.create_index("resource_identifier_by_id", "resource_identifier", ["type", "id"])
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.String(length=10), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("match_name", sa.Text(), nullable=False),
        sa.Column("match_phone", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_by_birth_date", "person", ["birth_date"])
    op.create_index("person_by_name", "person", ["match_name"])
    op.create_index("person_by_phone", "person", ["match_phone"])
    op.create_table(
        "person_key",
        sa.Column("system", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("system", "value", "person_id"),
    )
    op.create_index("person_key_by_person", "person_key", ["person_id"])
    op.create_index("person_key_by_value", "person_key", ["value"])
    op.create_table(
        "referral",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("handoff_id", sa.String(length=64), nullable=False),
        sa.Column("service_request_id", sa.String(length=64), nullable=False),
        sa.Column("identifier", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("business_status", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("without_agreement", sa.Text(), nullable=True),
        sa.Column("via", sa.String(100), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("identifier", "recipient"),
    )
    op.create_index("referral_by_handoff", "referral", ["handoff_id"])
    op.create_index("referral_by_person", "referral", ["person_id"])
    op.create_index("referral_by_recipient", "referral", ["recipient", "updated_at"])


def _create_delivery() -> None:
    """Work, decisions, disclosures, and the trail of it all."""
    op.create_table(
        "lane",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("lane", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lane"], ["lane.name"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_by_subject", "outbox", ["subject"], sqlite_where=_NOT_READING, postgresql_where=_NOT_READING
    )
    op.create_index(
        "outbox_by_message", "outbox", ["message_id"], unique=True, sqlite_where=_NOT_READING,
        postgresql_where=_NOT_READING,
    )  # fmt: skip
    op.create_index(
        "outbox_by_control_id", "outbox", [sa.text("substr(message_id, 1, 20)")], sqlite_where=_NOT_READING,
        postgresql_where=_NOT_READING,
    )  # fmt: skip
    op.create_index(
        "outbox_unfinished", "outbox", ["lane", "id"], sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED
    )
    op.create_index("outbox_standing", "outbox", ["state", "id"], sqlite_where=_STANDING, postgresql_where=_STANDING)
    op.create_table(
        "decision",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("handoff_id", sa.String(length=64), nullable=True),
        sa.Column("referral_id", sa.String(length=64), nullable=True),
        sa.Column("work_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("input_hash", sa.String(length=80), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decision_by_handoff", "decision", ["handoff_id", "at"])
    op.create_index("decision_by_person", "decision", ["person_id", "at"])
    op.create_index("decision_by_time", "decision", ["at"])
    op.create_index(
        "decision_by_sending", "decision", ["referral_id", "at"], sqlite_where=_SENT, postgresql_where=_SENT
    )
    op.create_table(
        "disclosure",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("intended_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("sent", sa.LargeBinary(), nullable=True),
        sa.Column("answered", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"]),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("disclosure_by_decision", "disclosure", ["decision_id"])
    op.create_index("disclosure_by_time", "disclosure", ["intended_at", "message_id"])
    op.create_table(
        "audit",
        sa.Column("seq", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("n", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )


def _create_releases() -> None:
    """What was asked for at the console, with its evidence, and what a second person has to look at."""
    op.create_table(
        "consent_term",
        sa.Column("consent_id", sa.String(length=64), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("waits_since", sa.BigInteger(), nullable=True),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("turns_at", sa.BigInteger(), nullable=True),
        sa.Column("event_told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("consent_id"),
    )
    op.create_index("consent_term_by_end", "consent_term", ["ends_at"])
    op.create_index("consent_term_by_turn", "consent_term", ["turns_at"])
    op.create_index("consent_term_by_event", "consent_term", ["event_told_at"])
    op.create_index("consent_term_by_wait", "consent_term", ["waits_since"])
    op.create_table(
        "caveat",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("organization", sa.String(length=100), nullable=False),
        sa.Column("against", sa.LargeBinary(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("consent_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_how", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("caveat_in_force", "caveat", ["person_id"], sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE)
    op.create_table(
        "release",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("handoff_id", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("organization", sa.String(length=100), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("requested_as", sa.String(length=32), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decision_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"]),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("release_by_handoff", "release", ["handoff_id"])
    op.create_index("release_by_time", "release", ["created_at"])
    op.create_table(
        "review",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("handoff_id", sa.String(length=64), nullable=True),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("organization", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("raised_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("review_by_subject", "review", ["subject"])
    op.create_index("review_open", "review", ["opened_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def _create_accounts() -> None:
    """Who works at the console."""
    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("organization", sa.String(length=100), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "login_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
