"""Decisions and the log of disclosures (42 CFR 2.25) are what the audit trail tells of; anything else is found."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, insert, literal, select, update
from sqlalchemy.sql.dml import UpdateBase

from gateway.flow.gateway import Gateway
from gateway.model.consult import Consult
from gateway.model.errors import TryLater
from gateway.storage.database import SqlDatabase
from gateway.storage.json_text import dump, load
from gateway.storage.tables import decisions, disclosures
from gateway.storage.told_by_trail import broken_record
from gateway.testing import FixedClock
from tests.support.flow_house import CONTACT, HOSPITAL, World, a_world

pytest_plugins = ("tests.support.databases",)

OTHER = {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Mockname", "first_name": "Cy",
         "dob": "1971-03-04", "phone": "", "consent_status": "refused"}  # fmt: skip


@pytest.fixture
def store(sql_database: SqlDatabase, clock: FixedClock) -> SqlDatabase:
    """Give a store after a sending at the second try, a refusal, a read, a search and a consult."""
    base = a_world()
    base.transport.failures.append(TryLater("not now"))
    house = replace(base.house, database=sql_database, clock=clock)
    world = World(house, Gateway(house), clock, base.database, base.transport)
    world.take(CONTACT, OTHER)
    clock.advance(timedelta(minutes=30))
    world.work()
    assert len(world.transport.sent) == 1
    (task,) = world.gateway.search(HOSPITAL, "Task", []).resources
    world.gateway.read(HOSPITAL, "Task", task["id"])
    world.gateway.consult(HOSPITAL, Consult((task["for"]["reference"],), ("TREAT",)))
    return sql_database


class _Undone(Exception):
    pass


def found(store: SqlDatabase, change: UpdateBase) -> str:
    """Change the tables behind the gateway's back, say what is found, and change them back."""
    told = ""

    def look(connection: Connection) -> None:
        nonlocal told
        connection.execute(change)
        told = str(broken_record(connection))
        raise _Undone

    with pytest.raises(_Undone):
        store.change(look)
    return told


def test_a_store_that_nobody_touched_holds_what_is_told_of(store: SqlDatabase) -> None:
    kept = store.query(lambda c: c.execute(select(disclosures.c.decision_id)).all())

    assert len(kept) == 4
    assert store.query(broken_record) is None


def test_a_log_of_disclosures_that_is_not_as_it_was_told_is_found(store: SqlDatabase) -> None:
    messages = store.query(lambda c: c.execute(select(disclosures.c.message_id)).scalars().all())
    refused = select(decisions.c.id).where(decisions.c.decision == "DENY").limit(1).scalar_subquery()
    a_row = select(literal("invented"), disclosures.c.decision_id, literal("TREAT"), literal("a read"), literal(0))
    columns = ["message_id", "decision_id", "purpose", "description", "intended_at"]
    changes: list[tuple[UpdateBase, str]] = [
        (update(disclosures).values(description="something else"), "is not what row"),
        (update(disclosures).values(purpose="HPAYMT"), "is not what row"),
        (update(disclosures).values(intended_at=disclosures.c.intended_at + 1), "is not what row"),
        (update(disclosures).values(decision_id=refused), "rests on another decision than row"),
        (insert(disclosures).from_select(columns, a_row.limit(1)), "5 disclosures are kept, but the trail tells of 4"),
        *(
            (delete(disclosures).where(disclosures.c.message_id == one), f"disclosure {one} is missing: row")
            for one in messages
        ),
    ]

    for change, problem in changes:
        assert problem in found(store, change)


def test_decisions_that_are_not_as_they_were_told_are_found(store: SqlDatabase) -> None:
    refused = decisions.c.decision == "DENY"
    kept = store.query(lambda c: c.execute(select(decisions).where(refused)).first())
    assert kept is not None
    record = load(kept.record)
    forged = [
        dump({**record, name: value})
        for name, value in {"decision": "PERMIT", "withheld": [], "reason": "OK_CONSENT", "at": "2026-01-01"}.items()
    ]
    changes: list[tuple[UpdateBase, str]] = [
        *((update(decisions).where(refused).values(record=one), "is not what row") for one in forged),
        (update(decisions).values(recipient="org:nobody"), "is not what row"),
        (update(decisions).values(channel="console"), "is not what row"),
        (update(decisions).where(refused).values(handoff_id=None), "is not what row"),
        (delete(decisions).where(refused), "is missing: row"),
    ]

    for change, problem in changes:
        told = found(store, change)
        assert told.startswith("decision ")
        assert problem in told
