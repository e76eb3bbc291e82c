"""What `ports.Database` promises about writing, on every implementation."""

from collections.abc import Callable, Sequence

import pytest

from gateway.model.audit import AuditEntry
from gateway.ports import Database, SharedWork, Transaction
from tests.support.stored import AT, an_input

pytest_plugins = ("tests.support.databases",)


def test_shared_work_gives_its_caller_the_value_for_his_matter(database: Database) -> None:
    def keep(tx: Transaction, names: Sequence[str]) -> list[str]:
        tx.inputs.add(*map(an_input, names))
        return [f"{name} is kept" for name in names]

    assert [database.write(SharedWork(keep, name)) for name in ("one", "two")] == ["one is kept", "two is kept"]
    assert database.read(lambda tx: tx.inputs.get("two")) == an_input("two")


def test_a_write_returns_what_its_work_returned(database: Database) -> None:
    assert database.write(lambda _: 42) == 42


class Unlucky(Exception):
    """Raised by work on purpose."""


def failing_after(change: Callable[[Transaction], object]) -> Callable[[Transaction], None]:
    """Return work that changes something and then raises."""

    def work(transaction: Transaction) -> None:
        change(transaction)
        raise Unlucky

    return work


def test_work_that_raises_raises_here_and_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(Unlucky):
        database.write(failing_after(lambda t: t.inputs.add(an_input())))

    assert database.read(lambda t: t.inputs.get("input-1")) is None


def test_work_sees_its_own_changes(database: Database) -> None:
    def work(transaction: Transaction) -> bool:
        transaction.inputs.add(an_input())
        return transaction.inputs.get("input-1") is not None

    assert database.write(work) is True


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_ever(database: Database) -> None:
    def nested(_: Transaction) -> None:
        database.write(lambda t: t.inputs.add(an_input()))

    with pytest.raises(RuntimeError, match="use the transaction it was given"):
        database.write(nested)

    assert database.write(lambda _: "alive") == "alive"


def test_an_audit_entry_that_is_not_json_fails_only_its_own_work(database: Database) -> None:
    with pytest.raises(TypeError):
        database.write(lambda t: t.audit.append(AuditEntry(AT, "test", "cli", {"value": object()})))

    database.write(lambda t: t.audit.append(AuditEntry(AT, "test", "cli", {"value": 1})))
