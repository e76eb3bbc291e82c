"""Why was this withheld: told to the program the items come from and to whoever works for it, and to nobody else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from gateway.flow.releases.release import request_release
from gateway.flow.staff.withheld import WithheldFrom, withheld
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.partner import Registry
from gateway.model.staff import Member
from tests.flow.test_non_interference import submissions
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.released import CASE_WORKER, NURSE, OUTSIDER, an_emergency, take_case
from tests.support.two_worlds import TwoWorld, contact, without_fresh_ids

POLICE_STAFF = Member("staff-pd", "Pat Patrol", "admin", "org:demo-pd")


@pytest.fixture
def world() -> World:
    return a_world()


def reasons(told: list[WithheldFrom]) -> set[str]:
    return {item.reason for one in told for item in one.items}


def test_the_program_is_told_which_of_its_items_and_why_and_what_would_change_it(world: World) -> None:
    record = take_case(world)

    told = withheld(world.house, CASE_WORKER, record)

    assert "NO_CONSENT" in reasons(told)
    item = next(item for one in told for item in one.items if item.reason == "NO_CONSENT")
    assert item.section == "42 CFR 2.31; 2.33"
    assert item.words.change == "Ask the person for a consent."
    assert "withheld.viewed" in [row.kind for row in world.database.audit]


def test_the_program_is_told_of_its_own_items_only(world: World) -> None:
    world.take({**CONTACT, "clinician_org": "demo-lead", "referral_by": "officer", "consent_status": "refused"})
    (record,) = world.database.state.handoffs
    operators = {item.reference for one in withheld(world.house, NURSE, record) for item in one.items}

    own = {item.reference for one in withheld(world.house, CASE_WORKER, record) for item in one.items}

    assert own < operators


@pytest.mark.parametrize("stranger", [OUTSIDER, POLICE_STAFF], ids=["another partner", "police"])
def test_to_anybody_else_the_page_is_not_there(world: World, stranger: Member) -> None:
    record = take_case(world)
    refusals: list[Any] = []

    for asked in (record, "nothing-here"):
        with pytest.raises(RequestRefused) as refused:
            withheld(world.house, stranger, asked)
        refusals.append(refused.value.problem)

    assert refusals == [NOT_FOUND, NOT_FOUND]


def test_an_operator_without_an_agreement_is_told_nothing(world: World) -> None:
    record = take_case(world)
    known = {one.id: one for one in world.house.registry}
    known["org:operator"] = replace(known["org:operator"], agreements=())
    house = replace(world.house, registry=Registry(known.values()))

    with pytest.raises(RequestRefused):
        withheld(house, NURSE, record)


WORLDS = settings(max_examples=20, deadline=None, database=None, phases=[Phase.generate, Phase.shrink])


@given(records=submissions())
@WORLDS
def test_no_page_says_to_who_is_no_program_that_anything_was_withheld(records: list[Any]) -> None:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in(records)

    for record in world.state.handoffs:
        for member in (OUTSIDER, POLICE_STAFF, NURSE):
            with pytest.raises(RequestRefused) as refused:
                world.gateway.release_desk.withheld(member, record)
            assert refused.value.problem == NOT_FOUND


@given(records=submissions())
@WORLDS
def test_what_police_release_of_their_own_is_the_same_whatever_a_program_wrote(records: list[Any]) -> None:
    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in(records)
    known = police_records(bare)
    seen_bare = police_sending(bare, known)

    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(records)
    seen_full = police_sending(full, known)

    assert without_fresh_ids(seen_full) == without_fresh_ids(seen_bare)


def test_police_do_release_what_is_theirs() -> None:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([contact(1, 0, "verbal", "mental_health")])

    (_, message), *more = police_sending(world, police_records(world))

    assert b'"Encounter"' in message
    assert more == []


def police_records(world: TwoWorld) -> list[str]:
    return sorted(key for key, one in world.state.handoffs.items() if one.agency == "org:demo-pd")


def police_sending(world: TwoWorld, records: list[str]) -> list[Any]:
    """Let police release these records to the hospital, and return what goes on the wire by it."""
    house = world.gateway.house
    before = len(world.wire.sent)
    for record in records:
        request_release(house, POLICE_STAFF, an_emergency(record))
    world.work()
    return world.wire.sent[before:]
