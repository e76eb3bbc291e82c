"""Decide in the claiming transaction, send, and never forget or double."""

from datetime import timedelta

from gateway.model.errors import TryLater, WillNeverWork
from tests.support.flow_house import CONTACT, HOSPITAL, a_world


def consents_of(world):  # type: ignore[no-untyped-def]
    content = world.transport.sent[0][0].content
    return [entry["resource"] for entry in content["entry"] if entry["resource"]["resourceType"] == "Consent"]


def test_an_agreed_referral_reaches_its_recipient_once() -> None:
    world = a_world()

    world.take(CONTACT)

    ((disclosure, endpoint, envelope),) = world.transport.sent
    assert (disclosure.recipient, endpoint.transport, envelope.action) == ("org:demo-hospital", "fhir", "create")
    assert world.states() == [("create", "delivered", "")]


def test_nothing_leaves_where_nobody_was_asked() -> None:
    world = a_world()

    world.take({**CONTACT, "consent_status": "not_asked", "consent_at": ""})

    assert world.transport.sent == []
    assert world.states() == [("create", "refused", "NO_CONSENT (42 CFR 2.31; 2.33)")]


def test_nothing_leaves_against_a_refusal() -> None:
    world = a_world()

    world.take({**CONTACT, "consent_status": "refused"})

    assert world.transport.sent == []
    assert world.states()[0][:2] == ("create", "refused")


def test_a_consent_revoked_between_queue_and_send_wins() -> None:
    world = a_world()
    world.transport.failures = [TryLater("down")]
    world.take(CONTACT)

    world.take({**CONTACT, "consent_status": "revoked", "consent_revoked_at": "2026-11-01T09:00:00"})
    world.clock.advance(timedelta(hours=1))
    world.work()

    assert world.transport.sent == []
    assert world.states()[0][:2] == ("create", "refused")


def test_a_partner_that_is_down_is_tried_again_under_the_same_identity() -> None:
    world = a_world()
    world.transport.failures = [TryLater("down"), TryLater("down")]

    world.take(CONTACT)
    first = world.database.read(lambda tx: tx.outbox.of_states(["ready"]))[0]
    world.clock.advance(timedelta(minutes=1))
    world.work()
    world.clock.advance(timedelta(minutes=1))
    world.work()

    assert [envelope.message_id for _, _, envelope in world.transport.sent] == [first.message_id]


def test_what_the_receiver_refuses_becomes_a_dead_letter_that_can_be_replayed() -> None:
    world = a_world()
    world.transport.failures = [WillNeverWork("the receiver refused the transaction with 422")]

    world.take(CONTACT)
    dead = world.database.read(lambda tx: tx.outbox.of_states(["dead"]))[0]
    replayed = world.gateway.replay("staff", dead.id)
    world.work()

    assert (dead.reason, replayed) == ("the receiver refused the transaction with 422", True)
    assert len(world.transport.sent) == 1


def test_after_the_last_try_a_delivery_is_a_dead_letter_and_the_lane_goes_on() -> None:
    world = a_world()
    world.transport.failures = [TryLater("down")] * world.house.retry.max_tries

    world.take(CONTACT, {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Other", "phone": ""})
    for _ in range(60):
        world.clock.advance(timedelta(hours=1))
        world.work()

    assert [state for _, state, _ in world.states()] == ["dead", "delivered"]


def test_a_changed_record_goes_out_as_an_update() -> None:
    world = a_world()
    world.take(CONTACT)

    world.take({**CONTACT, "self_harm": "Y"})

    assert [envelope.action for _, _, envelope in world.transport.sent] == ["create", "update"]


def test_a_record_that_now_names_another_person_cancels_what_was_sent() -> None:
    world = a_world()
    world.take(CONTACT)

    world.take({**CONTACT, "client_id": "K-7", "last_name": "Different", "first_name": "Person", "dob": "1970-05-05"})

    assert sorted(envelope.action for _, _, envelope in world.transport.sent) == ["cancel", "create", "create"]
    cancelled = next(one for one, _, envelope in world.transport.sent if envelope.action == "cancel")
    assert "Different" not in str(cancelled.content)
    assert {entry["resource"]["resourceType"] for entry in cancelled.content["entry"]} <= {
        "Patient", "ServiceRequest", "Task", "Provenance", "Organization", "PractitionerRole",
    }  # fmt: skip


def test_a_recipient_reads_what_it_was_sent_and_a_stranger_reads_nothing() -> None:
    world = a_world()
    world.take(CONTACT)
    task = next(
        entry["resource"]
        for entry in world.transport.sent[0][0].content["entry"]
        if entry["resource"]["resourceType"] == "Task"
    )

    answer = world.gateway.read(HOSPITAL, "Task", task["id"])

    assert answer is not None
    assert answer.version == 1
    assert world.gateway.read(HOSPITAL, "Task", "nobody") is None


def test_a_recipient_whose_name_would_tell_is_named_to_itself() -> None:
    world = a_world()

    world.take({**CONTACT, "referral_service": "sud_treatment"})

    (disclosure, endpoint, _) = world.transport.sent[0]
    task = next(e["resource"] for e in disclosure.content["entry"] if e["resource"]["resourceType"] == "Task")
    assert endpoint.transport == "hl7v2"
    assert task["owner"]["display"] == "Exampleville Recovery Clinic"
