"""What came in, byte for byte, and what became of each record in it."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, literal_column, select, update

from gateway.model.handoff import InputRecord, InputState, StoredInput
from gateway.storage.effects import must_exist
from gateway.storage.index_keys import indexed
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import input_keys, input_records, inputs
from gateway.storage.upsert import prepared_upsert

_INSERT = Prepared(inputs.insert())
_GET = Prepared(select(inputs).where(inputs.c.id == bindparam("key")))
# `client` may be absent, and NULL = NULL is not true in SQL.
_SAME_SENDER = (inputs.c.client.is_not_distinct_from(bindparam("client")), inputs.c.source == bindparam("source"))
# Written out, not bound: neither database uses a partial index for a condition it cannot read.
_POSTED: ColumnElement[bool] = literal_column("input.channel <> 'mllp'")
SAME_CONTENT = (
    select(inputs.c.id)
    .where(*_SAME_SENDER, inputs.c.sha256 == bindparam("sha256"), _POSTED)
    .order_by(inputs.c.received_at, inputs.c.id)
    .limit(1)
)
BY_KEY = (
    select(inputs)
    .join(input_keys, input_keys.c.input_id == inputs.c.id)
    .where(
        input_keys.c.client == bindparam("client"),
        input_keys.c.source == bindparam("source"),
        input_keys.c.key == bindparam("key"),
    )
)
_INSERT_KEY = Prepared(input_keys.insert())
_SET_STATE = Prepared(
    update(inputs).where(inputs.c.id == bindparam("key")).values(state=bindparam("new_state"), reason=bindparam("why"))
)
_SET_SENDER = Prepared(update(inputs).where(inputs.c.id == bindparam("key")).values(client=bindparam("owner")))
_RECORDS = Prepared(
    select(input_records).where(input_records.c.input_id == bindparam("key")).order_by(input_records.c.n)
)
_WAITING = (
    select(inputs.c.id)
    .where(
        inputs.c.client == bindparam("client"),
        select(input_records.c.n)
        .where(input_records.c.input_id == inputs.c.id, input_records.c.state == "quarantined")
        .exists(),
    )
    .order_by(inputs.c.received_at, inputs.c.id)
    .limit(bindparam("most"))
)


class SqlInputs:
    """`ports.Inputs` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *stored: StoredInput) -> None:
        """Keep inputs as they came."""
        _INSERT.run_many(self._connection, [input_row(one) for one in stored])

    def get(self, input_id: str) -> StoredInput | None:
        """Return an input with its bytes."""
        row = _GET.first(self._connection, {"key": input_id})
        return None if row is None else _stored(row)

    def same_content(self, client: str | None, source: str, sha256: str) -> str | None:
        """Return the id of the earliest posted input of the same client, source and content."""
        found: str | None = self._connection.execute(
            SAME_CONTENT, {"client": client, "source": source, "sha256": sha256}
        ).scalar()
        return found

    def by_idempotency_key(self, client: str | None, source: str, key: str) -> StoredInput | None:
        """Return the input that this client sent to this source with this `Idempotency-Key`."""
        row = self._connection.execute(BY_KEY, {"client": client or "", "source": source, "key": key}).first()
        return None if row is None else _stored(row)

    def remember_key(self, client: str | None, source: str, key: str, input_id: str) -> None:
        """Write which input a client sent to a source with an `Idempotency-Key`; a key that is known is refused."""
        row = {"client": client or "", "source": source, "key": key, "input_id": input_id}
        _INSERT_KEY.run(self._connection, row)

    def set_state(self, input_id: str, state: InputState, reason: str | None = None) -> None:
        """Mark an input as done or quarantined."""
        changed = _SET_STATE.run(self._connection, {"key": input_id, "new_state": state, "why": reason})
        must_exist(changed, "input", input_id)

    def set_states(self, states: Sequence[tuple[str, InputState, str | None]]) -> None:
        """Mark inputs (id, state, reason), as `set_state` does."""
        _SET_STATE.run_many(
            self._connection, [{"key": key, "new_state": state, "why": reason} for key, state, reason in states]
        )

    def set_sender(self, input_id: str, client: str) -> None:
        """Write whose an input is, once a person has said so."""
        must_exist(_SET_SENDER.run(self._connection, {"key": input_id, "owner": client}), "input", input_id)

    def put_records(self, records: Iterable[InputRecord]) -> None:
        """Write (or overwrite) what became of records of an input."""
        rows = [
            {"input_id": r.input_id, "n": r.n, "state": r.state, "reason": r.reason, "handoff_id": r.handoff_id}
            for r in records
        ]
        if rows:
            prepared_upsert(self._connection.dialect.name, input_records).run_many(self._connection, rows)

    def records(self, input_id: str) -> list[InputRecord]:
        """Return what became of each record so far, by number."""
        return [InputRecord(**row._asdict()) for row in _RECORDS.all(self._connection, {"key": input_id})]

    def waiting(self, client: str, limit: int = 200) -> list[str]:
        """Return the ids of the inputs of a client of which something waits for a person, in the order they came."""
        return list(self._connection.execute(_WAITING, {"client": client, "most": limit}).scalars())


def input_row(stored: StoredInput) -> dict[str, Any]:
    """Return an input as a row of its table."""
    application, facility, control_id = map(indexed, stored.known_by) if stored.known_by else (None, None, None)
    return {
        "id": stored.id,
        "channel": stored.channel,
        "source": stored.source,
        "client": stored.client,
        "media_type": stored.media_type,
        "payload": stored.payload,
        "sha256": stored.sha256,
        "received_at": to_micros(stored.received_at),
        "state": stored.state,
        "reason": stored.reason,
        "message_type": indexed(stored.message_type) if stored.message_type else None,
        "sender": stored.sender,
        "application": application,
        "facility": facility,
        "control_id": control_id,
        "answer": stored.answer,
    }


def _stored(row: Any) -> StoredInput:
    values = row._asdict()
    known_by = tuple(values.pop(part) for part in ("application", "facility", "control_id"))
    values["received_at"] = from_micros(row.received_at)
    return StoredInput(**values, known_by=known_by if known_by[-1] is not None else None)
