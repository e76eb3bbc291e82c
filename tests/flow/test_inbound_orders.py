"""Referrals to us as orders (IHE 360X): OMG^O19 refers, changes, takes back; OSU^O51 takes back and is the answer."""

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.model.handoff import Handoff
from gateway.model.notice import STATEMENT_2
from gateway.tracking.status import TaskStatus
from tests.flow.test_inbound import (
    CRISIS,
    HOSPITAL,
    a_world,
    answers,
    recipient_says,
    the_record,
    the_referral,
    written,
)
from tests.support.departures import departures
from tests.support.feed_world import records, told
from tests.support.flow_house import World

NOTE = "57133-1^Referral note^LN"
BLOOD_COUNT = "58410-2^Blood count^LN"


def order(
    control: str,
    control_id: str,
    *,
    code: str = NOTE,
    profile: str = "",
    status: str = "",
    number: str = "REF-77",
    at: str = "20261102120000-0800",
    note: str = "Please see soon",
    patient: str = "PID|1||M-5^^^HOSPITAL^MR||Newcomer^Nia||19850607|F\r",
) -> bytes:
    """What the hospital orders; `control` is ORC-1, `profile` MSH-21."""
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|{at}||OMG^O19^OMG_O19|{control_id}|P|2.5.1|||||||||{profile}\r"
        f"{patient}"
        f"ORC|{control}|{number}^EHR^2.999.1^ISO|||{status}||||20261102|||9999900100^Sampledoc^Sam^^^^^^NPI\r"
        f"TQ1|1||||||20261105|20261120|R\r"
        f"OBR|1|{number}^EHR^2.999.1^ISO||{code}{'|' * 40}crisis-clinic^Crisis clinic^99WHSVC\r"
        f"NTE|1|P|{note}\r"
    ).encode()


def status_of_order(control: str, status: str, control_id: str, number: str = "REF-77") -> bytes:
    return (
        "MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102140000-0800||OSU^O51^OSU_O51|"
        f"{control_id}|P|2.5.1\rPID|1||M-5^^^HOSPITAL^MR||Newcomer^Nia||19850607|F\r"
        f"ORC|{control}|{number}^EHR^2.999.1^ISO|||{status}\r"
    ).encode()


def referred(world: World) -> list[Handoff]:
    return [one for one in world.database.state.handoffs.values() if one.program == "hl7v2/ref"]


@pytest.mark.parametrize(("code", "profile"), [(NOTE, ""), ("H2011^Crisis intervention^HCPCS", "360X"), (NOTE, "360X")])
def test_an_order_that_says_it_is_a_referral_goes_where_the_routes_say(code: str, profile: str) -> None:
    world = a_world()

    record = told(world, order("NW", "Q1", code=code, profile=profile))

    ((disclosure, _, _),) = world.transport.sent
    assert (record.state, disclosure.recipient, the_record(world).agency) == ("converted", CRISIS, HOSPITAL)
    assert the_referral(world).status == "requested"


def test_the_service_asked_for_is_that_behind_the_referral_note() -> None:
    world = a_world()

    told(world, order("NW", "Q1"))

    ((disclosure, _, _),) = world.transport.sent
    (request,) = [
        one["resource"] for one in disclosure.content["entry"] if one["resource"]["resourceType"] == "ServiceRequest"
    ]
    assert [coding["code"] for coding in request["code"]["coding"]] == ["crisis-clinic"]


def test_any_other_order_stays_an_order_and_refers_nobody() -> None:
    world = a_world()

    told(world, order("NW", "Q1", code=BLOOD_COUNT, patient="PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\r"))
    taken_back = told(world, status_of_order("CA", "CA", "Q2", number="LAB-9"))

    assert referred(world) == []
    assert world.transport.sent == []
    assert (len(records(world)), taken_back.state) == (1, "skipped")


def test_a_changed_order_reaches_the_recipient_and_a_repetition_does_not() -> None:
    world = a_world()
    told(world, order("NW", "Q1"))

    repeated = told(world, order("NW", "Q1-again"))
    changed = told(world, order("XO", "Q2", at="20261102130000-0800", note="Sooner than soon"))

    assert (repeated.state, changed.state) == ("duplicate", "converted")
    assert [action for action, _, _ in world.states()[-2:]] == ["create", "update"]


@pytest.mark.parametrize(
    "word",
    [order("CA", "Q3", at="20261102140000-0800"), status_of_order("CA", "CA", "Q3"), status_of_order("DC", "", "Q3")],
)
def test_an_order_that_is_taken_back_is_taken_back_from_its_recipient(word: bytes) -> None:
    world = a_world()
    told(world, order("NW", "Q1"))

    record = told(world, word)

    assert (record.state, the_record(world).state, the_referral(world).status) == (
        "converted",
        "withdrawn",
        "cancelled",
    )
    assert [action for action, _, _ in world.states()[-2:]] == ["create", "cancel"]


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [("accepted", None, ("OK", "IP", "")), ("rejected", "no bed", ("UA", "CA", "no bed"))],
)
def test_what_the_recipient_does_is_told_as_the_state_of_the_order(
    status: TaskStatus, reason: str | None, said: tuple[str, str, str]
) -> None:
    world = a_world()
    told(world, order("NW", "Q1"))

    recipient_says(world, status, reason)

    answer = read_message(written(world, -1))
    assert isinstance(answer, Message)
    assert answers(world) == [(HOSPITAL, "OSU^O51", "Q1")]
    assert (answer.text("ORC-1"), answer.text("ORC-5"), answer.text("ORC-16.2")) == said
    assert (answer.text("ORC-2.1"), answer.text("ORC-3.1")) == ("REF-77", the_referral(world).identifier)
    assert b"Co-Responders" not in answer.raw


def test_the_answer_has_its_notice_before_the_person_and_departs_in_nothing_from_the_standard() -> None:
    world = a_world()
    told(world, order("NW", "Q1"))
    recipient_says(world, "accepted")

    answer = read_message(written(world, -1, notice=STATEMENT_2))

    assert isinstance(answer, Message)
    assert [one.id for one in answer.segments] == ["MSH", "NTE", "PID", "ORC"]
    assert (answer.text("NTE-3"), answer.text("NTE-4.1")) == (STATEMENT_2, "NOTICE")
    assert departures(answer) == []


@pytest.mark.parametrize("missing", ["PID|", "ORC|"])
def test_a_referral_without_its_person_or_its_number_waits_for_a_person(missing: str) -> None:
    world = a_world()
    lines = [line for line in order("NW", "Q1").decode().split("\r") if not line.startswith(missing)]

    record = told(world, "\r".join(lines).encode())

    assert (record.state, world.transport.sent) == ("quarantined", [])


@pytest.mark.parametrize(("status", "moved"), [("CM", "completed"), ("IP", "accepted"), ("", "accepted")])
def test_an_outcome_that_comes_back_as_an_order_moves_our_referral_where_it_says_how_far_it_is(
    status: str, moved: str
) -> None:
    """IHE 360X PCC-57 (CM) and PCC-59: the recipient answers with an OMG of our number, and a note."""
    world = a_world()
    ours = next(one for one in world.database.state.referrals.values() if one.status == "accepted")

    told(world, order("SC", "Q1", number=ours.identifier, status=status, at="20261102173000-0800"))

    assert referral_status_of(world, ours.id) == moved
    assert referred(world) == []


def referral_status_of(world: World, referral_id: str) -> str:
    return world.database.state.referrals[referral_id].status
