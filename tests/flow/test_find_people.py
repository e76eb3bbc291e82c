"""Whoever asks who got what of them is found by the whole name and the birth date, and by nothing less."""

import pytest

from tests.support.consent_desk import KIM, PAM, STRANGER, a_refused_referral, record_of
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


def test_staff_of_a_program_find_whom_their_own_record_names_to_take_a_consent() -> None:
    world = a_refused_referral()

    found = world.gateway.consent_desk.find(PAM, "SAMPLE", "ari", "1990-01-02")

    assert [(one.person.family, one.record) for one in found] == [("Sample", record_of(world))]
    entry = world.database.audit[-1]
    assert (entry.kind, entry.actor, entry.data) == (
        "person.searched", PAM.id, {"persons": [found[0].person.id]},
    )  # fmt: skip


@pytest.mark.parametrize("stated", [("Sampl", "Ari", "1990-01-02"), ("Sample", "Ari", "1990-01-03")])
def test_to_take_a_consent_nobody_is_found_by_less_either(stated: tuple[str, str, str]) -> None:
    world = a_refused_referral()

    assert world.gateway.consent_desk.find(KIM, *stated) == []


def test_whose_records_are_anothers_is_found_by_no_program_and_by_no_operator_without_agreement() -> None:
    world = a_refused_referral()
    desk, bare = world.gateway.consent_desk, without_agreements(world).gateway.consent_desk
    stated = ("Sample", "Ari", "1990-01-02")

    assert len(desk.find(KIM, *stated)) == 1
    assert desk.find(STRANGER, *stated) == []
    assert bare.find(KIM, *stated) == []
    assert len(bare.find(PAM, *stated)) == 1
