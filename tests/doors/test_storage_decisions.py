"""What `ports.Decisions` promises about decisions and disclosures, on every implementation."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.model.accounting import HandedOver, NewDecision
from gateway.model.errors import GatewayError
from gateway.ports import Database, Transaction
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)

LATER = AT + timedelta(seconds=31)


def decide(
    transaction: Transaction,
    decision_id: str,
    at: Any = AT,
    *,
    decision: str = "PERMIT",
    work_id: int | None = 1,
    basis: dict[str, str] | None = None,
    **changes: Any,
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
        record={
            "decision": decision,
            "reason": "OK_CONSENT",
            "input_hash": "sha256:00",
            "withheld": [],
            **({"basis": basis} if basis else {}),
        },
        inputs=b"{}",
    )
    transaction.decisions.add([replace(new, **changes)])


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
    first = database.read(lambda t: t.decisions.get("decision-1"))
    assert first is not None
    recipient = first.recipient

    second = database.read(lambda t: t.decisions.received(recipient, "m-2"))

    def look(t: Transaction) -> list[list[str]]:
        since, until = AT + timedelta(minutes=2), AT + timedelta(minutes=3)
        found = [
            t.decisions.received_between(recipient, AT, None, 2),
            t.decisions.received_between(recipient, since, None, 10),
            t.decisions.received_between(recipient, since, until, 10),
            t.decisions.received_between("org:nobody", AT, None, 10),
            t.decisions.received_between(recipient, AT, None, 10, second),
        ]
        return [[one.message_id for one in each] for each in found]

    assert database.read(look) == [["m-1", "m-2"], ["m-2", "m-3"], ["m-2"], [], ["m-3"]]
    received = database.read(lambda t: t.decisions.received(recipient, "m-2"))
    assert received is not None
    assert received.message_id == "m-2"
    assert database.read(lambda t: t.decisions.received("org:nobody", "m-2")) is None


def test_what_a_recipient_received_about_a_person_is_the_newest_of_each_record_and_channel(database: Database) -> None:
    def log(t: Transaction) -> None:
        decide(t, "d-1", basis={"type": "Consent", "id": "c-1", "version": "1"})
        decide(t, "d-2", basis={"type": "Consent", "id": "c-2"})
        decide(t, "d-3", channel="read", basis={"type": "exception"})
        decide(t, "d-4", handoff_id="handoff-2")
        decide(t, "d-5", handoff_id=None)
        decide(t, "d-6", recipient="org:other", basis={"type": "Consent", "id": "c-3"})
        decide(t, "d-7", person_id="person-2", basis={"type": "Consent", "id": "c-4"})
        for n in range(1, 8):
            t.decisions.intend(decision_id=f"d-{n}", message_id=f"m-{n}", purpose="TREAT", description="create", at=AT)
        decide(t, "d-8", basis={"type": "Consent", "id": "c-5"})

    database.write(log)

    def received(t: Transaction, recipient: str, person: str) -> list[str]:
        return [one.message_id for one in t.decisions.received_about(recipient, person)]

    assert database.read(lambda t: received(t, "org:clinic", "person-1")) == ["m-2", "m-3", "m-4", "m-5"]
    assert database.read(lambda t: received(t, "org:clinic", "")) == []
    assert database.read(lambda t: t.decisions.bases_received("org:clinic", "person-1")) == {
        ("Consent", "c-1"),
        ("Consent", "c-2"),
        ("exception", ""),
        ("", ""),
    }
    assert database.read(lambda t: t.decisions.bases_received("org:clinic", "")) == set()
