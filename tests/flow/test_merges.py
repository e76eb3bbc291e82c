"""Merges by a partner's numbers: nothing of ours moves before a person here has confirmed, and then all of it."""

import pytest

from gateway.flow.messages.desk import decide_merge
from gateway.flow.messages.numbers import with_possible_numbers
from gateway.flow.people import PERSON_ID
from gateway.formats.hl7v2.identities import IDENTITY_EVENTS, MERGES
from gateway.model.hl7_answer import PersonIdentifier
from gateway.ports import Transaction
from tests.support.flow_house import CONTACT, World, without_agreements
from tests.support.hospital_feed import (
    OTHER_CONTACT,
    a_world_that_knows_two,
    adt,
    newest_input,
    person_id,
    referral_status,
    take,
)

MERGE_2_INTO_1 = "MRG|M-2^^^HOSPITAL^MR"


def merge(world: World, event: str = "A40", control_id: str = "E1") -> tuple[str, str]:
    """The hospital says that its M-2 is its M-1."""
    return take(world, adt(event, control_id, number="M-1", rest=MERGE_2_INTO_1))


def merge_into_a_new_number(world: World) -> tuple[str, str]:
    """The hospital says that its M-1 is M-9, which nobody here has."""
    return take(world, adt("A40", "E1", number="M-9", rest="MRG|M-1^^^HOSPITAL^MR"))


@pytest.mark.parametrize("event", sorted(MERGES))
def test_a_merge_of_two_known_people_waits_and_moves_nothing(event: str) -> None:
    world = a_world_that_knows_two()

    state, reason = merge(world, event)

    assert (state, reason) == (
        "quarantined",
        f"{event}: it ends a number of a person we know: confirm or refuse the merge",
    )
    assert person_id(world, 1) != person_id(world, 2)


@pytest.mark.parametrize("event", sorted(IDENTITY_EVENTS - MERGES))
def test_other_changes_of_identity_wait_for_a_look_where_they_name_somebody_known(event: str) -> None:
    world = a_world_that_knows_two()
    rest = "PID|2||M-2^^^HOSPITAL^MR||Example^Bo" if event in ("A24", "A37") else MERGE_2_INTO_1

    state, _ = take(world, adt(event, "E1", rest=rest))

    assert state == "quarantined"
    assert not decide_merge(world.house, "staff-1", newest_input(world), same=True)


@pytest.mark.parametrize("event", sorted(IDENTITY_EVENTS))
def test_a_change_among_strangers_is_nobodys_work(event: str) -> None:
    world = a_world_that_knows_two()
    rest = "PID|2||M-8^^^HOSPITAL^MR||Nobody^Else" if event in ("A24", "A37") else "MRG|M-8^^^HOSPITAL^MR"

    assert take(world, adt(event, "E1", number="M-9", person="Stranger^Max", rest=rest))[0] == "skipped"


@pytest.mark.parametrize("same", [True, False])
def test_an_operator_who_may_not_see_whom_a_merge_is_about_decides_none(*, same: bool) -> None:
    world = a_world_that_knows_two()
    merge(world)

    assert not decide_merge(without_agreements(world).house, "staff-1", newest_input(world), same=same)
    assert person_id(world, 1) != person_id(world, 2)


def test_a_confirmed_merge_moves_records_referrals_and_numbers() -> None:
    world = a_world_that_knows_two()
    merge(world)

    done = decide_merge(world.house, "staff-1", newest_input(world), same=True)

    assert done
    assert person_id(world, 1) == person_id(world, 2)
    take(world, adt("A01", "E2", number="M-2"))
    assert (referral_status(world, 1), referral_status(world, 2)) == ("in-progress", "in-progress")
    assert not decide_merge(world.house, "staff-1", newest_input(world), same=True)


def test_a_refused_merge_moves_nothing_and_waits_no_more() -> None:
    world = a_world_that_knows_two()
    merge(world)
    waiting = newest_input(world)

    assert decide_merge(world.house, "staff-1", waiting, same=False)
    assert person_id(world, 1) != person_id(world, 2)
    assert not decide_merge(world.house, "staff-1", waiting, same=True)


def test_the_decision_is_in_the_audit_trail_with_who_made_it() -> None:
    world = a_world_that_knows_two()
    merge(world)
    persons = sorted((person_id(world, 1), person_id(world, 2)))

    decide_merge(world.house, "staff-1", newest_input(world), same=True)

    entry = list(world.database.state.audit.values())[-1]
    assert (entry.kind, entry.actor, entry.data) == (
        "merge.confirmed",
        "staff-1",
        {"input": newest_input(world), "persons": persons},
    )


