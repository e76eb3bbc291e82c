"""What `ports.Outbox` promises about lanes and the work in them, on every implementation."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.model.errors import GatewayError
from gateway.model.handoff import Work, WorkState
from gateway.ports import Claim, Database, NewWork, Transaction
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)

LEASE = timedelta(seconds=30)
LATER = AT + timedelta(seconds=31)


def enqueue(database: Database, message_id: str, lane: str = "org:clinic/fhir", state: WorkState = "ready") -> int:
    """Add one delivery to a lane."""
    return database.write(
        lambda t: t.outbox.add(
            lane=lane,
            kind="deliver",
            subject="task-1",
            action="create",
            message_id=message_id,
            version=1,
            at=AT,
            state=state,
        )
    )


def claim(database: Database, owner: str = "worker-1", at: Any = AT, limit: int = 25) -> Claim | None:
    """Claim a lane for half a minute."""
    return database.write(lambda t: t.outbox.claim(owner, at, LEASE, limit))


def move(database: Database, work_id: int, state: WorkState) -> Work:
    """Move work to a state and return it."""
    database.write(lambda t: t.outbox.set_state(work_id, state, None, AT))
    work = database.read(lambda t: t.outbox.get(work_id))
    assert work is not None
    return work


def look(subject: str, message_id: str, lane: str = "second-looks") -> NewWork:
    return NewWork(lane, "look", subject, "update", message_id, 1, AT)


def test_work_that_is_enqueued_once_waits_once_until_it_is_no_longer_ready(database: Database) -> None:
    def add(t: Transaction) -> None:
        for subject, message_id, lane in (
            ("person-1", "m-1", "second-looks"),
            ("person-1", "m-2", "second-looks"),
            ("person-2", "m-3", "second-looks"),
            ("person-1", "m-4", "other-looks"),
        ):
            t.outbox.add_once(look(subject, message_id, lane))

    database.write(add)
    waiting = database.read(lambda t: t.outbox.of_subject("person-1") + t.outbox.of_subject("person-2"))
    database.write(lambda t: t.outbox.finish([waiting[0].id], LATER))
    database.write(lambda t: t.outbox.add_once(look("person-1", "m-5")))

    assert [(one.lane, one.message_id, one.state) for one in waiting] == [
        ("second-looks", "m-1", "ready"), ("other-looks", "m-4", "ready"), ("second-looks", "m-3", "ready"),
    ]  # fmt: skip
    states = [(one.message_id, one.state) for one in database.read(lambda t: t.outbox.of_subject("person-1"))]
    assert states == [("m-1", "delivered"), ("m-4", "ready"), ("m-5", "ready")]


def test_work_that_is_finished_keeps_its_tries(database: Database) -> None:
    keys = [enqueue(database, "m-1"), enqueue(database, "m-2"), enqueue(database, "m-3")]
    move(database, keys[0], "sending")

    database.write(lambda t: t.outbox.finish(keys[:2], LATER))
    database.write(lambda t: t.outbox.finish([], LATER))

    found = database.read(lambda t: [t.outbox.get(key) for key in keys])
    assert [(one.state, one.tries, one.updated_at) for one in found if one is not None] == [
        ("delivered", 1, LATER), ("delivered", 0, LATER), ("ready", 0, AT),
    ]  # fmt: skip


def test_work_comes_back_as_it_was_added(database: Database) -> None:
    key = database.write(
        lambda t: t.outbox.add(
            lane="convert",
            kind="convert",
            subject="input-1",
            action="create",
            message_id="m-1",
            version=0,
            at=AT,
            state="held",
            reason="possible match",
        )
    )

    assert database.read(lambda t: t.outbox.get(key)) == Work(
        id=key,
        lane="convert",
        kind="convert",
        subject="input-1",
        action="create",
        message_id="m-1",
        state="held",
        tries=0,
        reason="possible match",
        version=0,
        created_at=AT,
        updated_at=AT,
    )


def test_without_work_there_is_nothing_to_claim(database: Database) -> None:
    assert claim(database) is None


def test_a_claim_holds_the_lanes_work_in_the_order_it_was_added(database: Database) -> None:
    for message_id in ("m-1", "m-2", "m-3"):
        enqueue(database, message_id)

    claimed = claim(database, limit=2)

    assert claimed is not None
    assert (claimed.lane, claimed.owner) == ("org:clinic/fhir", "worker-1")
    assert [work.message_id for work in claimed.work] == ["m-1", "m-2"]


def test_a_lane_has_one_owner_at_a_time(database: Database) -> None:
    enqueue(database, "m-1")

    assert claim(database, "worker-1") is not None
    assert claim(database, "worker-2") is None


def test_a_worker_that_could_not_give_a_lane_back_has_it_again_at_once(database: Database) -> None:
    enqueue(database, "m-1")
    claim(database, "worker-1")

    again = claim(database, "worker-1")

    assert again is not None
    assert [work.message_id for work in again.work] == ["m-1"]


def test_two_workers_claim_two_lanes(database: Database) -> None:
    enqueue(database, "m-1", "org:clinic/fhir")
    enqueue(database, "m-2", "org:hospital/hl7v2")

    claimed = {each.lane for owner in ("worker-1", "worker-2") if (each := claim(database, owner))}

    assert claimed == {"org:clinic/fhir", "org:hospital/hl7v2"}


def test_the_lane_leased_longest_ago_comes_first(database: Database) -> None:
    enqueue(database, "m-1", "busy")
    first = claim(database)
    assert first is not None
    database.write(lambda t: t.outbox.release(first))
    enqueue(database, "m-2", "rare")

    second = claim(database, at=LATER)

    assert second is not None
    assert second.lane == "rare"


@pytest.mark.parametrize("state", ["delivered", "refused", "held", "dead", "superseded"])
def test_work_at_rest_does_not_block_its_lane(database: Database, state: WorkState) -> None:
    stuck = enqueue(database, "m-1")
    enqueue(database, "m-2")
    move(database, stuck, state)

    claimed = claim(database)

    assert claimed is not None
    assert [work.message_id for work in claimed.work] == ["m-2"]


def test_a_lane_with_only_resting_work_is_not_claimed(database: Database) -> None:
    enqueue(database, "m-1", state="held")

    assert claim(database) is None


def test_work_of_a_dead_worker_is_met_first_when_its_lease_has_ended(database: Database) -> None:
    orphan = enqueue(database, "m-1")
    enqueue(database, "m-2")
    claim(database, "worker-1")
    move(database, orphan, "sending")

    assert claim(database, "worker-2", AT) is None
    taken_over = claim(database, "worker-2", LATER)

    assert taken_over is not None
    assert [(work.message_id, work.state) for work in taken_over.work] == [("m-1", "sending"), ("m-2", "ready")]


def test_a_worker_whose_lane_was_taken_over_no_longer_owns_it(database: Database) -> None:
    enqueue(database, "m-1")
    late = claim(database, "worker-1")
    new = claim(database, "worker-2", LATER)
    assert late is not None
    assert new is not None

    assert database.write(lambda t: t.outbox.owns(late, LATER, LEASE)) is False
    assert database.write(lambda t: t.outbox.owns(new, LATER, LEASE)) is True


def test_owning_extends_the_lease(database: Database) -> None:
    enqueue(database, "m-1")
    mine = claim(database)
    assert mine is not None

    database.write(lambda t: t.outbox.owns(mine, AT + timedelta(seconds=20), LEASE))

    assert claim(database, "worker-2", LATER) is None


def test_a_released_lane_can_be_claimed_at_once(database: Database) -> None:
    enqueue(database, "m-1")
    mine = claim(database)
    assert mine is not None

    database.write(lambda t: t.outbox.release(mine))

    assert claim(database, "worker-2") is not None


def test_a_late_release_does_not_take_the_lane_from_its_new_owner(database: Database) -> None:
    enqueue(database, "m-1")
    late = claim(database, "worker-1")
    claim(database, "worker-2", LATER)
    assert late is not None

    database.write(lambda t: t.outbox.release(late))

    assert claim(database, "worker-3", LATER) is None


def test_a_lane_rests_until_it_is_due(database: Database) -> None:
    enqueue(database, "m-1")
    database.write(lambda t: t.outbox.back_off("org:clinic/fhir", LATER))

    assert claim(database, at=AT) is None
    assert claim(database, at=LATER) is not None


def test_a_rest_ends_where_the_clock_has_been_set_back_since(database: Database) -> None:
    enqueue(database, "m-1")
    tomorrow = AT + timedelta(days=1)
    mine = claim(database, "worker-1", tomorrow)
    assert mine is not None
    database.write(lambda t: t.outbox.back_off("org:clinic/fhir", tomorrow + timedelta(minutes=15)))

    while_it_is_sent = claim(database, "worker-2", AT)
    database.write(lambda t: t.outbox.release(mine))
    before_it_is_due = claim(database, "worker-2", tomorrow)
    set_back = claim(database, "worker-2", AT)

    assert while_it_is_sent is None
    assert before_it_is_due is None
    assert set_back is not None


def test_clocks_of_machines_that_are_minutes_apart_end_no_rest(database: Database) -> None:
    enqueue(database, "m-1")
    mine = claim(database, "worker-1", AT + timedelta(minutes=4))
    assert mine is not None
    database.write(lambda t: t.outbox.back_off("org:clinic/fhir", AT + timedelta(minutes=15)))
    database.write(lambda t: t.outbox.release(mine))

    assert claim(database, "worker-2", AT) is None


def test_a_lane_remembers_how_often_it_failed_in_a_row(database: Database) -> None:
    enqueue(database, "m-1")
    before = claim(database, "worker-1")
    assert before is not None

    database.write(lambda t: t.outbox.back_off("org:clinic/fhir", AT, failures=3))
    database.write(lambda t: t.outbox.release(before))
    failed = claim(database, "worker-2")
    assert failed is not None
    database.write(lambda t: t.outbox.back_off("org:clinic/fhir", AT))
    database.write(lambda t: t.outbox.release(failed))
    answered = claim(database, "worker-3")

    assert answered is not None
    assert (before.failures, failed.failures, answered.failures) == (0, 3, 0)


def test_a_paused_lane_is_not_claimed_until_it_is_resumed(database: Database) -> None:
    enqueue(database, "m-1")
    database.write(lambda t: t.outbox.pause("org:clinic/fhir", True))

    assert claim(database) is None
    database.write(lambda t: t.outbox.pause("org:clinic/fhir", False))
    assert claim(database) is not None


def test_a_lane_can_be_paused_before_it_has_work(database: Database) -> None:
    database.write(lambda t: t.outbox.pause("org:clinic/fhir", True))

    enqueue(database, "m-1")

    assert claim(database) is None


def test_every_sending_counts_as_a_try(database: Database) -> None:
    key = enqueue(database, "m-1")

    tries = [move(database, key, state).tries for state in ("sending", "ready", "sending", "ready", "sending", "dead")]

    assert tries == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("state", ["dead", "refused", "held"])
def test_reopened_work_counts_its_tries_anew(database: Database, state: WorkState) -> None:
    key = enqueue(database, "m-1")
    for each in ("sending", state):
        move(database, key, each)

    assert move(database, key, "ready").tries == 0


def test_moving_unknown_work_fails(database: Database) -> None:
    with pytest.raises(GatewayError, match="expected a stored piece of work with id 99, found none"):
        database.write(lambda t: t.outbox.set_state(99, "ready", None, AT))


def test_a_message_id_is_used_once(database: Database) -> None:
    enqueue(database, "m-1")

    with pytest.raises(GatewayError, match="contradicts what is stored"):
        enqueue(database, "m-1", "org:hospital/hl7v2")


def test_work_is_found_by_subject_and_by_state_oldest_first(database: Database) -> None:
    first, second, third = (enqueue(database, m) for m in ("m-1", "m-2", "m-3"))
    move(database, third, "dead")
    move(database, first, "refused")

    def look(t: Transaction) -> list[list[int]]:
        found = (
            t.outbox.of_subject("task-1"),
            t.outbox.of_states(["dead", "refused"]),
            t.outbox.of_states(["dead", "refused"], limit=1),
            t.outbox.of_states(["held"]),
        )
        return [[work.id for work in each] for each in found]

    assert database.read(look) == [[first, second, third], [first, third], [first], []]


def test_what_was_sent_is_found_by_the_msh_10_it_was_sent_under_but_no_reading_of_a_message(database: Database) -> None:
    sent = enqueue(database, "abcdefghijklmnopqrstuvwxyz")
    enqueue(database, "abcdefghijklmnopqrs-another")
    read = NewWork("messages/h", "answer", "in-1", "create", "abcdefghijklmnopqrst-read", 1, AT)
    database.write(lambda t: t.outbox.add_all([read]))

    found = database.read(lambda t: [t.outbox.sent_as(one) for one in ("abcdefghijklmnopqrst", "abcdefghij", "")])

    assert [[work.id for work in each] for each in found] == [[sent], [], []]
