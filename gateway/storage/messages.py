"""HL7v2 messages already taken, each with the answer it got (HL7 v2.5.1 ch. 2.9.2)."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from gateway.ports import SeenMessage
from gateway.storage.instants import to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import inputs, messages
from gateway.storage.upsert import prepared_upsert

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


class SqlMessages:
    """`ports.Messages` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seen(self, application: str, facility: str, control_id: str) -> SeenMessage | None:
        """Return what is known of a message id."""
        key = {"application": application, "facility": facility, "control_id": control_id}
        row = _SEEN.first(self._connection, key)
        return None if row is None else SeenMessage(*row)

    def remember(self, application: str, facility: str, control_id: str, seen: SeenMessage, at: datetime) -> None:
        """Keep the answer given to a message; the newest answer to an id is the one repeated."""
        row = {
            "application": application,
            "facility": facility,
            "control_id": control_id,
            "sha256": seen.sha256,
            "answer": seen.answer,
            "input_id": seen.input_id,
            "at": to_micros(at),
        }
        prepared_upsert(self._connection.dialect.name, messages).run(self._connection, row)

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` ids of messages that came before this and wait for nobody; return how many."""
        old = self._connection.execute(_OLD, {"before": to_micros(before), "limit": limit})
        rows = [{f"of_{name}": value for name, value in row._mapping.items()} for row in old]
        if rows:
            self._connection.execute(_FORGET, rows)
        return len(rows)
