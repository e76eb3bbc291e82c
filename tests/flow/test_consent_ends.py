"""A consent that ends with the treatment: what sounds like the end is put before a person, and a person settles it."""

from datetime import date, timedelta
from typing import Any

import pytest

from gateway.flow.consents.ends import hear_of_ends
from gateway.flow.consents.sweep import sweep
from gateway.model.consent_form import Expiry
from gateway.model.consent_life import Revoking
from gateway.model.exchange import NOT_FOUND, Problem
from tests.support.consent_desk import (
    KIM,
    STRANGER,
    WINTER,
    a_form,
    a_refused_referral,
    capture,
    hand_in,
    line_of,
    person_of,
    signed,
    states,
    stored,
    told,
)
from tests.support.flow_house import World, csv_of
from tests.support.two_worlds import case

PARTNER = "https://warmhandoff.example/id/partner"
PROGRAM = {"type": "Organization", "identifier": {"system": PARTNER, "value": "demo-lead"}}
HOSPITAL = {"type": "Organization", "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999999001"}}
CLOSED = {"resourceType": "CarePlan", "id": "plan", "status": "completed"}
STAY = {"resourceType": "Encounter", "id": "stay", "status": "finished", "class": {"code": "IMP"}}


def until_the_treatment_ends() -> tuple[World, str]:
    """A program's referral that has left on a consent which ends with the treatment."""
    world = a_refused_referral()
    return world, capture(world, signed(world, a_form(world, expiry=Expiry(event="end-of-treatment"))))


def hand_in_closed(world: World, goals: str = "stay sober") -> None:
    """The program hands in its record again: the person has left it."""
    row = {**case(1, 0, "demo-lead", "medical", goals, {}).full, "status": "exited"}
    world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    world.work()


def hear(world: World, resource: dict[str, Any], author: dict[str, Any] = PROGRAM, activity: str = "originate") -> None:
    """Let a record say something that this author signs for."""
    signed = {
        "resourceType": "Provenance", "id": "signed", "activity": {"coding": [{"code": activity}]},
        "target": [{"reference": f"{resource['resourceType']}/{resource['id']}"}], "agent": [{"who": author}],
    }  # fmt: skip
    world.database.write(lambda tx: hear_of_ends(world.house, tx, person_of(world), [resource, signed], ()))


def listed(world: World) -> list[str]:
    return [one.consent_id for one in world.gateway.consent_desk.ending(KIM).lines if one.may_have_ended]


def settle(world: World, consent_id: str, *, has_come: bool, why: str = "a call to the program") -> Problem | None:
    return world.gateway.consent_desk.settle_end(KIM, consent_id, why, has_come=has_come)


def test_when_the_program_closes_its_plan_the_consent_stands_among_those_that_end() -> None:
    world, consent_id = until_the_treatment_ends()
    before = listed(world)

    hand_in_closed(world)

    assert (before, listed(world)) == ([], [consent_id])
    assert line_of(world, consent_id).words == "active until the end of the treatment; it may have ended"
    assert told(world, "consent.end-told") == [{"consent": consent_id}]


@pytest.mark.parametrize(
    ("resource", "is_told"),
    [
        (CLOSED, True),
        ({**CLOSED, "status": "revoked"}, True),
        (STAY, True),
        ({**CLOSED, "status": "active"}, False),
        ({**STAY, "class": {"code": "AMB"}}, False),
        ({**STAY, "status": "in-progress"}, False),
        ({"resourceType": "Goal", "id": "goal", "status": "completed"}, False),
    ],
)
def test_something_longer_than_a_visit_has_to_be_over(resource: dict[str, Any], is_told: bool) -> None:
    world, consent_id = until_the_treatment_ends()

    hear(world, resource)

    assert listed(world) == ([consent_id] if is_told else [])


def test_it_is_the_word_of_the_program_and_of_nobody_else() -> None:
    world, _ = until_the_treatment_ends()

    hear(world, CLOSED, HOSPITAL)
    hear(world, CLOSED, {"display": "a program"})
    hear(world, CLOSED, PROGRAM, "receive")

    assert listed(world) == []


@pytest.mark.parametrize("expiry", [Expiry(event="none"), Expiry(on=WINTER)])
def test_a_consent_that_ends_otherwise_does_not_care(expiry: Expiry) -> None:
    world = a_refused_referral()
    capture(world, signed(world, a_form(world, expiry=expiry)))

    hear(world, CLOSED)

    assert listed(world) == []


def test_a_person_says_that_it_has_ended_and_nothing_leaves_on_it_any_more() -> None:
    world, consent_id = until_the_treatment_ends()
    hear(world, CLOSED)

    assert settle(world, consent_id, has_come=True) is None

    hand_in(world, "find work")
    assert (stored(world, consent_id)["status"], listed(world)) == ("inactive", [])
    assert "refused" in states(world)
    assert told(world, "consent.ended") == [
        {"consent": consent_id, "version": 2, "event": "end-of-treatment", "why": "a call to the program"}
    ]


def test_a_person_says_that_it_goes_on_and_is_not_asked_again_for_the_same() -> None:
    world, consent_id = until_the_treatment_ends()
    hand_in_closed(world)

    assert settle(world, consent_id, has_come=False) is None
    hand_in_closed(world, "find work")

    assert (stored(world, consent_id)["status"], listed(world)) == ("active", [])
    assert told(world, "consent.goes-on")[0]["why"] == "a call to the program"


def test_what_was_told_outlives_the_next_version_of_the_consent_and_a_sweep() -> None:
    world, consent_id = until_the_treatment_ends()
    hear(world, CLOSED)

    world.gateway.consent_desk.revoke(KIM, consent_id, Revoking("written", ("org:demo-clinic",)))
    world.clock.advance(timedelta(days=3))
    sweep(world.house)

    assert listed(world) == [consent_id]


def test_nobody_settles_what_is_not_asked_or_not_theirs_or_without_words() -> None:
    world, consent_id = until_the_treatment_ends()
    early = settle(world, consent_id, has_come=True)
    hear(world, CLOSED)

    silent = settle(world, consent_id, has_come=True, why=" ")
    stranger = world.gateway.consent_desk.settle_end(STRANGER, consent_id, "a call", has_come=True)

    assert early is not None
    assert silent is not None
    assert (early.status, silent.status) == (409, 400)
    assert (stranger, settle(world, "nobodys", has_come=True)) == (NOT_FOUND, NOT_FOUND)
    assert stored(world, consent_id)["status"] == "active"


def test_a_last_day_in_the_year_9999_is_shown_as_no_end() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world, expiry=Expiry(on=date(9999, 12, 31)))))

    assert line_of(world, consent_id).words == "active"
