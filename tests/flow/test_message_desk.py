"""What a person says of a message that waits: whose word it is, whom it is about, or that it moves nothing."""

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.messages.desk import leave, take_as, tell_whom
from gateway.flow.messages.page import MessagePage
from gateway.model.audit import AuditEntry
from gateway.model.handoff import InputRecord
from tests.support.feed_world import a_feed_world, kept, records, told
from tests.support.flow_house import World, without_agreements
from tests.support.hospital_feed import adt, newest_input, person_id, referral_status, rri

STAFF = ("staff-1", "staff")
RESEMBLES = "Sample^Ari||19900102|F"
OTHER_NAMES = (b"EHR|HOSPITAL", b"STRANGER|ELSEWHERE")


@pytest.fixture
def world() -> World:
    return a_feed_world()


def outcome(world: World, input_id: str) -> InputRecord:
    return world.database.read(lambda tx: tx.inputs.records(input_id))[0]


def page(world: World, input_id: str) -> MessagePage:
    found = Gateway(world.house).console_message(STAFF, input_id)
    assert found is not None
    return found


def audited(world: World, kind: str) -> list[AuditEntry]:
    return [one for one in world.database.state.audit.values() if one.kind == kind]


def by_a_stranger(world: World, message: bytes) -> str:
    """Let a sender nobody registered send this; return the id of the message."""
    told(world, message.replace(*OTHER_NAMES, 1))
    return newest_input(world)


def test_a_message_of_nobody_registered_asks_whose_word_it_is_and_moves_nothing(world: World) -> None:
    waiting = by_a_stranger(world, adt("A01", "E1"))

    question = page(world, waiting).question
    assert outcome(world, waiting).state == "quarantined"
    assert referral_status(world) == "accepted"
    assert records(world) == []
    assert "org:demo-hospital" in [one.id for one in question.senders]
    assert "org:operator" not in [one.id for one in question.senders]
    assert question.may_be_left


def test_taken_as_a_partners_it_does_what_that_partners_message_does(world: World) -> None:
    waiting = by_a_stranger(world, adt("A01", "E1"))

    assert take_as(world.house, "staff-1", waiting, "org:demo-hospital")

    assert outcome(world, waiting).state == "converted"
    assert referral_status(world) == "in-progress"
    assert [one.agency for one in records(world)] == ["org:demo-hospital"]
    (entry,) = audited(world, "message.sender-named")
    assert (entry.actor, entry.data) == ("staff-1", {"input": waiting, "sender": "org:demo-hospital"})


def test_taken_as_anothers_it_answers_no_more_than_that_one_may(world: World) -> None:
    task = next(iter(world.database.state.referrals.values()))
    waiting = by_a_stranger(world, rri(task.identifier, "M-1", "R9"))

    assert take_as(world.house, "staff-1", waiting, "org:demo-clinic")

    assert (outcome(world, waiting).state, outcome(world, waiting).reason) == (
        "quarantined", "MSH-3, MSH-4: expected the partner that the referral was sent to, found another one",
    )  # fmt: skip


def test_whose_word_it_is_is_said_once_and_only_of_partners(world: World) -> None:
    waiting = by_a_stranger(world, adt("A01", "E1"))

    assert not take_as(world.house, "staff-1", waiting, "org:operator")
    assert not take_as(world.house, "staff-1", waiting, "org:nobody")
    assert take_as(world.house, "staff-1", waiting, "org:demo-hospital")
    assert not take_as(world.house, "staff-1", waiting, "org:demo-clinic")


def test_nobody_says_whose_word_the_message_of_a_known_sender_is(world: World) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))

    assert page(world, newest_input(world)).question.senders == ()
    assert not take_as(world.house, "staff-1", newest_input(world), "org:demo-clinic")


def test_what_is_left_moves_nothing_and_asks_no_more(world: World) -> None:
    waiting = by_a_stranger(world, adt("A01", "E1"))

    assert leave(world.house, "staff-1", waiting)

    assert outcome(world, waiting).state == "skipped"
    assert page(world, waiting).question.senders == ()
    assert not leave(world.house, "staff-1", waiting)
    assert [one.actor for one in audited(world, "message.left")] == ["staff-1"]


