"""The index of persons: who is known under which name, birth date, phone number and identifier.

What is too long for an index is known by its hash, and so is an identifier given back.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, literal, or_, select, union_all

from gateway.model.errors import GatewayError
from gateway.model.handoff import Person
from gateway.model.names import match_name, match_phone
from gateway.ports import Sighted
from gateway.storage.index_keys import indexed
from gateway.storage.instants import to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.remembered import Remembered
from gateway.storage.tables import people, person_keys
from gateway.storage.upsert import write_over

_MOST_CANDIDATES = 50
_PATIENT = "Patient"
"""System under which the logical ids of a person's Patient resources are kept."""

_COLUMNS = [people.c[name] for name in ("id", "family", "given", "birth_date", "gender", "phone", "address")]
_GET = Prepared(select(*_COLUMNS).where(people.c.id == bindparam("key")))
_BY_KEY = Prepared(
    select(*_COLUMNS)
    .join(person_keys, person_keys.c.person_id == people.c.id)
    .where(person_keys.c.system == bindparam("system"), person_keys.c.value == bindparam("value"))
    .order_by(people.c.id)
)
_KNOWN_AS = Prepared(
    select(person_keys.c.person_id)
    .where(person_keys.c.system == bindparam("system"), person_keys.c.value == bindparam("value"))
    .order_by(person_keys.c.person_id)
)
_OTHER_KEYS = person_keys.alias("other_key")
_BY_NUMBER = Prepared(
    select(
        person_keys.c.system.label("given_by"),
        *_COLUMNS,
        _OTHER_KEYS.c.system.label("key_system"),
        _OTHER_KEYS.c.value.label("key_value"),
    )
    .join(people, people.c.id == person_keys.c.person_id)
    .join(_OTHER_KEYS, _OTHER_KEYS.c.person_id == people.c.id)
    .where(person_keys.c.value == bindparam("value"), person_keys.c.system != _PATIENT)
    .order_by(person_keys.c.system, people.c.id, _OTHER_KEYS.c.system, _OTHER_KEYS.c.value)
)
_NAME = people.c.match_name == bindparam("name")
_PHONE = people.c.match_phone == bindparam("phone")
_BIRTH_DATE = people.c.birth_date == bindparam("birth_date")


def _sharing(*conditions: ColumnElement[bool]) -> Prepared:
    return Prepared(select(*_COLUMNS).where(*conditions).order_by(people.c.id).limit(_MOST_CANDIDATES))


# The most telling evidence first: of a hundred persons of one common name, the one born that day must be found.
_CANDIDATES = [
    (("name", "birth_date"), _sharing(_NAME, _BIRTH_DATE)),
    (("phone",), _sharing(_PHONE)),
    (("name",), _sharing(_NAME)),
    (("birth_date",), _sharing(_BIRTH_DATE)),
]
_SEEN = (people.c.family, people.c.given, people.c.birth_date)
_NAMESAKES = (
    select(*_SEEN, literal(0).label("numbered"))
    .where(or_(people.c.match_name.in_(bindparam("names", expanding=True)), _BIRTH_DATE))
    .limit(bindparam("limit"))
    .subquery()
)
_NUMBERED = (
    select(*_SEEN, literal(1).label("numbered"))
    .join(person_keys, person_keys.c.person_id == people.c.id)
    .where(person_keys.c.value.in_(bindparam("numbers", expanding=True)))
    .limit(1)
    .subquery()
)
_SIGHTED = union_all(select(_NAMESAKES), select(_NUMBERED))
_KEYS = (
    select(person_keys)
    .where(person_keys.c.person_id.in_(bindparam("people", expanding=True)))
    .order_by(person_keys.c.system, person_keys.c.value)
)
_KEYS_OF_ONE = Prepared(
    select(person_keys)
    .where(person_keys.c.person_id == bindparam("key"))
    .order_by(person_keys.c.system, person_keys.c.value)
)
_FORGET_KEYS = Prepared(delete(person_keys).where(person_keys.c.person_id == bindparam("key")))
_ADD_KEYS = Prepared(person_keys.insert())
_LOCK = Prepared(select(people.c.id).where(people.c.id == bindparam("key")).with_for_update())
_LOCK_EACH = (
    select(people.c.id)
    .where(people.c.id.in_(bindparam("keys", expanding=True)))
    .order_by(people.c.id)
    .with_for_update()
)


