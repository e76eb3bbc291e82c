"""Why was this withheld: told to the program the items come from and to whoever works for it, and to nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.flow.withheld import WithheldFrom, withheld
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.partner import Registry
from gateway.model.staff import Member
from tests.support.flow_house import World, a_world
from tests.support.released import CASE_WORKER, NURSE, OUTSIDER, take_case

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
    record = take_case(world)
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
