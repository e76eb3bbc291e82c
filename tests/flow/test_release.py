"""Releases at the console: break-glass from the form to the wire, and what a second person has to look at."""

from dataclasses import replace
from datetime import date

import orjson
import pytest

from gateway.flow.releases.copy import give_copy
from gateway.flow.releases.release import decide_again, request_release
from gateway.flow.releases.reviews import close_review
from gateway.flow.work import work_once
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.partner import Agreement, Endpoint, LegalClass, Organization, Registry
from gateway.model.release import ReleaseRequest
from gateway.model.staff import Member
from tests.support.flow_house import CONTACT, World, a_world, without_agreements
from tests.support.released import (
    CASE_WORKER,
    ED,
    LAWYER,
    NURSE,
    OFFICER,
    OUTSIDER,
    POLICE_DEPARTMENT,
    PROGRAM,
    an_emergency,
    break_glass,
    take_case,
)

UNIVERSITY = Organization(
    id="org:uni", name="Example University", identifiers=(("https://warmhandoff.example/id/partner", "uni"),),
    roles=frozenset({"research"}), legal_classes=(LegalClass(date(2020, 1, 1), "no"),),
    agreements=(Agreement("irb-1", "research", PROGRAM, date(2026, 1, 1)),),
)  # fmt: skip


@pytest.fixture
def world() -> World:
    return a_world()


def test_a_broken_glass_sends_the_record_to_medical_personnel(world: World) -> None:
    release = break_glass(world)
    world.work()

    assert (release.state, release.reason) == ("queued", "OK_EMERGENCY")
    ((disclosure, endpoint, _),) = world.transport.sent
    assert (disclosure.recipient, endpoint.transport) == (ED, "fhir")
    kinds = {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]}
    assert {"Patient", "Condition"} & kinds
    assert not {"Task", "ServiceRequest"} & kinds
    assert "EMERGENCY_DOC" in disclosure.record.obligations
    assert "ACCOUNT" not in disclosure.record.obligations
    assert disclosure.notice == ""


def test_the_four_facts_stay_with_the_record_and_in_the_kept_decision(world: World) -> None:
    release = break_glass(world)

    kept = world.database.state.releases[release.id]
    decision = world.database.state.decisions[kept.decision_id or ""]
    assert kept.evidence["nature"] == "unresponsive after a suspected overdose"
    assert kept.evidence["disclosed_by"] == "Nora Nightdesk"
    assert decision.handoff_id == release.handoff_id
    assert orjson.loads(decision.inputs)["request"]["basis"]["recipient_name"] == "Dr Voe"


def test_a_broken_glass_stands_in_the_queue_until_somebody_else_has_looked(world: World) -> None:
    break_glass(world)
    (review,) = world.database.state.reviews.values()
    assert (review.kind, review.raised_by) == ("second-look", NURSE.id)

    with pytest.raises(RequestRefused):
        close_review(world.house, NURSE, review.id, "it was me")
    close_review(world.house, OFFICER, review.id, "called the emergency department")

    (closed,) = world.database.state.reviews.values()
    assert (closed.closed_by, closed.note) == (OFFICER.id, "called the emergency department")
    kinds = [row.kind for row in world.database.audit]
    assert {"release.requested", "release.decided", "review.opened", "review.closed"} <= set(kinds)


PROGRAMS_OFFICER = Member("staff-lead-privacy", "Lee Lookout", "privacy-officer", PROGRAM)
"""Of the program whose record it is, while the operator's staff break the glass."""


def test_the_program_reads_of_a_broken_glass_on_its_record_and_may_look_at_it_in_the_operators_place(
    world: World,
) -> None:
    """42 CFR 2.51(c): the disclosure is documented in the patient's records, for the program that keeps them."""
    release = break_glass(world, "copy")
    desk = world.gateway.release_desk

    page = desk.page(PROGRAMS_OFFICER, release.id)
    (review,) = desk.waiting(PROGRAMS_OFFICER)
    desk.close_review(PROGRAMS_OFFICER, review.id, "It was an emergency.")

    assert page.release.evidence["nature"] == "unresponsive after a suspected overdose"
    assert page.may_act is False
    assert [row.release.id for row in desk.releases(CASE_WORKER)] == [release.id]
    assert world.database.state.reviews[review.id].closed_by == PROGRAMS_OFFICER.id


def test_the_program_does_nothing_about_a_release_that_the_operator_asked_for(world: World) -> None:
    release = break_glass(world, "copy")

    with pytest.raises(RequestRefused) as refused:
        give_copy(world.house, PROGRAMS_OFFICER, release.id, "pdf")

    assert refused.value.problem is NOT_FOUND


def test_another_program_reads_nothing_of_it_and_a_police_department_nothing_of_its_own_records(world: World) -> None:
    """Who keeps a record and is no program learns by a release that a program has a part in it (42 CFR 2.13(c)(2))."""
    of_program = break_glass(world)
    world.take(CONTACT)
    (of_police,) = (key for key, one in world.database.state.handoffs.items() if one.agency == POLICE_DEPARTMENT)
    of_contact = request_release(world.house, NURSE, an_emergency(of_police))
    desk = world.gateway.release_desk

    for stranger, release in (
        (Member("staff-clinic", "Cleo Clinic", "admin", "org:demo-clinic"), of_program),
        (Member("staff-pd", "Pat Patrol", "admin", POLICE_DEPARTMENT), of_contact),
    ):
        assert (desk.releases(stranger), desk.waiting(stranger)) == ([], [])
        with pytest.raises(RequestRefused) as refused:
            desk.page(stranger, release.id)
        assert refused.value.problem is NOT_FOUND


