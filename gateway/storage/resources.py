"""Single FHIR resources: current versions, the history before them, and the index of business identifiers.

A body is stored without `meta.versionId` and `meta.lastUpdated`: the columns know them, and reading adds them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, delete, or_, select

from gateway.model.handoff import Resource
from gateway.ports import StoredResource
from gateway.storage.index_keys import indexed
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.prepared import Prepared
from gateway.storage.remembered import Key, Remembered
from gateway.storage.tables import (
    handoff_resources,
    resource_identifiers,
    resource_versions,
    resources,
)
from gateway.storage.upsert import prepared_upsert

_CURRENT = resources.c.deleted == 0
_GET = Prepared(select(resources).where(resources.c.type == bindparam("type"), resources.c.id == bindparam("key")))
_FORMER = (
    select(resource_versions)
    .where(resource_versions.c.type == bindparam("type"), resource_versions.c.id == bindparam("key"))
    .order_by(resource_versions.c.version.desc())
)
_OF_PEOPLE = (
    select(resources)
    .where(
        resources.c.person_id.in_(bindparam("persons", expanding=True)),
        resources.c.type.in_(bindparam("types", expanding=True)),
        _CURRENT,
    )
    .order_by(resources.c.updated_at, resources.c.id)
)
_BY_IDENTIFIER = Prepared(
    select(resources)
    .join(
        resource_identifiers,
        and_(resource_identifiers.c.type == resources.c.type, resource_identifiers.c.id == resources.c.id),
    )
    .where(
        resource_identifiers.c.type == bindparam("type"),
        resource_identifiers.c.system == bindparam("system"),
        resource_identifiers.c.value == bindparam("value"),
        _CURRENT,
    )
    .order_by(resources.c.updated_at, resources.c.id)
)
_ARCHIVE = Prepared(resource_versions.insert())
_FORGET_IDENTIFIERS = Prepared(
    delete(resource_identifiers).where(
        resource_identifiers.c.type == bindparam("of_type"), resource_identifiers.c.id == bindparam("of_id")
    )
)
_ADD_IDENTIFIERS = Prepared(resource_identifiers.insert())
_LAST_POSITION = Prepared(
    select(handoff_resources.c.position)
    .where(handoff_resources.c.handoff_id == bindparam("handoff"))
    .order_by(handoff_resources.c.position.desc())
    .limit(1)
)
_LINKED = Prepared(
    select(handoff_resources.c.position).where(
        handoff_resources.c.handoff_id == bindparam("handoff"),
        handoff_resources.c.type == bindparam("type"),
        handoff_resources.c.id == bindparam("key"),
    )
)
_LINK = Prepared(handoff_resources.insert())
_OF_VERSION = ("version", "deleted", "updated_at", "body")
"""What alone is another with the next version of most resources: no index has to be written for it."""


_MOST_PREPARED = 64
"""Rows asked for at once by a statement of its own; more are asked for as a list of any length."""
_GET_LIST = select(resources).where(resources.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _of_person(types: int) -> Prepared:
    """Build the question for the resources of a person that are of one of so many types."""
    kinds = or_(*(resources.c.type == bindparam(f"type_{n}") for n in range(types)))
    return Prepared(
        select(resources)
        .where(resources.c.person_id == bindparam("person"), kinds, _CURRENT)
        .order_by(resources.c.updated_at, resources.c.id)
    )


@cache
def _get_many(count: int) -> Prepared:
    """Build the question for so many rows; by id alone: SQLite scans the table for pairs (a, b) IN (...).

    One id under two types is rare.
    """
    return Prepared(select(resources).where(resources.c.id.in_([bindparam(f"id_{n}") for n in range(count)])))


class _Row(NamedTuple):
    """A row of `resource` that this transaction has written, as it would be read."""

    type: str
    id: str
    version: int
    handoff_id: str | None
    person_id: str | None
    deleted: int
    updated_at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """A resource about to get its next version; without a body it is deleted."""

    key: Key
    body: bytes | None
    identifiers: Sequence[Key]
    """(system, value) pairs."""
    handoff_id: str | None
    person_id: str | None
    before: Any | None
    """Its row in `resource` as it is now."""

    @property
    def version(self) -> int:
        """Return the version this change makes."""
        return 1 if self.before is None else self.before.version + 1

    @property
    def stays(self) -> bool:
        """Say whether the resource is about the same person, and of the same handoff, as it was."""
        whose = (self.person_id, self.handoff_id)
        return self.before is not None and (self.before.person_id, self.before.handoff_id) == whose


class SqlResources:
    """`ports.Resources` on one database connection."""

    def __init__(self, connection: Connection, remembered: Remembered) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, resource_type: str, resource_id: str) -> StoredResource | None:
        """Return the current version, or None when it does not exist or was deleted."""
        row = self._row(resource_type, resource_id)
        return None if row is None or row.deleted else _stored(row, row)

    def several(self, keys: Sequence[Key]) -> list[StoredResource]:
        """Return those of these (type, id) that `get` would return, in this order, in one question."""
        rows = current_rows(self._connection, self._remembered, keys).values()
        return [_stored(row, row) for row in rows if not row.deleted]

    def put(self, resource: Resource, *, handoff_id: str | None, person_id: str | None, at: datetime) -> int:
        """Write a resource as its next version; where it is new to the handoff it comes last there."""
        key = (resource["resourceType"], resource["id"])
        change = Change(key, body_of(resource), identifiers_of(resource), handoff_id, person_id, self._row(*key))
        write_changes(self._connection, self._remembered, [change], at)
        if handoff_id is not None:
            self._link(handoff_id, key)
        return change.version

    def history(self, resource_type: str, resource_id: str) -> list[StoredResource]:
        """Return every version, newest first; a number that is missing is a deletion."""
        row = self._row(resource_type, resource_id)
        if row is None:
            return []
        former = self._connection.execute(_FORMER, {"type": resource_type, "key": resource_id})
        newest = [] if row.deleted else [_stored(row, row)]
        return newest + [_stored(version, row) for version in former]

    def of_people(self, resource_types: Sequence[str], person_ids: Sequence[str]) -> list[StoredResource]:
        """Return the current resources of these types about these persons, oldest change first."""
        return self._all(_OF_PEOPLE, {"persons": list(person_ids), "types": list(resource_types)})

    def of_person(self, resource_types: Sequence[str], person_id: str) -> list[StoredResource]:
        """Return the current resources of these types about a person, oldest change first."""
        types = {f"type_{n}": one for n, one in enumerate(resource_types)}
        found = _of_person(len(types)).all(self._connection, {"person": person_id, **types})
        return [_stored(row, row) for row in found]

    def by_identifier(self, resource_type: str, system: str, value: str) -> list[StoredResource]:
        """Return the current resources of a type that carry this business identifier."""
        wanted = {"type": resource_type, "system": indexed(system), "value": indexed(value)}
        found = _BY_IDENTIFIER.all(self._connection, wanted)
        return [_stored(row, row) for row in found]

    def _row(self, resource_type: str, resource_id: str) -> Any | None:
        rows, key = self._remembered.resources, (resource_type, resource_id)
        if key not in rows:
            rows[key] = _GET.first(self._connection, {"type": resource_type, "key": resource_id})
        return rows[key]

    def _all(self, statement: Select[Any], parameters: dict[str, Any]) -> list[StoredResource]:
        return [_stored(row, row) for row in self._connection.execute(statement, parameters)]

    def _link(self, handoff_id: str, key: Key) -> None:
        where = {"handoff": handoff_id, "type": key[0], "key": key[1]}
        if _LINKED.first(self._connection, where) is None:
            last = _LAST_POSITION.first(self._connection, {"handoff": handoff_id})
            _LINK.run(self._connection, link_row(handoff_id, 0 if last is None else last.position + 1, key))


def link_row(handoff_id: str, position: int, key: Key) -> dict[str, Any]:
    """Return the row that says a resource belongs to a handoff."""
    return {"handoff_id": handoff_id, "position": position, "type": key[0], "id": key[1]}


def current_rows(connection: Connection, remembered: Remembered, keys: Sequence[Key]) -> dict[Key, Any]:
    """Return the rows of these resources, deleted ones too, and remember them."""
    known = remembered.resources
    if unknown := {key: None for key in keys if key not in known}:
        found = {(row.type, row.id): row for row in _rows_of(connection, [key for _, key in unknown])}
        known.update({key: found.get(key) for key in unknown})
    return {key: row for key in keys if (row := known[key]) is not None}


def _rows_of(connection: Connection, ids: Sequence[str]) -> list[Any]:
    if len(ids) <= _MOST_PREPARED:
        return _get_many(len(ids)).all(connection, {f"id_{n}": one for n, one in enumerate(ids)})
    return list(connection.execute(_GET_LIST, {"ids": ids}))


def body_of(resource: Resource) -> bytes:
    """Return the JSON text to store: all of the resource but the two `meta` elements the store itself keeps."""
    meta = resource.get("meta")
    if meta and ("versionId" in meta or "lastUpdated" in meta):
        kept = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}
        resource = {name: value for name, value in resource.items() if name != "meta"}
        if kept:
            resource["meta"] = kept
    return dump(resource)


def identifiers_of(resource: Resource) -> list[Key]:
    """Return the (system, value) pairs of a resource's business identifiers, each once."""
    identifier = resource.get("identifier") or ()
    listed = [identifier] if isinstance(identifier, dict) else identifier
    return sorted({(i["system"], i["value"]) for i in listed if i.get("system") and i.get("value")})


