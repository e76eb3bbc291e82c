"""The schema: one set of tables for SQLite and PostgreSQL.

Instants are stored as microseconds since the epoch in UTC (both databases then agree on them), originals as bytes.
What a partner or a source can make long is `Text`: only PostgreSQL enforces a length, and it would refuse the row.
One file, as the migration is: what refers to what is seen at one look.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
)

metadata = MetaData()

# A plain INTEGER primary key is what makes SQLite number the rows itself; PostgreSQL needs the 64 bits said.
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

inputs = Table(
    "input",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("channel", String(8), nullable=False),
    Column("source", String(100), nullable=False),
    Column("client", String(100)),
    Column("media_type", Text, nullable=False),
    # Before the payload: what a list filters by must not cost the reading of what came.
    Column("message_type", Text),
    Column("sender", Text),
    # By what an HL7v2 message is known again, none of them where it is not; and what it was answered.
    Column("application", Text),
    Column("facility", Text),
    Column("control_id", Text),
    Column("answer", LargeBinary),
    Column("payload", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Index("input_by_time", "received_at"),
    Index("input_by_message", "message_type", "received_at"),
)
# An HL7v2 message is known again by its MSH-10: it need not be written into this.
_posted = inputs.c.channel != "mllp"
Index("input_by_content", inputs.c.source, inputs.c.sha256, sqlite_where=_posted, postgresql_where=_posted)
_known = inputs.c.control_id.is_not(None)
Index(
    "input_by_control_id", inputs.c.application, inputs.c.facility, inputs.c.control_id, unique=True,
    sqlite_where=_known, postgresql_where=_known,
)  # fmt: skip

# Not a column of the input: who hands the same content in again may give another key with it, or the first one.
input_keys = Table(
    "input_key",
    metadata,
    Column("client", String(100), nullable=False),  # "" where there is none: of NULL a unique key takes any number
    Column("source", String(100), nullable=False),
    Column("key", Text, nullable=False),
    Column("input_id", String(64), ForeignKey("input.id"), nullable=False),
    PrimaryKeyConstraint("client", "source", "key"),
)

input_records = Table(
    "input_record",
    metadata,
    Column("input_id", String(64), ForeignKey("input.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("handoff_id", String(64)),
    PrimaryKeyConstraint("input_id", "n"),
    Index("input_record_by_handoff", "handoff_id"),
)

handoffs = Table(
    "handoff",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("program", String(64), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("person_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("hold_reason", Text),
    Column("input_id", String(64), ForeignKey("input.id"), nullable=False),
    Column("mapping", String(100), nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("findings", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("handoff_by_person", "person_id"),
    Index("handoff_by_time", "updated_at"),
)

resources = Table(
    "resource",
    metadata,
    Column("type", String(40), nullable=False),
    Column("id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("handoff_id", String(64)),  # the handoff that wrote it last; which ones hold it: handoff_resource
    Column("person_id", String(64)),
    Column("deleted", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "type"),
    Index("resource_by_person", "person_id", "type"),
)

# An agency's Organization is one resource in many handoffs, so belonging is a table of its own.
handoff_resources = Table(
    "handoff_resource",
    metadata,
    Column("handoff_id", String(64), ForeignKey("handoff.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("type", String(40), nullable=False),
    Column("id", String(64), nullable=False),
    PrimaryKeyConstraint("handoff_id", "position"),
    Index("handoff_resource_by_resource", "type", "id"),
)

# Former versions only: the current one lies in `resource`, so that a first save writes each body once.
resource_versions = Table(
    "resource_version",
    metadata,
    Column("type", String(40), nullable=False),
    Column("id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("type", "id", "version"),
)

resource_identifiers = Table(
    "resource_identifier",
    metadata,
    Column("type", String(40), nullable=False),
    Column("system", String(255), nullable=False),
    Column("value", String(255), nullable=False),
    Column("id", String(64), nullable=False),
    PrimaryKeyConstraint("type", "system", "value", "id"),
    Index("resource_identifier_by_id", "type", "id"),
)

people = Table(
    "person",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("family", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("birth_date", String(10)),
    Column("gender", Text),
    Column("phone", Text),
    Column("address", Text),
    Column("match_name", Text, nullable=False),
    Column("match_phone", Text),
    Column("updated_at", BigInteger, nullable=False),
    Index("person_by_name", "match_name"),
    Index("person_by_birth_date", "birth_date"),
    Index("person_by_phone", "match_phone"),
)

person_keys = Table(
    "person_key",
    metadata,
    Column("system", String(255), nullable=False),  # "Patient" for logical ids of Patient resources
    Column("value", Text, nullable=False),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    PrimaryKeyConstraint("system", "value", "person_id"),
    Index("person_key_by_person", "person_id"),
    Index("person_key_by_value", "value"),
)

referrals = Table(
    "referral",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("handoff_id", String(64), ForeignKey("handoff.id"), nullable=False),
    Column("service_request_id", String(64), nullable=False),
    Column("identifier", String(64), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("transport", String(16), nullable=False),
    Column("purpose", Text, nullable=False),  # JSON list
    Column("status", String(24), nullable=False),
    Column("business_status", String(24)),
    Column("reason", Text),
    Column("external_id", Text),
    Column("without_agreement", Text),
    Column("via", String(100)),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("identifier", "recipient"),
    Index("referral_by_handoff", "handoff_id"),
    Index("referral_by_person", "person_id"),
    Index("referral_by_recipient", "recipient", "updated_at"),
)

lanes = Table(
    "lane",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", BigInteger, nullable=False),
    Column("paused", Integer, nullable=False),
    Column("failures", Integer, nullable=False),  # tries in a row
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("lane", String(200), ForeignKey("lane.name"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
# The reading of a message is met in its lane and nowhere else, and sends nothing.
_not_reading = outbox.c.kind != "answer"
Index("outbox_by_subject", outbox.c.subject, sqlite_where=_not_reading, postgresql_where=_not_reading)
Index(
    "outbox_by_message", outbox.c.message_id, unique=True, sqlite_where=_not_reading, postgresql_where=_not_reading
)  # fmt: skip
# By MSH-10, the beginning of the message id: an answer that comes hours later names nothing else.
sent_as: ColumnElement[str] = func.substr(outbox.c.message_id, literal_column("1"), literal_column("20"))
Index("outbox_by_control_id", sent_as, sqlite_where=_not_reading, postgresql_where=_not_reading)
# Only unfinished work is looked for by lane, so only that is indexed: the index stays small for ever.
_unfinished = outbox.c.state.in_(("ready", "sending"))
Index("outbox_unfinished", outbox.c.lane, outbox.c.id, sqlite_where=_unfinished, postgresql_where=_unfinished)
# What people look through is what stands still; most work is in none of these states, ever.
_standing = outbox.c.state.in_(("awaiting", "refused", "held", "dead"))
Index("outbox_standing", outbox.c.state, outbox.c.id, sqlite_where=_standing, postgresql_where=_standing)

decisions = Table(
    "decision",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("person_id", String(64)),  # a consult is about a person and no single handoff
    Column("handoff_id", String(64)),
    Column("referral_id", String(64)),
    Column("work_id", BigInteger),
    Column("channel", String(16), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("input_hash", String(80), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Index("decision_by_handoff", "handoff_id", "at"),
    Index("decision_by_person", "person_id", "at"),
    Index("decision_by_time", "at"),
)
# Each look at a referral makes a decision, and whether what it shows is news is asked of those that sent it only.
_sent = decisions.c.work_id.is_not(None)
Index("decision_by_sending", decisions.c.referral_id, decisions.c.at, sqlite_where=_sent, postgresql_where=_sent)

disclosures = Table(
    "disclosure",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("decision_id", String(64), ForeignKey("decision.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("intended_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("code", Text),
    Column("sent", LargeBinary),
    Column("answered", LargeBinary),
    Index("disclosure_by_decision", "decision_id"),
    Index("disclosure_by_time", "intended_at", "message_id"),
)

# For lists and sweeps only: what a consent says stands in its resource, and every decision reads it there.
consent_terms = Table(
    "consent_term",
    metadata,
    Column("consent_id", String(64), primary_key=True),
    Column("ends_at", BigInteger),
    Column("waits_since", BigInteger),
    Column("reminded", Integer, nullable=False),
    Column("turns_at", BigInteger),
    Column("event_told_at", BigInteger),
    Index("consent_term_by_end", "ends_at"),
    Index("consent_term_by_turn", "turns_at"),
    Index("consent_term_by_event", "event_told_at"),
    Index("consent_term_by_wait", "waits_since"),
)

# What is in force is read for every decision about a person; what has ended is only history.
caveats = Table(
    "caveat",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("organization", String(100), nullable=False),
    Column("against", LargeBinary, nullable=False),  # JSON list
    Column("items", LargeBinary, nullable=False),  # JSON list, or null for everything
    Column("consent_id", String(64)),
    Column("reason", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(64)),
    Column("ended_how", Text),
)
_in_force = caveats.c.ended_at.is_(None)
Index("caveat_in_force", caveats.c.person_id, sqlite_where=_in_force, postgresql_where=_in_force)

releases = Table(
    "release",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("handoff_id", String(64), ForeignKey("handoff.id"), nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("organization", String(100), nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("requested_as", String(32), nullable=False),
    Column("way", String(8), nullable=False),
    Column("evidence", LargeBinary, nullable=False),  # JSON
    Column("items", LargeBinary, nullable=False),  # JSON list, or null for everything
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("decision_id", String(64), ForeignKey("decision.id")),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("approved_by", String(64)),
    Index("release_by_handoff", "handoff_id"),
    Index("release_by_time", "created_at"),
)

reviews = Table(
    "review",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("handoff_id", String(64)),
    Column("recipient", String(100), nullable=False),
    Column("organization", String(100), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("items", LargeBinary, nullable=False),  # JSON list
    Column("raised_by", String(64), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", String(64)),
    Column("note", Text),
    Index("review_by_subject", "subject"),
)
# The queue is short and its history is not, so only what is open is indexed by time.
_open = reviews.c.closed_at.is_(None)
Index("review_open", reviews.c.opened_at, sqlite_where=_open, postgresql_where=_open)

audit = Table(
    "audit",
    metadata,
    Column("seq", _ROW_ID, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# What a token signs is in the token; the number keeps their order, and shows where one is missing.
audit_checkpoints = Table(
    "audit_checkpoint",
    metadata,
    Column("n", _ROW_ID, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
)

feed_counts = Table(
    "feed_count",
    metadata,
    Column("organization", String(100), nullable=False),
    Column("feed", Text, nullable=False),  # MSH-3^MSH-4 as registered
    Column("day", String(10), nullable=False),
    Column("dropped", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "feed", "day"),
)

staff = Table(
    "staff",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("organization", String(100)),  # NULL: the operator's
    Column("password_hash", Text),
    Column("created_at", BigInteger, nullable=False),
)

login_links = Table(
    "login_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", String(64), ForeignKey("staff.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

sessions = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", String(64), ForeignKey("staff.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)
