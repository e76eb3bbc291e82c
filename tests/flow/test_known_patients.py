"""A consent is filed about a Patient whom its filer knows of, and by nobody else: to them there is no such Patient.

42 CFR 2.13(c)(2): nobody learns from us that there is somebody whom a Part 2 program's record alone holds.
"""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.flow.consents.changes import FILED_BY
from gateway.flow.people import PERSON_ID
from gateway.model.consent_life import Revoking
from tests.support.consent_desk import PAM
from tests.support.filed_consents import a_filed, post, post_with_paper, put, revoke
from tests.support.two_worlds import (
    HOSPITAL,
    OFFICE,
    POLICE,
    RELEASES,
    Seen,
    Submission,
    TwoWorld,
    case,
    contact,
    hidden_contact,
    mixed_contact,
)


def a_world_with(*submissions: Submission) -> TwoWorld:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in(list(submissions))
    return world


def patients_of(world: TwoWorld, source: str) -> list[dict[str, str]]:
    """The Patients of the records of a program, in the order in which the records came."""
    records = [one.id for one in world.state.handoffs.values() if one.mapping == source]
    keys = [key for record in records for kind, key in world.state.contents[record] if kind == "Patient"]
    return [{"reference": f"Patient/{key}"} for key in keys]


def by_number(patient: dict[str, str]) -> dict[str, Any]:
    return {"identifier": {"system": PERSON_ID, "value": patient["reference"].removeprefix("Patient/")}}


def every_way(world: TwoWorld, client: str, patient: dict[str, Any], consent_id: str) -> list[Seen]:
    """What comes back from every way of writing a consent about a Patient, each from the same moment."""
    moment, body = world.moment(), a_filed(patient, "demo-lead")
    seen = []
    for way in (
        lambda: post(world, client, body),
        lambda: post_with_paper(world, client, body),
        lambda: put(world, client, body, consent_id),
        lambda: revoke(world, client, patient, consent_id),
    ):
        seen.append(way())
        world.return_to(moment)
    return seen


NOBODY = {"reference": "Patient/nobodys"}


def id_of(filed: Seen) -> str:
    assert filed[0] == 201, filed
    return str(orjson.loads(filed[2])["id"])


@pytest.mark.parametrize("client", [HOSPITAL, POLICE])
def test_a_patient_of_whom_only_a_programs_record_tells_is_nobody(client: str) -> None:
    """The program hands in a contact of the police, and names them in it: that does not make it theirs."""
    release = RELEASES["for another"]
    world = a_world_with(
        case(1, 0, "demo-lead", "SUD treatment", "stay sober", release), hidden_contact(1, 1, "demo-lead", "")
    )
    patients = [*patients_of(world, "lead-referral"), *patients_of(world, "co-responder-contact")]
    (consent_id,) = (key for kind, key in world.state.resources if kind == "Consent")

    nobody = every_way(world, client, NOBODY, "nobodys")

    assert {one.agency for one in world.state.handoffs.values()} == {"org:demo-lead", "org:demo-pd"}
    assert [one[0] for one in nobody] == [422, 422, 422, 404]
    for patient in patients:
        assert every_way(world, client, patient, "nobodys") == nobody
        assert every_way(world, client, patient, consent_id) == nobody
        assert every_way(world, client, by_number(patient), consent_id) == nobody


def test_who_handed_the_record_in_files_a_consent_about_its_patient() -> None:
    world = a_world_with(contact(1, 0, "not_asked", "mental_health"))
    (patient,) = patients_of(world, "co-responder-contact")

    answers = [post(world, one, a_filed(patient, "demo-pd"))[0] for one in (POLICE, HOSPITAL)]

    assert answers == [201, 422]


def test_who_received_something_of_a_patient_files_a_consent_about_them() -> None:
    world = a_world_with(contact(1, 0, "verbal", "mental_health"), contact(2, 1, "not_asked", "mental_health"))
    received, withheld = patients_of(world, "co-responder-contact")

    answers = [post(world, HOSPITAL, a_filed(one, "demo-pd"))[0] for one in (received, by_number(received), withheld)]

    assert answers == [201, 201, 422]


