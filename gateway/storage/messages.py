"""HL7v2 messages already taken, each with the answer it got (HL7 v2.5.1 ch. 2.9.2)."""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter

from sqlalchemy import Connection, bindparam, delete, select

from gateway.ports import MessageKey, SeenMessage
from gateway.storage.instants import to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import inputs, messages
from gateway.storage.upsert import insert_if_absent

_SEEN = Prepared(
    select(messages.c.sha256, messages.c.answer, messages.c.input_id).where(
        messages.c.application == bindparam("application"),
        messages.c.facility == bindparam("facility"),
        messages.c.control_id == bindparam("control_id"),
    )
)


# The messages themselves stay; one that is unread or waits for a person is known again for as long as that lasts.
_OLD = (
    select(messages.c.application, messages.c.facility, messages.c.control_id)
    .join(inputs, inputs.c.id == messages.c.input_id)
    .where(messages.c.at < bindparam("before"), inputs.c.state == "done")
    .order_by(messages.c.at)
    .limit(bindparam("limit"))
)
_FORGET = delete(messages).where(
    messages.c.application == bindparam("of_application"),
    messages.c.facility == bindparam("of_facility"),
    messages.c.control_id == bindparam("of_control_id"),
)


def _named(key: MessageKey) -> dict[str, str]:
    application, facility, control_id = key
    return {"application": application, "facility": facility, "control_id": control_id}


class SqlMessages:
    """`ports.Messages` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seen(self, key: MessageKey) -> SeenMessage | None:
        """Return what is known of a message id."""
        row = _SEEN.first(self._connection, _named(key))
        return None if row is None else SeenMessage(*row)

    def remember(self, taken: Mapping[MessageKey, SeenMessage], at: datetime) -> dict[MessageKey, SeenMessage]:
        """Keep the answers given to messages, durably before they are sent; return what is known under their keys.

        That is another message where one of the same key came before: it stays the one that is known.
        """
        micros = to_micros(at)
        # In the order of the keys, or two processes could each wait for a key that the other one has just kept.
        rows = [
            {**_named(key), "sha256": one.sha256, "answer": one.answer, "input_id": one.input_id, "at": micros}
            for key, one in sorted(taken.items(), key=itemgetter(0))
        ]
        insert = insert_if_absent(self._connection.dialect.name, messages)
        if not rows or insert.run_many(self._connection, rows) == len(rows):
            return dict(taken)  # as a rule: what is new need not be looked up
        return {key: self.seen(key) or one for key, one in taken.items()}

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` ids of messages that came before this and wait for nobody; return how many."""
        old = self._connection.execute(_OLD, {"before": to_micros(before), "limit": limit})
        rows = [{f"of_{name}": value for name, value in row._mapping.items()} for row in old]
        if rows:
            self._connection.execute(_FORGET, rows)
        return len(rows)