def write_changes(connection: Connection, remembered: Remembered, changes: Sequence[Change], at: datetime) -> None:
    """Write the next version of each resource, keep the one before, and index its identifiers where they are others."""
    written = [(change, _row_of(change, to_micros(at))) for change in changes]
    before = [change.before for change in changes if change.before is not None and not change.before.deleted]
    if before:
        _ARCHIVE.run_many(connection, [_former_row(row) for row in before])
    indexed_as = {(row.type, row.id): identifiers_of(load(row.body)) for row in before}
    others = [change for change in changes if indexed_as.get(change.key) != list(change.identifiers)]
    if stale := [change.key for change in others if indexed_as.get(change.key)]:
        _FORGET_IDENTIFIERS.run_many(connection, [{"of_type": key[0], "of_id": key[1]} for key in stale])
    _write(connection, [row for change, row in written if change.stays], _OF_VERSION)
    _write(connection, [row for change, row in written if not change.stays], None)
    if index := list(_index_rows(others)):
        _ADD_IDENTIFIERS.run_many(connection, index)
    remembered.resources.update({change.key: row for change, row in written})


def _write(connection: Connection, rows: Sequence[_Row], overwrite: Sequence[str] | None) -> None:
    if rows:
        upserting = prepared_upsert(connection.dialect.name, resources, overwrite)
        upserting.run_many(connection, [row._asdict() for row in rows])