@pytest.mark.parametrize(
    ("same", "state", "status"), [(True, "converted", "in-progress"), (False, "skipped", "accepted")]
)
def test_what_came_under_the_surviving_number_meanwhile_waits_and_is_read_again(
    *, same: bool, state: str, status: str
) -> None:
    world = a_world_that_knows_two()
    merge_into_a_new_number(world)
    waiting = newest_input(world)
    early = take(world, adt("A01", "E2", number="M-9", person="Renamed^Rue"))
    admission = newest_input(world)

    assert decide_merge(world.house, "staff-1", waiting, same=same)

    (record,) = world.database.read(lambda tx: tx.inputs.records(admission))
    assert early == ("quarantined", "it is about a person who is only possibly known: decide who it is")
    assert (record.state, referral_status(world, 1)) == (state, status)
    assert take(world, adt("A01", "E3", number="M-9", person="Renamed^Rue"))[0] == ("skipped" if not same else state)


def test_a_refusal_under_the_surviving_number_stops_what_could_leave_until_the_merge_is_decided() -> None:
    world = a_world_that_knows_two()
    merge_into_a_new_number(world)

    con = "CON|1|001^Release^HL70496||||||||W|R||20261102|||||||||||Renamed^Rue|SEL"
    state, reason = take(world, adt("A31", "E2", number="M-9", person="Renamed^Rue", rest=con))

    assert state == "quarantined"
    assert "CON: it refuses a consent of a person who is only possibly known: nothing of theirs leaves" in reason


def test_a_merge_of_what_a_merge_brings_waits_for_its_turn() -> None:
    world = a_world_that_knows_two()
    merge_into_a_new_number(world)
    first = newest_input(world)
    early = take(world, adt("A40", "E2", number="M-10", rest="MRG|M-9^^^HOSPITAL^MR"))
    second = newest_input(world)

    assert decide_merge(world.house, "staff-1", first, same=True)
    assert decide_merge(world.house, "staff-1", second, same=True)

    assert early == ("quarantined", "A40: it ends a number that a merge before it brings: decide that one first")
    assert take(world, adt("A01", "E3", number="M-10"))[0] == "converted"
    assert referral_status(world, 1) == "in-progress"


def test_a_number_that_gives_way_to_one_nobody_has_is_learned_once_confirmed() -> None:
    world = a_world_that_knows_two()
    take(world, adt("A40", "E1", number="M-5", person="Example^Bo", rest=MERGE_2_INTO_1))

    decide_merge(world.house, "staff-1", newest_input(world), same=True)
    take(world, adt("A01", "E2", number="M-5"))

    assert (referral_status(world, 1), referral_status(world, 2)) == ("accepted", "in-progress")


def test_consents_that_moved_are_unverified_and_nothing_leaves_on_them() -> None:
    world = a_world_that_knows_two()
    merge(world)
    sent = len(world.transport.sent)

    decide_merge(world.house, "staff-1", newest_input(world), same=True)

    consents = world.database.read(lambda tx: tx.resources.of_person(["Consent"], person_id(world)))
    assert sorted(one.body.get("verification", []) == [{"verified": False}] for one in consents) == [False, True]
    assert len(world.transport.sent) == sent


def test_what_was_not_sent_yet_waits_for_a_look_at_the_consents() -> None:
    world = a_world_that_knows_two()
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", True)
    world.take({**CONTACT, "contact_id": "C-3"})
    world.take({**OTHER_CONTACT, "contact_id": "C-4"})
    merge(world)

    decide_merge(world.house, "staff-1", newest_input(world), same=True)
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", False)
    world.work()

    assert len(world.transport.sent) == 2
    assert {reason for _, state, reason in world.states() if state == "held"} == {
        "two persons became one: look at whose consents these are, then decide again"
    }


def test_our_own_number_is_nobody_elses_to_end() -> None:
    world = a_world_that_knows_two()
    own = world.database.read(lambda tx: tx.people.get(person_id(world, 2)))
    assert own is not None
    value = next(number for system, number in own.identifiers if system == PERSON_ID)

    assert take(world, adt("A40", "E1", rest=f"MRG|{value}"))[0] == "skipped"


def test_a_merge_without_the_ended_number_is_told_as_incomplete() -> None:
    world = a_world_that_knows_two()

    assert take(world, adt("A40", "E1"))[0] == "quarantined"


@pytest.mark.parametrize("same", [True, False])
def test_a_decision_on_one_merge_leaves_the_waiting_number_of_another_partner(*, same: bool) -> None:
    """Two partners, or two assigners of one, can wait to give the same number."""
    world = a_world_that_knows_two()
    merge_into_a_new_number(world)
    person = person_id(world, 1)
    number, other = PersonIdentifier("M-9", "HOSPITAL"), PersonIdentifier("M-9", "ANNEX")

    def wait(tx: Transaction) -> None:
        known = tx.people.get(person)
        assert known is not None
        known = with_possible_numbers(known, "org:demo-clinic", [number])
        tx.people.save(with_possible_numbers(known, "org:demo-hospital", [other]), world.clock())

    world.database.write(wait)

    assert decide_merge(world.house, "staff-1", newest_input(world), same=same)

    waiting = [system for system, _ in world.database.state.people[person].identifiers if "possible-number" in system]
    assert sorted(waiting) == [
        "urn:warm-handoff:possible-number:org:demo-clinic:HOSPITAL",
        "urn:warm-handoff:possible-number:org:demo-hospital:ANNEX",
    ]