def test_the_record_holds_what_was_released_of_it(world: World) -> None:
    release = break_glass(world)
    world.work()

    page = world.gateway.console_record((NURSE.id, NURSE.role), release.handoff_id)
    hidden = without_agreements(world).gateway.console_record((NURSE.id, NURSE.role), release.handoff_id)

    assert page is not None
    assert hidden is not None
    assert [(row["release"].id, row["work"].state) for row in page["releases"]] == [(release.id, "delivered")]
    assert hidden["releases"] == []


@pytest.mark.parametrize("actor", [NURSE, CASE_WORKER])
def test_no_more_goes_than_the_emergency_needs_where_somebody_says_so(world: World, actor: Member) -> None:
    """42 CFR 2.51(a): to the extent necessary."""
    wanted = replace(an_emergency(take_case(world)), types=frozenset({"Goal"}))

    request_release(world.house, actor, wanted)
    world.work()

    ((disclosure, _, _),) = world.transport.sent
    released = {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]}
    assert {"Goal", "Patient"} <= released
    assert released.isdisjoint({"Condition", "CarePlan", "Encounter", "DocumentReference", "Observation", "Consent"})


def test_a_release_of_what_is_not_there_or_of_a_kind_that_is_whole_is_refused(world: World) -> None:
    emergency = replace(an_emergency(take_case(world)), types=frozenset({"Procedure"}))
    order = ReleaseRequest("court_order", emergency.handoff_id, ED, "copy", {}, frozenset({"Goal"}))

    for wanted in (emergency, order):
        with pytest.raises(RequestRefused) as refused:
            request_release(world.house, NURSE, wanted)
        assert refused.value.problem.status == 400


def test_nothing_is_sent_to_an_address_nobody_has_verified(world: World) -> None:
    handoff_id = take_case(world)
    known = {one.id: one for one in world.house.registry}
    hospital = known[ED]
    known[ED] = replace(hospital, endpoints=tuple(replace(one, verified=None) for one in hospital.endpoints))
    house = replace(world.house, registry=Registry(known.values()))

    release = request_release(house, NURSE, an_emergency(handoff_id))
    while work_once(house, "test"):
        pass

    (work,) = [one for one in world.database.state.work.values() if one.kind == "release"]
    assert (release.state, work.state) == ("queued", "held")
    assert not any(sent[0].recipient == ED for sent in world.transport.sent)


def test_a_copy_whose_record_was_withdrawn_is_no_longer_there(world: World) -> None:
    release = break_glass(world, way="copy")
    at = world.clock()
    world.database.write(lambda tx: tx.handoffs.set_state(release.handoff_id, "withdrawn", "deleted", at))

    with pytest.raises(RequestRefused):
        give_copy(world.house, NURSE, release.id, "pdf")


def test_a_copy_is_decided_again_when_it_is_handed_over(world: World) -> None:
    release = break_glass(world, way="copy")
    known = {one.id: one for one in world.house.registry}
    known[ED] = replace(known[ED], roles=frozenset({"housing"}))
    house = replace(world.house, registry=Registry(known.values()))

    with pytest.raises(RequestRefused):
        give_copy(house, NURSE, release.id, "pdf")

    kept = world.database.state.releases[release.id]
    assert (kept.state, kept.reason) == ("refused", "EMERGENCY_NOT_MEDICAL_PERSONNEL")
    assert world.database.audit[-1].kind == "release.decided"


def test_staff_of_a_program_release_what_their_program_holds_and_strangers_nothing(world: World) -> None:
    handoff_id = take_case(world)

    release = request_release(world.house, CASE_WORKER, an_emergency(handoff_id))
    with pytest.raises(RequestRefused):
        request_release(world.house, OUTSIDER, an_emergency(handoff_id))

    assert release.state == "queued"
    assert release.items is not None


def test_legal_review_releases_nothing_itself(world: World) -> None:
    with pytest.raises(RequestRefused):
        request_release(world.house, LAWYER, an_emergency(take_case(world)))


def test_an_operator_without_every_agreement_releases_nothing(world: World) -> None:
    handoff_id = take_case(world)
    known = {one.id: one for one in world.house.registry}
    known["org:operator"] = replace(known["org:operator"], agreements=known["org:operator"].agreements[:1])
    house = replace(world.house, registry=Registry(known.values()))

    with pytest.raises(RequestRefused) as refused:
        request_release(house, NURSE, an_emergency(handoff_id))

    assert refused.value.problem == NOT_FOUND


def test_a_held_release_is_decided_again_once_it_is_settled(world: World) -> None:
    handoff_id = take_case(world)
    known = {one.id: one for one in world.house.registry}
    known[UNIVERSITY.id] = UNIVERSITY
    house = replace(world.house, registry=Registry(known.values()))
    wanted = ReleaseRequest("research", handoff_id, UNIVERSITY.id, "copy", {"approval": "irb-1"})
    held = request_release(house, NURSE, wanted)
    assert (held.state, held.reason) == ("held", "ENDPOINT_UNVERIFIED")
    assert [one.kind for one in world.database.state.reviews.values()] == ["held"]

    known[UNIVERSITY.id] = replace(UNIVERSITY, endpoints=(Endpoint("file", "desk", verified=date(2026, 1, 1)),))
    again = decide_again(replace(house, registry=Registry(known.values())), NURSE, held.id)

    assert (again.state, again.reason) == ("ready", "OK_RESEARCH")