class SqlPeople:
    """`ports.People` on one database connection."""

    def __init__(self, connection: Connection, remembered: Remembered) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, person_id: str) -> Person | None:
        """Return a person."""
        known = self._remembered.people
        if person_id not in known:
            found = next(iter(self._with_keys(_GET.all(self._connection, {"key": person_id}))), None)
            if found is None:
                # Nobody cannot be locked: who looks for them instead asks as much afterwards as after the lock.
                self._remembered.doubt()
            known[person_id] = found
        return known[person_id]

    def save(self, person: Person, at: datetime) -> None:
        """Write a person with all patient ids and identifiers."""
        before = self._remembered.person_for_certain(person.id)
        self._remembered.people.pop(person.id, None)
        self._remembered.numbers.clear()
        write_over(self._connection, people, _row_of(person, at), _row_of(before, at) if before else None)
        keys, known = _keys_of(person), _keys_of(before) if before else set()
        if before is None or known - keys:
            _FORGET_KEYS.run(self._connection, {"key": person.id})
            known = set()
        if new := sorted(keys - known):
            _ADD_KEYS.run_many(self._connection, [{"system": s, "value": v, "person_id": person.id} for s, v in new])

    def by_patient(self, patient_id: str) -> Person | None:
        """Return the person whose Patient resource has this logical id."""
        return next(iter(self.by_identifier(_PATIENT, patient_id)), None)

    def by_identifier(self, system: str, value: str) -> list[Person]:
        """Return the persons known under this identifier (more than one: ambiguous)."""
        return self._with_keys(_BY_KEY.all(self._connection, {"system": indexed(system), "value": indexed(value)}))

    def known_as(self, system: str, value: str) -> list[str]:
        """Return the ids of the persons known under this identifier; one question, whether or not there is anybody."""
        wanted = {"system": indexed(system), "value": indexed(value)}
        return [row.person_id for row in _KNOWN_AS.all(self._connection, wanted)]

    def by_number(self, value: str) -> list[tuple[str, Person]]:
        """Return everybody known under this number, each with the identifier system that gives it, by system and id.

        One question, whoever gave the number and whether or not anybody has it.
        """
        numbers = self._remembered.numbers
        if value not in numbers:
            known = groupby(
                _BY_NUMBER.all(self._connection, {"value": indexed(value)}), key=attrgetter("given_by", "id")
            )
            numbers[value] = [(system, _person_of(list(rows))) for (system, _), rows in known]
            self._remembered.people.update({person.id: person for _, person in numbers[value]})
        return list(numbers[value])

    def candidates(self, family: str, given: str, birth_date: str | None, phone: str | None) -> list[Person]:
        """Return the persons who share a normalized name, a birth date or a phone number; at most 50.

        Those who share name and birth date come first, then phone, name, birth date.
        """
        facts = {"name": _name_key(family, given), "phone": match_phone(phone), "birth_date": birth_date}
        found: dict[str, Any] = {}
        for names, statement in _CANDIDATES:
            values = {name: facts[name] for name in names}
            if all(values.values()):
                for row in statement.all(self._connection, values):
                    found.setdefault(row.id, row)
        return self._with_keys(islice(found.values(), _MOST_CANDIDATES))

    def sighted(
        self, numbers: Collection[str], names: Sequence[tuple[str, str]], birth_date: str | None, limit: int
    ) -> Sighted:
        """Look for anybody who could be meant, in one cheap question."""
        reduced = [name for name in (_name_key(*one) for one in names) if name]
        values = {"numbers": list(map(indexed, numbers)), "names": reduced, "birth_date": birth_date, "limit": limit}
        rows = self._connection.execute(_SIGHTED, values).all()
        namesakes = [Person("", row[0], row[1], row[2], None, None, None) for row in rows if not row[3]]
        return Sighted(len(namesakes) < len(rows), namesakes)

    def lock_each(self, person_ids: Sequence[str]) -> None:
        """Lock these persons as `lock` does, always in the order of their ids; unknown ones are passed over."""
        locked = self._connection.execute(_LOCK_EACH, {"keys": list(person_ids)}).all()
        self._remembered.doubt()
        self._remembered.locked.update(row.id for row in locked)

    def lock(self, person_id: str) -> None:
        """Serialize with every other transaction that locks this person, until the end of this transaction.

        PostgreSQL locks the row; on SQLite the one writer is the lock. Raises `GatewayError` for an unknown person.
        """
        if person_id in self._remembered.locked:
            return
        if _LOCK.first(self._connection, {"key": person_id}) is None:
            raise GatewayError(f"expected a stored person with id {person_id}, found none to lock")
        self._remembered.doubt()
        self._remembered.locked.add(person_id)

    def _with_keys(self, rows: Iterable[Any]) -> list[Person]:
        """Return the persons of these rows with their patient ids and identifiers, in the order of the rows."""
        kept = list(rows)
        if not kept:
            return []
        keys: dict[str, list[tuple[str, str]]] = {row.id: [] for row in kept}
        one = len(keys) == 1  # nearly always
        found = (
            _KEYS_OF_ONE.all(self._connection, {"key": kept[0].id})
            if one
            else self._connection.execute(_KEYS, {"people": list(keys)})
        )
        for key in found:
            keys[key.person_id].append((key.system, key.value))
        return [_person(row, keys[row.id]) for row in kept]


def _row_of(person: Person, at: datetime) -> dict[str, Any]:
    return {
        "id": person.id,
        "family": person.family,
        "given": person.given,
        "birth_date": person.birth_date,
        "gender": person.gender,
        "phone": person.phone,
        "address": person.address,
        "match_name": _name_key(person.family, person.given),
        "match_phone": match_phone(person.phone),
        "updated_at": to_micros(at),
    }


def _name_key(family: str, given: str) -> str:
    return indexed(match_name(family, given))


def _keys_of(person: Person) -> set[tuple[str, str]]:
    identifiers = {(indexed(system), indexed(value)) for system, value in person.identifiers}
    return {(_PATIENT, patient_id) for patient_id in person.patient_ids} | identifiers


def _person_of(rows: Sequence[Any]) -> Person:
    return _person(rows[0], [(row.key_system, row.key_value) for row in rows])


def _person(row: Any, keys: Sequence[tuple[str, str]]) -> Person:
    return Person(
        id=row.id,
        family=row.family,
        given=row.given,
        birth_date=row.birth_date,
        gender=row.gender,
        phone=row.phone,
        address=row.address,
        patient_ids=tuple(value for system, value in keys if system == _PATIENT),
        identifiers=tuple(key for key in keys if key[0] != _PATIENT),
    )
