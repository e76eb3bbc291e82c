"""Several stores on one PostgreSQL, as several processes would be: one chain, one owner a lane, no lost collision."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.model.audit import AuditEntry
from gateway.ports import Claim, Transaction
from gateway.storage.audit import audit_head, verify_audit
from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock
from tests.support.stored import AT, a_person, an_input

pytest_plugins = ("tests.support.databases",)

LEASE = timedelta(seconds=30)


@pytest.fixture
def pair(postgresql_store_url: str, clock: FixedClock) -> Iterator[tuple[SqlDatabase, SqlDatabase]]:
    """Give two stores on one database."""
    both = (open_database(postgresql_store_url, clock=clock), open_database(postgresql_store_url, clock=clock))
    yield both
    for database in both:
        database.close()


def at_once(*tasks: Callable[[], object]) -> None:
    """Run tasks in threads of their own and wait for all."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result()


def test_two_processes_write_one_chain_without_a_gap(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    def tell(database: SqlDatabase, actor: str) -> Callable[[], None]:
        def run() -> None:
            for n in range(60):
                database.write(lambda t, n=n: t.audit.append(AuditEntry(AT, "test", actor, {"n": n})))

        return run

    at_once(
        *(tell(database, f"{name}{thread}") for thread in range(3) for name, database in zip("ab", pair, strict=True))
    )

    assert pair[0].query(verify_audit) is None
    assert pair[0].query(audit_head).seq == 360


def test_two_workers_never_own_one_lane(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    for lane in range(4):
        pair[0].write(
            lambda t, lane=lane: t.outbox.add(
                lane=f"lane-{lane}",
                kind="deliver",
                subject="task-1",
                action="create",
                message_id=f"m-{lane}",
                version=1,
                at=AT,
            )
        )
    owners: Counter[str] = Counter()
    claims: Counter[str] = Counter()
    twice: list[str] = []
    guard = threading.Lock()

    def work(database: SqlDatabase, owner: str) -> Callable[[], None]:
        def run() -> None:
            for _ in range(40):
                claimed = database.write(lambda t: t.outbox.claim(owner, AT, LEASE))
                if claimed is not None:
                    hold(claimed)
                    database.write(lambda t, claimed=claimed: t.outbox.release(claimed))

        return run

    def hold(claimed: Claim) -> None:
        with guard:
            claims[claimed.lane] += 1
            owners[claimed.lane] += 1
            if owners[claimed.lane] > 1:
                twice.append(claimed.lane)
        with guard:
            owners[claimed.lane] -= 1

    at_once(*(work(database, owner) for database, owner in zip(pair * 3, "abcdef", strict=True)))

    assert twice == []
    assert sorted(claims) == ["lane-0", "lane-1", "lane-2", "lane-3"]


def test_locks_taken_in_opposite_order_end_well_for_both(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    for person_id in ("person-1", "person-2"):
        pair[0].write(lambda t, person_id=person_id: t.people.save(a_person(person_id, patient_ids=()), AT))
    both_hold_one = threading.Barrier(2, timeout=20)
    runs: Counter[str] = Counter()

    def lock(database: SqlDatabase, first: str, second: str) -> Callable[[], None]:
        def work(transaction: Transaction) -> None:
            runs[first] += 1
            transaction.people.lock(first)
            if runs[first] == 1:
                both_hold_one.wait()
            transaction.people.lock(second)
            transaction.inputs.add(an_input(f"after-{first}"))

        return lambda: database.write(work)

    at_once(lock(pair[0], "person-1", "person-2"), lock(pair[1], "person-2", "person-1"))

    assert sum(runs.values()) > 2
    for person_id in ("person-1", "person-2"):
        assert pair[0].read(lambda t, p=person_id: t.inputs.get(f"after-{p}")) is not None


def test_of_two_processes_that_take_the_same_input_at_once_one_finds_the_others(
    pair: tuple[SqlDatabase, SqlDatabase],
) -> None:
    both_looked = threading.Barrier(2, timeout=20)
    results: list[str] = []

    def take(database: SqlDatabase, input_id: str) -> Callable[[], None]:
        runs = iter(range(5))

        def work(transaction: Transaction) -> str:
            known = transaction.inputs.by_idempotency_key("demo-agency", "seattle-rms-crisis", "key-1")
            if next(runs) == 0:
                both_looked.wait()
            if known is not None:
                return "found the other"
            transaction.inputs.add(an_input(input_id))
            transaction.inputs.remember_key("demo-agency", "seattle-rms-crisis", "key-1", input_id)
            return "was first"

        return lambda: results.append(database.write(work))

    at_once(take(pair[0], "input-a"), take(pair[1], "input-b"))

    assert sorted(results) == ["found the other", "was first"]


def test_of_two_processes_that_take_a_turn_at_once_the_second_sees_what_the_first_wrote(
    pair: tuple[SqlDatabase, SqlDatabase],
) -> None:
    taken, other_asked = threading.Event(), threading.Event()
    seen: list[bool] = []

    def first(transaction: Transaction) -> None:
        transaction.turns.take("review 1")
        taken.set()
        other_asked.wait(20)
        transaction.inputs.add(an_input())

    def second(transaction: Transaction) -> None:
        taken.wait(20)
        other_asked.set()
        transaction.turns.take("review 1")
        seen.append(transaction.inputs.get("input-1") is not None)

    at_once(lambda: pair[0].write(first), lambda: pair[1].write(second))

    assert seen == [True]


def test_turns_at_other_things_wait_for_nobody(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    both_have_one = threading.Barrier(2, timeout=20)

    def take(thing: str) -> Callable[[Transaction], None]:
        def work(transaction: Transaction) -> None:
            transaction.turns.take(thing)
            both_have_one.wait()

        return work

    at_once(lambda: pair[0].write(take("review 1")), lambda: pair[1].write(take("review 2")))

    assert not both_have_one.broken


def test_a_locked_person_makes_the_other_process_wait(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    pair[0].write(lambda t: t.people.save(a_person(), AT))
    locked, other_asked = threading.Event(), threading.Event()
    order: list[str] = []

    def first(transaction: Transaction) -> None:
        transaction.people.lock("person-1")
        locked.set()
        other_asked.wait(20)
        transaction.inputs.add(an_input())
        order.append("first")

    def second(transaction: Transaction) -> bool:
        locked.wait(20)
        other_asked.set()
        transaction.people.lock("person-1")
        order.append("second")
        return transaction.inputs.get("input-1") is not None

    seen: list[bool] = []
    at_once(lambda: pair[0].write(first), lambda: seen.append(pair[1].write(second)))

    assert order == ["first", "second"]
    assert seen == [True]


def test_work_that_one_process_adds_wakes_the_workers_of_another(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    listener, other = pair
    listener.wait_for_work(0)
    woken = threading.Event()

    def wait() -> None:
        while not listener.read(lambda t: t.outbox.of_subject("task-1")):
            listener.wait_for_work(60)
        woken.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    other.write(
        lambda t: t.outbox.add(
            lane="lane", kind="deliver", subject="task-1", action="create", message_id="m-1", version=1, at=AT
        )
    )

    assert woken.wait(20)
    waiter.join()