def _index_rows(changes: Sequence[Change]) -> Iterator[dict[str, str]]:
    for change in changes:
        for system, value in change.identifiers:
            yield {"type": change.key[0], "id": change.key[1], "system": indexed(system), "value": indexed(value)}


def _row_of(change: Change, at: int) -> _Row:
    return _Row(
        type=change.key[0],
        id=change.key[1],
        version=change.version,
        handoff_id=change.handoff_id,
        person_id=change.person_id,
        deleted=int(change.body is None),
        updated_at=at,
        body=change.body or b"",
    )


def _former_row(before: Any) -> dict[str, Any]:
    return {
        "type": before.type,
        "id": before.id,
        "version": before.version,
        "updated_at": before.updated_at,
        "body": before.body,
    }


def _stored(version: Any, current: Any) -> StoredResource:
    updated_at = from_micros(version.updated_at)
    body = load(version.body)
    meta = {**body.get("meta", {}), "versionId": str(version.version), "lastUpdated": instant_text(updated_at)}
    return StoredResource(
        body={**body, "meta": meta},
        version=version.version,
        updated_at=updated_at,
        handoff_id=current.handoff_id,
        person_id=current.person_id,
    )


def instant_text(at: datetime) -> str:
    """Return an instant as FHIR R4 writes it, to the microsecond, in UTC."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
