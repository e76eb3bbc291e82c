"""HL7v2 messages by what they are known when they come again (HL7 v2.5.1 ch. 2.9.2)."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from sqlalchemy import Connection, bindparam, null, select, update

from gateway.model.handoff import MessageKey, StoredInput
from gateway.ports import SeenMessage
from gateway.storage.index_keys import indexed
from gateway.storage.inputs import input_row
from gateway.storage.instants import from_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import inputs
from gateway.storage.upsert import insert_if_absent

SEEN = select(inputs.c.id, inputs.c.sha256, inputs.c.answer, inputs.c.received_at, inputs.c.state).where(
    inputs.c.application == bindparam("application"),
    inputs.c.facility == bindparam("facility"),
    inputs.c.control_id == bindparam("control_id"),
)
_SEEN = Prepared(SEEN)
_FORGET = Prepared(
    update(inputs).where(inputs.c.id == bindparam("key")).values(application=null(), facility=null(), control_id=null())
)


class SqlMessages:
    """`ports.Messages` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seen(self, key: MessageKey) -> SeenMessage | None:
        """Return the message that is known by a key."""
        parts = zip(("application", "facility", "control_id"), map(indexed, key), strict=True)
        row = _SEEN.first(self._connection, dict(parts))
        if row is None:
            return None
        return SeenMessage(row.id, row.sha256, row.answer or b"", from_micros(row.received_at), row.state)

    def add(self, arrived: Sequence[StoredInput]) -> dict[MessageKey, SeenMessage]:
        """Keep messages that are known by different keys; return which message is known by each of these keys now.

        That is another one where one of the same key came before: it stays the one that is known, and what arrived is
        not kept.
        """
        if not arrived:
            return {}
        # In the order of the keys, or two processes could each wait for a key that the other one has just kept.
        rows = [input_row(one) for one in sorted(arrived, key=attrgetter("known_by"))]
        added = insert_if_absent(self._connection.dialect.name, inputs).run_many(self._connection, rows)
        now_known = {one.known_by: _as_seen(one) for one in arrived if one.known_by}
        if added == len(rows):
            return now_known  # as a rule: what is new need not be looked up
        return {key: self.seen(key) or one for key, one in now_known.items()}

    def forget(self, input_ids: Iterable[str]) -> None:
        """Let nothing be known by the keys of these messages any more; what came stays."""
        _FORGET.run_many(self._connection, [{"key": one} for one in input_ids])


def _as_seen(stored: StoredInput) -> SeenMessage:
    return SeenMessage(stored.id, stored.sha256, stored.answer or b"", stored.received_at, stored.state)
