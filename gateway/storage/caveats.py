"""Restrictions that were agreed, and consents that are said to be false: read for every decision about the person."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from gateway.model.caveat import Caveat
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.prepared import Prepared
from gateway.storage.tables import caveats
from gateway.storage.upsert import upsert

_GET = select(caveats).where(caveats.c.id == bindparam("key"))
_IN_FORCE = select(caveats).where(caveats.c.ended_at.is_(None)).order_by(caveats.c.since, caveats.c.id)
_OF_PERSON = Prepared(_IN_FORCE.where(caveats.c.person_id == bindparam("key")))
_OF_PEOPLE = _IN_FORCE.where(caveats.c.person_id.in_(bindparam("persons", expanding=True)))


class SqlCaveats:
    """`ports.Caveats` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, caveat_id: str) -> Caveat | None:
        """Return a caveat, in force or ended."""
        row = self._connection.execute(_GET, {"key": caveat_id}).first()
        return None if row is None else _caveat(row)

    def save(self, caveat: Caveat) -> None:
        """Insert or update a caveat."""
        row = {column.name: getattr(caveat, column.name) for column in caveats.columns}
        row |= {
            "against": dump(caveat.against),
            "items": dump(caveat.items),
            "since": to_micros(caveat.since),
            "ended_at": None if caveat.ended_at is None else to_micros(caveat.ended_at),
        }
        self._connection.execute(upsert(self._connection.dialect.name, caveats), row)

    def of_person(self, person_id: str) -> list[Caveat]:
        """Return the caveats in force about a person, oldest first."""
        return [_caveat(row) for row in _OF_PERSON.all(self._connection, {"key": person_id})]

    def of_people(self, person_ids: Sequence[str]) -> list[Caveat]:
        """Return the caveats in force about these persons, oldest first."""
        return [_caveat(row) for row in self._connection.execute(_OF_PEOPLE, {"persons": list(person_ids)})]


def _caveat(row: Any) -> Caveat:
    items = load(row.items)
    read = {
        "against": tuple(load(row.against)),
        "items": None if items is None else tuple(items),
        "since": from_micros(row.since),
        "ended_at": None if row.ended_at is None else from_micros(row.ended_at),
    }
    return Caveat(**{column.name: read.get(column.name, getattr(row, column.name)) for column in caveats.columns})
