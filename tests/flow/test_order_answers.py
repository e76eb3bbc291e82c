"""A referral that went out as an order is moved by the OSU that answers it, and by no other."""

import pytest

from tests.support.flow_house import CONTACT, World, a_world
from tests.support.hospital_feed import referral_status, take, with_feed


def osu(referral: str, status: str, control_id: str = "O1", reason: str = "") -> bytes:
    """The hospital's word on an order."""
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102110000-0800||OSU^O51|{control_id}|P|2.5.1\r"
        f"PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\r"
        f"ORC|SC|{referral}^WARMHANDOFF|H-9||{status}||||20261102110000-0800|||||||{reason}\r"
    ).encode()


@pytest.fixture
def world() -> World:
    world = with_feed(a_world())
    world.take(CONTACT)
    return world


def number(world: World) -> str:
    resources = [entry["resource"] for entry in world.transport.sent[0][0].content["entry"]]
    task = next(one for one in resources if one["resourceType"] == "Task")
    return str(task["identifier"][0]["value"])


@pytest.mark.parametrize(("status", "moved"), [("IP", "accepted"), ("CA", "rejected"), ("CM", "completed")])
def test_an_order_is_accepted_declined_and_completed(world: World, status: str, moved: str) -> None:
    state, _ = take(world, osu(number(world), status, reason="FULL^No capacity"))

    assert (state, referral_status(world)) == ("converted", moved)


@pytest.mark.parametrize(
    ("status", "kind", "visit"), [("SC", "OSU^O51", "5.1.1"), ("A", "OSU^O51", "5.1.4"), ("IP", "OMG^O19", "5.1.4")]
)
def test_an_appointment_and_an_interim_note_say_that_work_has_begun(
    world: World, status: str, kind: str, visit: str
) -> None:
    note = b"OBX|1|ED|11488-4^Consult note^LN||^text^plain^Base64^eA==||||||F\r"

    state, _ = take(world, osu(number(world), status).replace(b"OSU^O51", kind.encode()) + note)

    (referral,) = world.database.state.referrals.values()
    assert (state, referral.status, referral.business_status) == ("converted", "in-progress", visit)


def test_a_late_acceptance_takes_nothing_back(world: World) -> None:
    take(world, osu(number(world), "CM"))

    take(world, osu(number(world), "IP", "O2"))

    assert referral_status(world) == "completed"


def test_an_order_that_is_none_of_ours_moves_nothing(world: World) -> None:
    state, _ = take(world, osu("LAB-77", "CM"))

    assert (state == "converted", referral_status(world)) == (False, "requested")


def taken_back(world: World) -> str:
    """The number of the referral, after its record has come to be about somebody else."""
    referral = number(world)
    world.take({**CONTACT, "client_id": "K-7", "last_name": "Different", "first_name": "Person", "dob": "1970-05-05"})
    assert referral_status(world) == "cancelled"
    return referral


def test_a_cancellation_that_is_confirmed_needs_nobody(world: World) -> None:
    referral = taken_back(world)

    state, _ = take(world, osu(referral, "CA").replace(b"ORC|SC", b"ORC|CR"))

    assert (state, referral_status(world)) == ("converted", "cancelled")


def test_a_cancellation_that_comes_too_late_for_its_recipient_waits_for_a_person(world: World) -> None:
    referral = taken_back(world)

    state, reason = take(world, osu(referral, "IP").replace(b"ORC|SC", b"ORC|UC"))

    assert (state, referral_status(world)) == ("quarantined", "cancelled")
    assert reason.startswith("ORC-1")
