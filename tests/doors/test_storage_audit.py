"""The audit chain: written without gaps, and every kind of tampering with it found."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from gateway.model.audit import AuditEntry, BrokenLink, ChainHead
from gateway.storage.audit import audit_head, audit_rows, verify_audit
from gateway.storage.database import SqlDatabase
from gateway.storage.tables import audit
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)


@pytest.fixture
def audited(sql_database: SqlDatabase) -> SqlDatabase:
    """Give a store with a trail of five rows."""
    for n in range(1, 6):
        entry = AuditEntry(AT, "decision.permit", "worker", {"n": n, "reasons": ["OK_CONSENT"], "share": 0.1})
        sql_database.write(lambda t, entry=entry: t.audit.append(entry))
    return sql_database


def tampered(database: SqlDatabase, change: Callable[[Connection], object]) -> BrokenLink | None:
    """Change the table behind the store's back and verify."""
    database.change(change)
    return database.query(verify_audit)


def test_an_untouched_trail_verifies(audited: SqlDatabase) -> None:
    assert audited.query(verify_audit) is None


def test_an_empty_trail_verifies_and_has_the_genesis_as_its_head(sql_database: SqlDatabase) -> None:
    assert sql_database.query(verify_audit) is None
    assert sql_database.query(audit_head) == ChainHead(0, "0" * 64)


def test_rows_are_numbered_without_a_gap_across_groups(audited: SqlDatabase) -> None:
    assert [row.seq for row in audited.query(lambda c: list(audit_rows(c)))] == [1, 2, 3, 4, 5]


def test_an_instant_of_another_zone_is_the_same_instant_in_the_chain(sql_database: SqlDatabase) -> None:
    from zoneinfo import ZoneInfo

    local = AT.astimezone(ZoneInfo("America/Los_Angeles"))

    sql_database.write(lambda t: t.audit.append(AuditEntry(local, "input.accepted", "cli", {})))

    assert sql_database.query(verify_audit) is None


def test_changed_data_is_found(audited: SqlDatabase) -> None:
    broken = tampered(audited, lambda c: c.execute(update(audit).where(audit.c.seq == 3).values(data=b'{"n":4}')))

    assert broken == BrokenLink(3, "has other content than was written")


def test_unreadable_data_is_found(audited: SqlDatabase) -> None:
    broken = tampered(audited, lambda c: c.execute(update(audit).where(audit.c.seq == 3).values(data=b"{")))

    assert broken == BrokenLink(3, "has unreadable data")


@pytest.mark.parametrize("column", ["at", "kind", "actor"])
def test_every_changed_column_is_found(audited: SqlDatabase, column: str) -> None:
    value = 1 if column == "at" else "somebody.else"

    broken = tampered(audited, lambda c: c.execute(update(audit).where(audit.c.seq == 5).values({column: value})))

    assert broken == BrokenLink(5, "has other content than was written")


def test_a_removed_row_is_found(audited: SqlDatabase) -> None:
    broken = tampered(audited, lambda c: c.execute(delete(audit).where(audit.c.seq == 2)))

    assert broken == BrokenLink(2, "is missing: the next row has number 3")


def test_the_removal_of_the_first_row_is_found(audited: SqlDatabase) -> None:
    broken = tampered(audited, lambda c: c.execute(delete(audit).where(audit.c.seq == 1)))

    assert broken == BrokenLink(1, "is missing: the next row has number 2")


def test_a_removed_row_whose_successors_were_renumbered_is_found(audited: SqlDatabase) -> None:
    def remove(connection: Connection) -> None:
        connection.execute(delete(audit).where(audit.c.seq == 2))
        for seq in (3, 4, 5):
            connection.execute(update(audit).where(audit.c.seq == seq).values(seq=seq - 1))

    assert tampered(audited, remove) == BrokenLink(2, "does not follow the row before it")


def test_an_inserted_row_is_found(audited: SqlDatabase) -> None:
    def insert_one(connection: Connection) -> None:
        head = audit_head(connection)
        forged = {"seq": 6, "at": 0, "kind": "decision.permit", "actor": "worker", "data": b"{}", "hash": "f" * 64}
        connection.execute(insert(audit), {**forged, "previous": head.hash})

    assert tampered(audited, insert_one) == BrokenLink(6, "has other content than was written")


def test_a_trail_cut_off_at_its_end_is_found_only_with_a_head_noted_before(audited: SqlDatabase) -> None:
    noted = audited.query(audit_head)

    unnoticed = tampered(audited, lambda c: c.execute(delete(audit).where(audit.c.seq > 3)))
    noticed = audited.query(lambda c: verify_audit(c, noted))

    assert unnoticed is None
    assert noticed == BrokenLink(4, "and all after it are missing: number 5 was noted as written")


def test_a_trail_rewritten_from_the_start_is_found_with_a_head_noted_before(audited: SqlDatabase) -> None:
    noted = ChainHead(3, "e" * 64)

    assert audited.query(lambda c: verify_audit(c, noted)) == BrokenLink(3, "is not the row whose hash was noted")


def test_a_noted_head_that_still_stands_verifies_after_more_rows(audited: SqlDatabase) -> None:
    noted = audited.query(lambda c: c.execute(select(audit.c.seq, audit.c.hash).where(audit.c.seq == 3)).one())

    assert audited.query(lambda c: verify_audit(c, ChainHead(*noted))) is None
