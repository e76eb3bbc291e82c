"""Encounter records as kept for exchange, each with exactly the resources it was last saved with."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, or_, select, update

from gateway.model.handoff import Handoff, HandoffState, Resource
from gateway.ports import Brought
from gateway.storage.effects import must_exist
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.prepared import Prepared
from gateway.storage.remembered import Key, Remembered
from gateway.storage.resources import (
    Change,
    body_of,
    current_rows,
    identifiers_of,
    link_row,
    write_changes,
)
from gateway.storage.tables import caveats, decisions, handoff_resources, handoffs, inputs, referrals, resources
from gateway.storage.upsert import write_over

_GET = Prepared(select(handoffs).where(handoffs.c.id == bindparam("key")))
_OF_PERSON = Prepared(
    select(handoffs).where(handoffs.c.person_id == bindparam("person")).order_by(handoffs.c.created_at, handoffs.c.id)
)
_SET_STATE = update(handoffs).where(handoffs.c.id == bindparam("key"))
_CONTENT = Prepared(
    select(resources)
    .join(
        handoff_resources,
        and_(handoff_resources.c.type == resources.c.type, handoff_resources.c.id == resources.c.id),
    )
    .where(handoff_resources.c.handoff_id == bindparam("key"), resources.c.deleted == 0)
    .order_by(handoff_resources.c.position)
)
_OF_PEOPLE = (
    select(handoffs)
    .where(handoffs.c.person_id.in_(bindparam("persons", expanding=True)))
    .order_by(handoffs.c.created_at, handoffs.c.id)
)
_HOLDING = (
    select(handoffs.c.id, handoffs.c.agency, inputs.c.client)
    .join(handoff_resources, handoff_resources.c.handoff_id == handoffs.c.id)
    .join(inputs, inputs.c.id == handoffs.c.input_id)
    .where(
        handoff_resources.c.type == bindparam("type"),
        handoff_resources.c.id.in_(bindparam("keys", expanding=True)),
    )
    .distinct()
    .order_by(handoffs.c.id)
)
_SEVERAL = select(handoffs).where(handoffs.c.id.in_(bindparam("keys", expanding=True)))
_BODIES_OF_SEVERAL = (
    select(handoff_resources.c.handoff_id, resources.c.body)
    .join(resources, and_(handoff_resources.c.type == resources.c.type, handoff_resources.c.id == resources.c.id))
    .where(handoff_resources.c.handoff_id.in_(bindparam("keys", expanding=True)), resources.c.deleted == 0)
    .order_by(handoff_resources.c.handoff_id, handoff_resources.c.position)
)
_OTHERS = handoffs.alias("other")
_CONTENTS = Prepared(
    select(handoff_resources.c.handoff_id, resources.c.body)
    .join(handoffs, handoffs.c.id == handoff_resources.c.handoff_id)
    .join(resources, and_(handoff_resources.c.type == resources.c.type, handoff_resources.c.id == resources.c.id))
    .where(
        handoffs.c.person_id == bindparam("person"),
        or_(handoffs.c.state == "active", handoffs.c.state == "unrouted"),
        ~exists().where(_OTHERS.c.person_id == bindparam("person"), _OTHERS.c.state == "held"),
        resources.c.deleted == 0,
    )
    .order_by(handoffs.c.created_at, handoffs.c.id, handoff_resources.c.position)
)
_LINKS = Prepared(
    select(handoff_resources.c.type, handoff_resources.c.id)
    .where(handoff_resources.c.handoff_id == bindparam("key"))
    .order_by(handoff_resources.c.position)
)
_HELD_ELSEWHERE = Prepared(
    select(handoff_resources.c.handoff_id).where(
        handoff_resources.c.type == bindparam("type"), handoff_resources.c.id == bindparam("key")
    )
)
_UNLINK = Prepared(
    delete(handoff_resources).where(
        handoff_resources.c.handoff_id == bindparam("key"), handoff_resources.c.position >= bindparam("from")
    )
)
_LINK = Prepared(handoff_resources.insert())
_SET_PERSON = Prepared(
    update(resources)
    .where(resources.c.type == bindparam("of_type"), resources.c.id == bindparam("of_id"))
    .values(person_id=bindparam("person"), handoff_id=bindparam("handoff"))
)
_MOVES = [
    update(table).where(table.c.person_id == bindparam("from_person")).values(person_id=bindparam("to_person"))
    for table in (handoffs, resources, referrals, decisions, caveats)
]


class SqlHandoffs:
    """`ports.Handoffs` on one database connection."""

    def __init__(self, connection: Connection, remembered: Remembered) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, handoff_id: str) -> Handoff | None:
        """Return a handoff without its resources."""
        known = self._remembered.handoffs
        if handoff_id not in known:
            row = _GET.first(self._connection, {"key": handoff_id})
            known[handoff_id] = None if row is None else _handoff(row)
        return known[handoff_id]

    def save(self, handoff: Handoff, resources: Sequence[Resource]) -> None:
        """Write a handoff and exactly these resources, in this order; what changed gets its next version.

        A resource that other handoffs hold too (an agency's Organization) outlives its removal from this one.
        Raises `ValueError` when a resource is listed twice.
        """
        keys = [(resource["resourceType"], resource["id"]) for resource in resources]
        if len(set(keys)) != len(keys):
            raise ValueError(f"expected each resource of handoff {handoff.id} once, found one twice")
        known = self._remembered.handoff_for_certain(handoff.id)
        self._remembered.doubt()  # of what several persons share, others may have written the next version
        self._remembered.handoffs.pop(handoff.id, None)
        write_over(self._connection, handoffs, _row_of(handoff), _row_of(known) if known else None)
        dropped = self._relink(handoff.id, keys)
        before = current_rows(self._connection, self._remembered, [*keys, *dropped])
        changes = [_deletion(key, before[key]) for key in dropped]
        moved = []
        for key, resource in zip(keys, resources, strict=True):
            row = before.get(key)
            body, person_id = body_of(resource), _person_of(handoff, row)
            if row is None or row.deleted or row.body != body:
                changes.append(Change(key, body, identifiers_of(resource), handoff.id, person_id, row))
            elif (row.person_id, row.handoff_id) != (person_id, handoff.id):
                moved.append({"of_type": key[0], "of_id": key[1], "person": person_id, "handoff": handoff.id})
        if changes:
            write_changes(self._connection, self._remembered, changes, handoff.updated_at)
        if moved:
            _SET_PERSON.run_many(self._connection, moved)
            for one in moved:
                del self._remembered.resources[one["of_type"], one["of_id"]]

    def set_state(self, handoff_id: str, state: HandoffState, reason: str | None, at: datetime) -> None:
        """Hold, release or withdraw a handoff."""
        self._remembered.handoffs.pop(handoff_id, None)
        statement = _SET_STATE.values(state=state, hold_reason=reason, updated_at=to_micros(at))
        must_exist(self._connection.execute(statement, {"key": handoff_id}), "handoff", handoff_id)

    def resources(self, handoff_id: str) -> list[Resource]:
        """Return the current resources of a handoff, as they were saved and in that order."""
        rows = _CONTENT.all(self._connection, {"key": handoff_id})
        self._remembered.resources.update({(row.type, row.id): row for row in rows})
        return [load(row.body) for row in rows]

    def several(self, handoff_ids: Sequence[str]) -> list[tuple[Handoff, list[Resource]]]:
        """Return these handoffs, in this order, each with its current resources as `resources` gives them."""
        keys = list(dict.fromkeys(handoff_ids))
        found = {row.id: _handoff(row) for row in self._connection.execute(_SEVERAL, {"keys": keys})}
        bodies: dict[str, list[Resource]] = {key: [] for key in found}
        for row in self._connection.execute(_BODIES_OF_SEVERAL, {"keys": keys}):
            bodies[row.handoff_id].append(load(row.body))
        return [(found[key], bodies[key]) for key in keys if key in found]

    def of_person(self, person_id: str) -> list[Handoff]:
        """Return every handoff about a person, oldest first."""
        return [_handoff(row) for row in _OF_PERSON.all(self._connection, {"person": person_id})]

    def of_people(self, person_ids: Sequence[str]) -> list[Handoff]:
        """Return every handoff about these persons, oldest first."""
        return [_handoff(row) for row in self._connection.execute(_OF_PEOPLE, {"persons": list(person_ids)})]

    def holding(self, resource_type: str, resource_ids: Sequence[str]) -> list[Brought]:
        """Return the handoffs that hold any of these resources now, by id."""
        wanted = {"type": resource_type, "keys": list(resource_ids)}
        return [Brought(row.id, row.agency, row.client) for row in self._connection.execute(_HOLDING, wanted)]

    def contents_of(self, person_id: str) -> list[tuple[str, Resource]]:
        """Return the resources of every active handoff about a person, each with the id of its handoff.

        None where another one is held: nobody has said yet who the person is.
        """
        rows = _CONTENTS.all(self._connection, {"person": person_id})
        return [(row.handoff_id, load(row.body)) for row in rows]

    def move_person(self, from_person: str, to_person: str) -> None:
        """Re-point handoffs, resources, referrals, decisions and caveats from one person to another."""
        self._remembered.forget()
        for statement in _MOVES:
            self._connection.execute(statement, {"from_person": from_person, "to_person": to_person})

    def _relink(self, handoff_id: str, keys: list[Key]) -> list[Key]:
        """Let a handoff hold exactly `keys`; return the resources that no handoff holds any more."""
        linked = [(row.type, row.id) for row in _LINKS.all(self._connection, {"key": handoff_id})]
        if linked == keys:
            return []
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(linked, keys, strict=False)))
        if linked[same:]:
            _UNLINK.run(self._connection, {"key": handoff_id, "from": same})
        if keys[same:]:
            rows = [link_row(handoff_id, n, key) for n, key in enumerate(keys[same:], same)]
            _LINK.run_many(self._connection, rows)
        kept = set(keys)
        return [key for key in linked if key not in kept and not self._is_held(key)]

    def _is_held(self, key: Key) -> bool:
        return _HELD_ELSEWHERE.first(self._connection, {"type": key[0], "key": key[1]}) is not None


def _person_of(handoff: Handoff, row: Any | None) -> str | None:
    """Say whom a resource is about: what handoffs of different persons share is about nobody."""
    shared = row is not None and row.handoff_id not in (None, handoff.id) and not row.deleted
    if shared and row is not None and row.person_id != handoff.person_id:
        return None
    return handoff.person_id


def _deletion(key: Key, row: Any) -> Change:
    return Change(key, None, (), row.handoff_id, row.person_id, row)


def _row_of(handoff: Handoff) -> dict[str, Any]:
    return {
        "id": handoff.id,
        "version": handoff.version,
        "program": handoff.program,
        "agency": handoff.agency,
        "content_hash": handoff.content_hash,
        "person_id": handoff.person_id,
        "state": handoff.state,
        "hold_reason": handoff.hold_reason,
        "input_id": handoff.input_id,
        "mapping": handoff.mapping,
        "facts": dump(dict(handoff.facts)),
        "findings": dump(handoff.findings),
        "created_at": to_micros(handoff.created_at),
        "updated_at": to_micros(handoff.updated_at),
    }


def _handoff(row: Any) -> Handoff:
    return Handoff(
        **{
            **row._asdict(),
            "facts": load(row.facts),
            "findings": tuple(load(row.findings)),
            "created_at": from_micros(row.created_at),
            "updated_at": from_micros(row.updated_at),
        }
    )
