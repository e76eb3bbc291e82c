"""What `ports.Database` promises about counts of feeds and looking people up cheaply, on every implementation."""

from datetime import date

import pytest

from gateway.ports import Database, DroppedCount, Transaction
from tests.support.stored import AT, a_person

pytest_plugins = ("tests.support.databases",)

DAY, NEXT = date(2026, 11, 2), date(2026, 11, 3)


def test_counts_of_a_feed_and_day_add_up(database: Database) -> None:
    database.write(lambda t: t.feeds.add_dropped([DroppedCount("org:a", "EHR^H", DAY, 500)]))
    database.write(
        lambda t: t.feeds.add_dropped(
            [
                DroppedCount("org:a", "EHR^H", DAY, 7),
                DroppedCount("org:a", "EHR^H", NEXT, 1),
                DroppedCount("org:a", "EHR^B", NEXT, 2),
            ]
        )
    )

    assert database.read(lambda t: t.feeds.dropped(DAY)) == [
        DroppedCount("org:a", "EHR^B", NEXT, 2),
        DroppedCount("org:a", "EHR^H", NEXT, 1),
        DroppedCount("org:a", "EHR^H", DAY, 507),
    ]
    assert len(database.read(lambda t: t.feeds.dropped(NEXT))) == 2


def test_nothing_to_count_writes_nothing(database: Database) -> None:
    database.write(lambda t: t.feeds.add_dropped([]))

    assert database.read(lambda t: t.feeds.dropped(DAY)) == []


@pytest.mark.parametrize(
    ("numbers", "known"), [(["P-1"], True), (["x", "patient-1"], True), (["P-2"], False), ([], False)]
)
def test_a_number_is_found_whoever_gave_it(database: Database, numbers: list[str], known: bool) -> None:
    database.write(lambda t: t.people.save(a_person(), AT))

    assert database.read(lambda t: t.people.sighted(numbers, [], None, 10)).has_number is known


def test_namesakes_share_a_name_or_the_birth_date(database: Database) -> None:
    others = [("p2", "Zztest", "Aaron", None), ("p3", "Nobody", "Known", "1980-02-30"), ("p4", "Nobody", "Else", None)]

    def write(tx: Transaction) -> None:
        tx.people.save(a_person(), AT)
        for key, family, given, born in others:
            tx.people.save(
                a_person(key, family=family, given=given, birth_date=born, patient_ids=(), identifiers=()), AT
            )

    database.write(write)

    def found(names: list[tuple[str, str]], born: str | None, limit: int = 10) -> list[tuple[str, str | None]]:
        sighted = database.read(lambda t: t.people.sighted([], names, born, limit))
        return sorted(((one.given, one.birth_date) for one in sighted.namesakes), key=str)

    born = "1980-02-30"
    assert found([("ZZTEST", "aaron")], None) == [("Aaron", "1980-02-30"), ("Aaron", None)]
    assert found([("x", "y")], born) == [("Aaron", "1980-02-30"), ("Known", "1980-02-30")]
    assert found([("x", "y"), ("Nobody", "Else")], born) == [
        ("Aaron", "1980-02-30"), ("Else", None), ("Known", "1980-02-30"),
    ]  # fmt: skip
    assert found([], None) == []
    assert len(found([("Zztest", "Aaron")], born, limit=2)) == 2