def test_a_person_only_resembled_is_asked_for(world: World) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))

    assert [one.id for one in page(world, newest_input(world)).question.people] == [person_id(world)]


def test_the_same_person_gets_the_number_and_the_message_counts(world: World) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))
    waiting = newest_input(world)

    assert tell_whom(world.house, "staff-1", waiting, person_id(world))

    assert outcome(world, waiting).state == "converted"
    assert referral_status(world) == "in-progress"
    assert [one.person_id for one in records(world)] == [person_id(world)]
    assert told(world, adt("A03", "E2", number="M-7", person=RESEMBLES)).state == "converted"
    (entry,) = audited(world, "message.person-named")
    assert entry.data == {"input": waiting, "person": person_id(world), "new": False}


@pytest.mark.parametrize("is_new", [True, False])
def test_an_operator_who_may_not_see_whom_it_resembles_cannot_say_whom_it_is_about(
    world: World, *, is_new: bool
) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))
    waiting = newest_input(world)

    house = without_agreements(world).house

    assert not tell_whom(house, "staff-1", waiting, None if is_new else person_id(world))
    assert outcome(world, waiting).state == "quarantined"


def test_somebody_new_has_a_record_of_their_own_and_is_not_asked_for_again(world: World) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))
    waiting = newest_input(world)

    assert tell_whom(world.house, "staff-1", waiting, None)

    (record,) = records(world)
    assert record.person_id not in {person_id(world), person_id(world, 2), None}
    assert referral_status(world) == "accepted"
    assert told(world, adt("A08", "E2", number="M-7", person=RESEMBLES)).state == "converted"


def test_a_result_is_read_again_as_a_record_of_the_person(world: World) -> None:
    result = adt(
        "A01", "O1", number="M-7", person=RESEMBLES, rest="OBR|1|P-1|F-1|718-7^Hb^LN\rOBX|1|NM|718-7^Hb^LN||13"
    )
    told(world, result.replace(b"ADT^A01", b"ORU^R01"))

    assert tell_whom(world.house, "staff-1", newest_input(world), person_id(world))

    assert [one["valueQuantity"]["value"] for one in kept(world, "Observation")] == [13]


@pytest.mark.parametrize("person", ["", "nobody"])
def test_whom_it_is_about_is_said_only_of_people_it_resembles(world: World, person: str) -> None:
    told(world, adt("A01", "E1", number="M-7", person=RESEMBLES))

    assert not tell_whom(world.house, "staff-1", newest_input(world), person or person_id(world, 2))


def test_without_a_number_to_learn_nobody_is_asked_for(world: World) -> None:
    told(world, adt("A01", "E1", number="", person=RESEMBLES))

    question = page(world, newest_input(world)).question
    assert (question.people, question.may_be_left) == ((), True)


def test_a_message_that_waits_for_nothing_has_no_question(world: World) -> None:
    told(world, adt("A01", "E1"))

    assert page(world, newest_input(world)).question.may_be_left is False
    assert not leave(world.house, "staff-1", newest_input(world))
    assert not tell_whom(world.house, "staff-1", newest_input(world), None)


def test_a_con_of_nobody_registered_goes_on_stopping_when_its_message_is_left_alone(world: World) -> None:
    message = (
        adt("A08", "E1", number="M-7", person=RESEMBLES)
        + b"CON|1|001||||||||W|R|||20261102||||||||||||Sample^Ari|SEL\r"
    )
    waiting = by_a_stranger(world, message)

    assert not leave(world.house, "staff-1", waiting)
    assert world.gateway.settle_consents("staff-1", waiting, person_id(world))

    assert outcome(world, waiting).state == "quarantined"
    assert "no partner sends" in (outcome(world, waiting).reason or "")
    assert leave(world.house, "staff-1", waiting)
    refusals = [
        key
        for key, one in world.database.state.resources.items()
        if key[0] == "Consent"
        and one.body
        and one.body.get("provision", {}).get("type") == "deny"
        and one.body["status"] == "active"
    ]
    assert len(refusals) == 1
