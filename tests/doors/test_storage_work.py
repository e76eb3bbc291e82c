"""What `ports.Database` promises about lanes, decisions, messages and transactions, on every implementation."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.model.accounting import HandedOver, NewDecision
from gateway.model.audit import AuditEntry
from gateway.model.errors import GatewayError
from gateway.model.handoff import StoredInput, Work, WorkState
from gateway.ports import Claim, Database, NewWork, SeenMessage, SharedWork, Transaction
from tests.support.stored import AT, an_input

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


def decide(
    transaction: Transaction, decision_id: str, at: Any = AT, *, decision: str = "PERMIT", work_id: int | None = 1
) -> None:
    """Keep a decision."""
    new = NewDecision(
        decision_id=decision_id,
        at=at,
        recipient="org:clinic",
        person_id="person-1",
        handoff_id="handoff-1",
        referral_id="task-1",
        work_id=work_id,
        channel="push",
        record={"decision": decision, "reason": "OK_CONSENT", "input_hash": "sha256:00", "withheld": []},
        inputs=b"{}",
    )
    transaction.decisions.add([new])


def test_decisions_of_a_handoff_come_newest_first_with_their_recipient(database: Database) -> None:
    database.write(lambda t: decide(t, "d-1"))
    database.write(lambda t: decide(t, "d-2", LATER))

    records = database.read(lambda t: t.decisions.of_handoff("handoff-1"))

    assert [record["id"] for record in records] == ["d-2", "d-1"]
    assert records[0] == {
        "decision": "PERMIT",
        "reason": "OK_CONSENT",
        "input_hash": "sha256:00",
        "withheld": [],
        "id": "d-2",
        "recipient": "org:clinic",
        "channel": "push",
        "referral": "task-1",
        "work": 1,
    }


def test_the_last_sending_of_a_referral_is_the_newest_that_was_permitted_whatever_was_read_since(
    database: Database,
) -> None:
    never = database.read(lambda t: t.decisions.last_sent("task-1"))
    database.write(lambda t: decide(t, "d-1", decision="PERMIT"))
    database.write(lambda t: decide(t, "d-2", LATER, decision="PERMIT_REDACTED"))
    database.write(lambda t: decide(t, "d-3", LATER + timedelta(minutes=1), decision="DENY"))
    database.write(lambda t: decide(t, "d-4", LATER + timedelta(minutes=2), decision="PERMIT", work_id=None))

    last = database.read(lambda t: t.decisions.last_sent("task-1"))

    assert never is None
    assert last is not None
    assert last["decision"] == "PERMIT_REDACTED"


def test_a_disclosure_needs_a_decision(database: Database) -> None:
    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(
            lambda t: t.decisions.intend(decision_id="none", message_id="m-1", purpose="TREAT", description="", at=AT)
        )


def test_a_disclosure_is_intended_again_with_a_new_decision_and_then_confirmed(database: Database) -> None:
    for decision_id in ("d-1", "d-2"):
        database.write(lambda t, decision_id=decision_id: decide(t, decision_id))
        database.write(
            lambda t, decision_id=decision_id: t.decisions.intend(
                decision_id=decision_id, message_id="m-1", purpose="TREAT", description="referral", at=AT
            )
        )

    database.write(lambda t: t.decisions.confirm(message_id="m-1", code="201", sent=b"{}", answered=b"", at=LATER))


def test_what_was_not_intended_cannot_be_confirmed(database: Database) -> None:
    with pytest.raises(GatewayError, match="expected a stored intended disclosure with id m-1"):
        database.write(lambda t: t.decisions.confirm(message_id="m-1", code="AA", sent=b"", answered=b"", at=AT))


def handed_over(message_id: str, decision_id: str) -> HandedOver:
    return HandedOver(message_id, decision_id, "TREAT", "read by ehr", "200", b"{}", LATER)


def test_what_is_handed_over_has_left_with_the_commit(database: Database) -> None:
    def log(t: Transaction) -> None:
        decide(t, "d-1")
        decide(t, "d-2")
        t.decisions.hand_over([handed_over("m-1", "d-1"), handed_over("m-2", "d-2")])
        t.decisions.hand_over([])

    database.write(log)

    found = database.read(lambda t: t.decisions.disclosed("person-1", AT, LATER + timedelta(seconds=1)))
    assert [(one.message_id, one.decision.id, one.purpose, one.description) for one in found] == [
        ("m-1", "d-1", "TREAT", "read by ehr"),
        ("m-2", "d-2", "TREAT", "read by ehr"),
    ]
    assert {(one.intended_at, one.confirmed_at) for one in found} == {(LATER, LATER)}


@pytest.mark.parametrize("again", [("m-2", "none"), ("m-1", "d-1")])
def test_what_is_handed_over_needs_a_decision_and_a_message_of_its_own(
    database: Database, again: tuple[str, str]
) -> None:
    def log(t: Transaction) -> None:
        decide(t, "d-1")
        t.decisions.hand_over([handed_over("m-1", "d-1")])

    database.write(log)

    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(lambda t: t.decisions.hand_over([handed_over(*again)]))


def a_message(input_id: str, control_id: str, sha256: str = "a" * 64) -> StoredInput:
    """Return a message of one sender."""
    known_by = ("EHR", "CLINIC", control_id)
    return an_input(input_id, channel="mllp", sha256=sha256, known_by=known_by, answer=b"MSA|AA|" + control_id.encode())


def as_seen(one: StoredInput) -> SeenMessage:
    """Return what is known of it when it comes again."""
    assert one.answer is not None
    return SeenMessage(one.id, one.sha256, one.answer, one.received_at, one.state)


def test_a_message_is_known_by_application_facility_and_control_id(database: Database) -> None:
    one = a_message("input-1", "1")
    database.write(lambda t: t.messages.add([one]))

    def look(t: Transaction) -> list[SeenMessage | None]:
        return [t.messages.seen(("EHR", "CLINIC", "1")), t.messages.seen(("EHR", "HOSPITAL", "1"))]

    assert database.read(look) == [as_seen(one), None]
    assert database.read(lambda t: t.inputs.get("input-1")) == one


def test_of_two_messages_of_one_key_the_first_stays_the_one_that_is_known_and_kept(database: Database) -> None:
    first, second = a_message("input-1", "1"), a_message("input-2", "1", sha256="b" * 64)
    other = a_message("input-3", "2")
    database.write(lambda t: t.messages.add([first]))

    known = database.write(lambda t: t.messages.add([other, second]))

    assert known == {("EHR", "CLINIC", "1"): as_seen(first), ("EHR", "CLINIC", "2"): as_seen(other)}
    kept = database.read(lambda t: [t.inputs.get(one.id) for one in (first, second, other)])
    assert kept == [first, None, other]


def test_a_sender_who_names_itself_at_any_length_is_known_again(database: Database) -> None:
    # Every part another, or the database would press an endless name into a short one.
    endless = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(100))
    one = replace(a_message("input-1", "1"), known_by=(endless, endless[1:], endless[2:]), message_type=endless)

    database.write(lambda t: t.messages.add([one]))

    assert database.read(lambda t: t.messages.seen((endless, endless[1:], endless[2:]))) == as_seen(one)
    assert database.read(lambda t: t.messages.seen((endless, endless[1:], endless[3:]))) is None


def test_the_key_of_a_message_that_is_forgotten_is_free_for_another(database: Database) -> None:
    first, second = a_message("input-1", "1"), a_message("input-2", "1", sha256="b" * 64)
    database.write(lambda t: t.messages.add([first]))

    database.write(lambda t: t.messages.forget(["input-1"]))
    known = database.write(lambda t: t.messages.add([second]))

    assert known == {("EHR", "CLINIC", "1"): as_seen(second)}
    assert database.read(lambda t: t.inputs.get("input-1")) == replace(first, known_by=None)


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


def test_what_was_disclosed_about_a_person_comes_back_with_its_decision(database: Database) -> None:
    def log(t: Transaction) -> None:
        for number, at in ((1, AT), (2, LATER)):
            decide(t, f"d-{number}", at)
            t.decisions.intend(
                decision_id=f"d-{number}", message_id=f"m-{number}", purpose="TREAT", description="referral", at=at
            )
        t.decisions.confirm(message_id="m-1", code="201", sent=b"{}", answered=b"", at=LATER)
        decide(t, "d-3", LATER)

    database.write(log)

    def look(t: Transaction) -> list[tuple[str, Any, Any]]:
        rows = t.decisions.disclosed("person-1", AT, LATER + timedelta(seconds=1))
        return [(row.message_id, row.confirmed_at, row.decision) for row in rows]

    first, second = database.read(look)
    assert first[:2] == ("m-1", LATER)
    assert second[:2] == ("m-2", None)
    assert first[2] == database.read(lambda t: t.decisions.get("d-1"))
    assert (first[2].recipient, first[2].channel, first[2].inputs) == ("org:clinic", "push", b"{}")
    assert database.read(lambda t: len(t.decisions.disclosed("person-1", AT, LATER))) == 1
    assert database.read(lambda t: t.decisions.disclosed("person-2", AT, LATER)) == []


def test_decisions_move_with_their_person(database: Database) -> None:
    database.write(lambda t: decide(t, "d-1"))

    database.write(lambda t: t.handoffs.move_person("person-1", "person-2"))

    kept = database.read(lambda t: t.decisions.get("d-1"))
    assert kept is not None
    assert kept.person_id == "person-2"


def test_an_unknown_decision_is_none(database: Database) -> None:
    assert database.read(lambda t: t.decisions.get("nobody")) is None


def test_what_a_recipient_received_comes_oldest_first_and_to_nobody_else(database: Database) -> None:
    def log(t: Transaction) -> None:
        for n in (1, 2, 3):
            decide(t, f"decision-{n}")
            at = AT + timedelta(minutes=n)
            t.decisions.intend(
                decision_id=f"decision-{n}", message_id=f"m-{n}", purpose="TREAT", description="create", at=at
            )

    database.write(log)
    recipient = database.read(lambda t: t.decisions.get("decision-1")).recipient  # type: ignore[union-attr]

    def look(t: Transaction) -> list[list[str]]:
        since, until = AT + timedelta(minutes=2), AT + timedelta(minutes=3)
        found = [
            t.decisions.received_between(recipient, AT, None, 2),
            t.decisions.received_between(recipient, since, None, 10),
            t.decisions.received_between(recipient, since, until, 10),
            t.decisions.received_between("org:nobody", AT, None, 10),
        ]
        return [[one.message_id for one in each] for each in found]

    assert database.read(look) == [["m-1", "m-2"], ["m-2", "m-3"], ["m-2"], []]
    assert database.read(lambda t: t.decisions.received(recipient, "m-2")).message_id == "m-2"  # type: ignore[union-attr]
    assert database.read(lambda t: t.decisions.received("org:nobody", "m-2")) is None