def test_the_other_patient_of_a_person_is_nobody_to_who_received_the_first() -> None:
    """The index has them as one person; that is for us to know."""
    hidden = case(1, 0, "demo-lead", "SUD treatment", "stay sober", {})
    world = a_world_with(contact(1, 0, "verbal", "mental_health"), hidden)
    (received,), (other,) = patients_of(world, "co-responder-contact"), patients_of(world, "lead-referral")

    nobody = every_way(world, HOSPITAL, NOBODY, "nobodys")

    assert len(world.state.people) == 1
    assert every_way(world, HOSPITAL, other, "nobodys") == nobody
    assert every_way(world, HOSPITAL, received, "nobodys") != nobody


def test_a_program_files_a_consent_to_what_its_clinician_wrote_in_a_record_of_police() -> None:
    world = a_world_with(
        mixed_contact(1, 0, "demo-lead", "not_asked", "substance_use"),
        mixed_contact(2, 1, "demo-detox", "not_asked", "substance_use"),
    )
    own, of_another = patients_of(world, "co-responder-contact")

    answers = [post(world, OFFICE, a_filed(one, "demo-lead"))[0] for one in (own, of_another)]

    assert answers == [201, 422]


@pytest.fixture
def two_patients_of_one() -> tuple[TwoWorld, dict[str, str], list[dict[str, str]]]:
    """A world in which a program has a Patient, another of the same person, and one of another person."""
    world = a_world_with(
        case(1, 0, "demo-lead", "SUD treatment", "stay sober", {}),
        hidden_contact(1, 0, "demo-lead", ""),
        hidden_contact(2, 1, "demo-lead", ""),
    )
    (first,) = patients_of(world, "lead-referral")
    return world, first, patients_of(world, "co-responder-contact")


def test_a_consent_moves_to_no_other_patient_whoever_that_is(
    two_patients_of_one: tuple[TwoWorld, dict[str, str], list[dict[str, str]]],
) -> None:
    """A yes for the one and a no for the other would tell which two Patients are one person."""
    world, first, others = two_patients_of_one
    consent_id = id_of(post(world, OFFICE, a_filed(first, "demo-lead")))

    same, another = [put(world, OFFICE, a_filed(one, "demo-lead"), consent_id) for one in others]
    by_its_number = put(world, OFFICE, a_filed(by_number(first), "demo-lead"), consent_id)

    assert len(world.state.people) == 2
    assert same[0] == 422
    assert same == another
    assert by_its_number[0] == 200


def test_a_consent_replaces_none_of_another_patient_whoever_that_is(
    two_patients_of_one: tuple[TwoWorld, dict[str, str], list[dict[str, str]]],
) -> None:
    world, first, others = two_patients_of_one
    older = id_of(post(world, OFFICE, a_filed(first, "demo-lead")))

    same, another = [post(world, OFFICE, a_filed(one, "demo-lead", f"Consent/{older}")) for one in others]
    own = post(world, OFFICE, a_filed(first, "demo-lead", f"Consent/{older}"))

    assert same[0] == 422
    assert same == another
    assert own[0] == 201
    assert world.state.resources["Consent", older].body["status"] == "inactive"


def test_what_staff_change_in_a_programs_record_does_not_make_it_the_police_s_that_it_names() -> None:
    """What counts as filed from then on is filed by who has the record."""
    hidden = hidden_contact(1, 0, "demo-lead", "")
    agreed = {**hidden.full, "consent_status": "verbal", "consent_at": "2026-10-30T10:05:00"}
    world = a_world_with(replace(hidden, full=agreed))
    (patient,) = patients_of(world, "co-responder-contact")
    (consent_id,) = (key for kind, key in world.state.resources if kind == "Consent")
    nobody = every_way(world, POLICE, NOBODY, "nobodys")

    assert world.gateway.consent_desk.revoke(PAM, consent_id, Revoking("oral")) is None

    tags = world.state.resources["Consent", consent_id].body["meta"]["tag"]
    assert [one["code"] for one in tags if one["system"] == FILED_BY] == ["org:demo-lead"]
    assert every_way(world, POLICE, patient, consent_id) == nobody
