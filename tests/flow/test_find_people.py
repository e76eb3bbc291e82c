"""Whoever asks who got what of them is found by the whole name and the birth date, and by nothing less."""

import pytest

from tests.support.flow_house import CONTACT, World, a_world, without_agreements


@pytest.fixture
def world() -> World:
    made = a_world()
    made.take(CONTACT)
    return made


def test_somebody_is_found_whatever_the_case_of_the_letters_and_the_trail_does_not_say_the_name(world: World) -> None:
    (person,) = world.database.state.people.values()
    assert person.birth_date is not None

    found = world.gateway.find_people("an-officer", person.family.upper(), person.given.lower(), person.birth_date)

    entry = world.database.audit[-1]
    assert [(one.person.id, one.record) for one in found] == [(person.id, next(iter(world.database.state.handoffs)))]
    assert (entry.kind, entry.actor, entry.data) == ("person.searched", "an-officer", {"persons": [person.id]})


@pytest.mark.parametrize("change", [{"family": "Alde"}, {"given": ""}, {"birth_date": "1984-05-03"}])
def test_nobody_is_found_by_less_or_by_something_else(world: World, change: dict[str, str]) -> None:
    (person,) = world.database.state.people.values()
    stated = {"family": person.family, "given": person.given, "birth_date": person.birth_date or ""} | change

    assert world.gateway.find_people("an-officer", **stated) == []
    assert world.database.audit[-1].data == {"persons": []}


def test_an_operator_without_every_agreement_finds_nobody(world: World) -> None:
    (person,) = world.database.state.people.values()
    assert person.birth_date is not None

    stranger = without_agreements(world)

    assert stranger.gateway.find_people("an-officer", person.family, person.given, person.birth_date) == ()
