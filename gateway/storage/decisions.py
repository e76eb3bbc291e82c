"""Every decision with the input it was made from, and the log of what was disclosed (42 CFR 2.25)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from gateway.model.accounting import Disclosed, HandedOver, NewDecision, StoredDecision
from gateway.storage.accounting import (
    bases_received,
    disclosed,
    received,
    received_about,
    received_between,
    stored_decision,
)
from gateway.storage.effects import must_exist
from gateway.storage.instants import to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.prepared import Prepared
from gateway.storage.tables import decisions, disclosures
from gateway.storage.upsert import prepared_upsert

_INSERT = Prepared(decisions.insert())
_HAND_OVER = Prepared(disclosures.insert())
_OF_HANDOFF = (
    select(
        decisions.c.id,
        decisions.c.recipient,
        decisions.c.channel,
        decisions.c.record,
        decisions.c.referral_id,
        decisions.c.work_id,
    )
    .where(decisions.c.handoff_id == bindparam("key"))
    .order_by(decisions.c.at.desc(), decisions.c.id.desc())
)
LAST_SENT = (
    select(decisions.c.record)
    .where(
        decisions.c.referral_id == bindparam("key"),
        decisions.c.work_id.is_not(None),
        decisions.c.decision.like("PERMIT%"),
    )
    .order_by(decisions.c.at.desc(), decisions.c.id.desc())
    .limit(1)
)
_LAST_SENT = Prepared(LAST_SENT)
_CONFIRM = Prepared(
    update(disclosures)
    .where(disclosures.c.message_id == bindparam("key"))
    .values(
        confirmed_at=bindparam("now"),
        code=bindparam("answer_code"),
        sent=bindparam("bytes_sent"),
        answered=bindparam("bytes_answered"),
    )
)


class SqlDecisions:
    """`ports.Decisions` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decisions: Sequence[NewDecision]) -> None:
        """Keep decisions, each with the canonical input that gave it."""
        if decisions:
            _INSERT.run_many(self._connection, [_row(one) for one in decisions])

    def of_handoff(self, handoff_id: str) -> list[Mapping[str, Any]]:
        """Return the decision records of a handoff, newest first, with id, recipient, channel, referral, work."""
        rows = self._connection.execute(_OF_HANDOFF, {"key": handoff_id})
        return [
            {
                **load(r.record), "id": r.id, "recipient": r.recipient, "channel": r.channel,
                "referral": r.referral_id, "work": r.work_id,
            }
            for r in rows
        ]  # fmt: skip

    def last_sent(self, referral_id: str) -> Mapping[str, Any] | None:
        """Return the record of the newest decision on which a referral was sent; None where none permitted it."""
        row = _LAST_SENT.first(self._connection, {"key": referral_id})
        return None if row is None else load(row.record)

    def get(self, decision_id: str) -> StoredDecision | None:
        """Return one decision with the input it was made from."""
        return stored_decision(self._connection, decision_id)

    def disclosed(self, person_id: str, since: datetime, until: datetime) -> list[Disclosed]:
        """Return what was disclosed about a person, or may have been, in [since, until), oldest first."""
        return disclosed(self._connection, person_id, since, until)

    def received(self, recipient: str, message_id: str) -> Disclosed | None:
        """Return one disclosure, or what may have been one, to this recipient."""
        return received(self._connection, recipient, message_id)

    def received_between(
        self, recipient: str, since: datetime, until: datetime | None, limit: int, after: Disclosed | None = None
    ) -> list[Disclosed]:
        """Return what was disclosed to a recipient, or may have been, in [since, until), the `limit` oldest."""
        return received_between(self._connection, recipient, since, until, limit, after)

    def received_about(self, recipient: str, person_id: str) -> list[Disclosed]:
        """Return of what was disclosed to a recipient about a person the newest of each record and channel."""
        return received_about(self._connection, recipient, person_id)

    def bases_received(self, recipient: str, person_id: str) -> set[tuple[str, str]]:
        """Return on what anything was disclosed to a recipient about a person, by type and id."""
        return bases_received(self._connection, recipient, person_id)

    def intend(self, *, decision_id: str, message_id: str, purpose: str, description: str, at: datetime) -> None:
        """Write that a disclosure is about to leave.

        A repeated try of one message points to its newest decision and keeps the instant of the first intention:
        the earliest moment at which the content may have left.
        """
        statement = prepared_upsert(
            self._connection.dialect.name, disclosures, ("decision_id", "purpose", "description")
        )
        row = {
            "message_id": message_id,
            "decision_id": decision_id,
            "purpose": purpose,
            "description": description,
            "intended_at": to_micros(at),
            **dict.fromkeys(("confirmed_at", "code", "sent", "answered")),
        }
        statement.run(self._connection, row)

    def confirm(self, *, message_id: str, code: str, sent: bytes, answered: bytes, at: datetime) -> None:
        """Write that a disclosure has left and what the receiver answered; it must have been intended."""
        values = {
            "key": message_id,
            "now": to_micros(at),
            "answer_code": code,
            "bytes_sent": sent,
            "bytes_answered": answered,
        }
        must_exist(_CONFIRM.run(self._connection, values), "intended disclosure", message_id)

    def hand_over(self, disclosures: Sequence[HandedOver]) -> None:
        """Write disclosures that leave with the commit."""
        if disclosures:
            _HAND_OVER.run_many(self._connection, [_handed_over(one) for one in disclosures])


def _row(new: NewDecision) -> dict[str, Any]:
    return {
        "id": new.decision_id,
        "at": to_micros(new.at),
        "recipient": new.recipient,
        "person_id": new.person_id,
        "handoff_id": new.handoff_id,
        "referral_id": new.referral_id,
        "work_id": new.work_id,
        "channel": new.channel,
        "decision": new.record["decision"],
        "reason": new.record["reason"],
        "input_hash": new.record["input_hash"],
        "record": dump(dict(new.record)),
        "inputs": new.inputs,
    }


def _handed_over(one: HandedOver) -> dict[str, Any]:
    now = to_micros(one.at)
    return {
        "message_id": one.message_id,
        "decision_id": one.decision_id,
        "purpose": one.purpose,
        "description": one.description,
        "intended_at": now,
        "confirmed_at": now,
        "code": one.code,
        "sent": one.sent,
        "answered": b"",
    }
