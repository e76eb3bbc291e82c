"""Which consents turn and end when, and which wait for somebody: for lists and sweeps, never for a decision."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select

from gateway.model.consent_life import ConsentTerm
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import consent_terms
from gateway.storage.upsert import prepared_upsert

_GET = Prepared(select(consent_terms).where(consent_terms.c.consent_id == bindparam("key")))
_DROP = Prepared(delete(consent_terms).where(consent_terms.c.consent_id == bindparam("key")))
_ENDING = (
    select(consent_terms)
    .where(consent_terms.c.ends_at <= bindparam("until"))
    .order_by(consent_terms.c.ends_at, consent_terms.c.consent_id)
    .limit(bindparam("most"))
)
_UNREMINDED = (
    select(consent_terms)
    .where(consent_terms.c.ends_at <= bindparam("until"), consent_terms.c.reminded == 0)
    .order_by(consent_terms.c.ends_at, consent_terms.c.consent_id)
    .limit(bindparam("most"))
)
_TURNING = (
    select(consent_terms)
    .where(consent_terms.c.turns_at <= bindparam("until"))
    .order_by(consent_terms.c.turns_at, consent_terms.c.consent_id)
    .limit(bindparam("most"))
)
_DOUBTFUL = (
    select(consent_terms)
    .where(consent_terms.c.event_told_at.is_not(None))
    .order_by(consent_terms.c.event_told_at, consent_terms.c.consent_id)
    .limit(bindparam("most"))
)
_WAITING = (
    select(consent_terms)
    .where(consent_terms.c.waits_since <= bindparam("until"))
    .order_by(consent_terms.c.waits_since, consent_terms.c.consent_id)
    .limit(bindparam("most"))
)


class SqlConsentTerms:
    """`ports.ConsentTerms` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, consent_id: str) -> ConsentTerm | None:
        """Return the term of a consent."""
        row = _GET.first(self._connection, {"key": consent_id})
        return None if row is None else _term(row)

    def put(self, term: ConsentTerm) -> None:
        """Keep the term of a consent."""
        row = {
            "consent_id": term.consent_id,
            "ends_at": _micros(term.ends_at),
            "waits_since": _micros(term.waits_since),
            "reminded": int(term.reminded),
            "turns_at": _micros(term.turns_at),
            "event_told_at": _micros(term.event_told_at),
        }
        prepared_upsert(self._connection.dialect.name, consent_terms).run(self._connection, row)

    def drop(self, consent_id: str) -> None:
        """Forget the term of a consent; does nothing where there is none."""
        _DROP.run(self._connection, {"key": consent_id})

    def ending(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until`, the earliest end first."""
        return self._all(_ENDING, {"until": to_micros(until), "most": limit})

    def unreminded(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until` and of whose end nobody was reminded, the earliest end first."""
        return self._all(_UNREMINDED, {"until": to_micros(until), "most": limit})

    def doubtful(self, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents of whose ending event we were told, the longest told first."""
        return self._all(_DOUBTFUL, {"most": limit})

    def turning(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that may stop less at `until` than before, the earliest instant first."""
        return self._all(_TURNING, {"until": to_micros(until), "most": limit})

    def waiting(self, at: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that wait for their verification at `at`, the longest wait first."""
        return self._all(_WAITING, {"until": to_micros(at), "most": limit})

    def _all(self, statement: Select[Any], parameters: dict[str, int]) -> list[ConsentTerm]:
        return [_term(row) for row in self._connection.execute(statement, parameters)]


def _term(row: Any) -> ConsentTerm:
    return ConsentTerm(
        row.consent_id,
        _instant(row.ends_at),
        _instant(row.waits_since),
        bool(row.reminded),
        _instant(row.turns_at),
        _instant(row.event_told_at),
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
