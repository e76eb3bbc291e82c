"""The console's queries, on both engines."""

from datetime import timedelta

import pytest

from gateway.model.handoff import InputRecord, WorkState
from gateway.ports import Transaction
from gateway.storage.database import SqlDatabase
from gateway.storage.view_rows import FlowNumbers, RecordQuery, ReferralState
from gateway.storage.views import PAGE_SIZE, ConsoleViews
from tests.support.stored import AT, a_handoff, a_referral, an_input

pytest_plugins = ("tests.support.databases",)

MIDNIGHT = AT.replace(hour=8)
"""In Los Angeles."""
LANE = "org:clinic/fhir"


@pytest.fixture
def views(sql_database: SqlDatabase) -> ConsoleViews:
    return ConsoleViews(sql_database)


def work(tx: Transaction, number: int, state: WorkState, subject: str = "task-1", reason: str | None = None) -> None:
    work_id = tx.outbox.add(
        lane=LANE, kind="deliver", subject=subject, action="create", message_id=f"m{number}", version=1, at=AT
    )
    tx.outbox.set_state(work_id, state, reason, AT)


def a_day(tx: Transaction) -> None:
    tx.inputs.add(an_input("input-1", state="done"))
    tx.inputs.add(an_input("input-2", received_at=AT - timedelta(hours=10)))
    tx.inputs.add(an_input("input-3", state="quarantined", reason="not UTF-8"))
    tx.inputs.add(an_input("yesterday", received_at=MIDNIGHT - timedelta(seconds=1)))
    tx.inputs.put_records(
        [
            InputRecord("input-1", 1, "converted", None, "active"),
            InputRecord("input-1", 2, "quarantined", "key-missing"),
            InputRecord("input-1", 3, "duplicate", None, "active"),
            InputRecord("input-1", 4, "skipped", "no encounter"),
            InputRecord("yesterday", 1, "converted", None, "held"),
        ]
    )
    tx.handoffs.save(a_handoff("active", program="cit"), [])
    tx.handoffs.save(a_handoff("held", state="held", hold_reason="doubt", updated_at=AT - timedelta(hours=1)), [])
    tx.referrals.save(a_referral("task-1", handoff_id="active", status="accepted"))
    tx.referrals.save(a_referral("task-2", handoff_id="held", identifier="R-2", recipient="org:other"))
    work(tx, 1, "refused", reason="NO_CONSENT")
    work(tx, 2, "delivered")
    work(tx, 3, "dead", reason="422")
    work(tx, 4, "held", subject="task-2")


def test_a_day_is_counted_in_records(sql_database: SqlDatabase, views: ConsoleViews) -> None:
    sql_database.write(a_day)

    assert views.flow_numbers(MIDNIGHT) == FlowNumbers(
        received=6,
        converted=1,
        quarantined=2,
        duplicates=1,
        skipped=1,
        delivered=1,
        answered=1,
        refused=1,
        held=1,
        dead=1,
        received_by_hour=(1, *[0] * 9, 5, *[0] * 13),
        delivered_by_hour=(*[0] * 10, 1, *[0] * 13),
    )


def test_an_empty_day_is_all_zeros(views: ConsoleViews) -> None:
    numbers = views.flow_numbers(MIDNIGHT)

    assert (numbers.received, numbers.held, sum(numbers.received_by_hour)) == (0, 0, 0)
    assert views.records(RecordQuery()).rows == ()


def test_a_record_is_listed_with_its_referral_and_the_newest_delivery(
    sql_database: SqlDatabase, views: ConsoleViews
) -> None:
    sql_database.write(a_day)

    first, second = views.records(RecordQuery()).rows

    assert (first.id, first.referrals) == ("active", (ReferralState("org:clinic", "fhir", "accepted", "dead", "422"),))
    assert (second.id, second.hold_reason) == ("held", "doubt")
    assert second.referrals == (ReferralState("org:other", "fhir", "requested", "held", None),)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (RecordQuery(id="act"), ["active"]),
        (RecordQuery(id="%"), []),
        (RecordQuery(program="cit"), ["active"]),
        (RecordQuery(agency="org:police", state="held"), ["held"]),
        (RecordQuery(recipient="org:other"), ["held"]),
        (RecordQuery(recipient="org:other", program="cit"), []),
        (RecordQuery(before="x"), ["active", "held"]),
        (RecordQuery(before="9" * 30), ["active", "held"]),
    ],
)
def test_the_list_is_narrowed(
    sql_database: SqlDatabase, views: ConsoleViews, query: RecordQuery, found: list[str]
) -> None:
    sql_database.write(a_day)

    assert [row.id for row in views.records(query).rows] == found


def test_pages_follow_each_other_without_gap_or_double(sql_database: SqlDatabase, views: ConsoleViews) -> None:
    ids = [f"r{n:03}" for n in range(2 * PAGE_SIZE + 1)]
    sql_database.write(lambda tx: tx.inputs.add(an_input()))
    sql_database.write(lambda tx: [tx.handoffs.save(a_handoff(each), []) for each in ids])

    seen: list[str] = []
    query = RecordQuery()
    for _ in range(3):
        page = views.records(query)
        seen += [row.id for row in page.rows]
        query = RecordQuery(before=page.next or "")

    assert seen == ids
    assert page.next is None


def test_choices_are_what_occurs(sql_database: SqlDatabase, views: ConsoleViews) -> None:
    sql_database.write(a_day)

    choices = views.choices()

    assert choices.programs == ("cit", "seattle-rms-crisis")
    assert choices.agencies == ("org:police",)
    assert choices.recipients == ("org:clinic", "org:other")


def test_the_queues_hold_what_waits_for_a_person(sql_database: SqlDatabase, views: ConsoleViews) -> None:
    sql_database.write(a_day)

    assert [(row.input_id, row.records, row.first, row.reason) for row in views.quarantined()] == [
        ("input-1", 1, 2, "key-missing"),
        ("input-3", None, None, "not UTF-8"),
    ]
    assert [row.id for row in views.held_records()] == ["held"]
    assert [(row.handoff_id, row.reason) for row in views.stopped_work("refused")] == [("active", "NO_CONSENT")]
    assert [row.reason for row in views.stopped_work("dead")] == ["422"]
    assert views.stopped_work("held") == []


def test_a_lane_tells_what_waits_in_it(sql_database: SqlDatabase, views: ConsoleViews) -> None:
    sql_database.write(a_day)
    sql_database.write(lambda tx: work(tx, 5, "ready"))
    sql_database.write(lambda tx: tx.outbox.pause(LANE, True))

    (lane,) = views.lanes()

    assert (lane.name, lane.paused, lane.ready, lane.sending) == (LANE, True, 1, 0)
    assert {(row.lane, row.state): row.count for row in views.work_counts()} == {
        (LANE, "ready"): 1,
        (LANE, "refused"): 1,
        (LANE, "dead"): 1,
        (LANE, "held"): 1,
    }
