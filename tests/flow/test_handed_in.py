"""In whose hands a record is: what a Part 2 program has received is its record, police's own copy is police's.

42 CFR 2.11, records: whatever a program created, received or acquired about a patient.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.handed_in import held_together
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.exchange import Problem
from gateway.model.partner import LegalClass, Registry
from gateway.model.provenance import is_hop
from tests.support.flow_house import HOSPITAL
from tests.support.two_worlds import (
    GOOD_RELEASE,
    RELEASES,
    Submission,
    TwoWorld,
    case,
    contact,
    mixed_contact,
)

Resource = dict[str, Any]
AGREED = RELEASES["agreed to be referred"]


def a_world() -> TwoWorld:
    return TwoWorld("fhir", has_program_part=True)


def a_case(release: dict[str, str] = AGREED, office: str = "demo-lead") -> Submission:
    """A police referral that a case management office keeps: the office wrote nothing but what became of it."""
    return case(1, 0, office, "", "", release)


def stored(world: TwoWorld, kind: str) -> list[Resource]:
    return [one.body for (of, _), one in world.state.resources.items() if of == kind and one.body]


def hops(world: TwoWorld) -> list[Resource]:
    return [one for one in stored(world, "Provenance") if is_hop(one)]


def custodians(world: TwoWorld) -> list[str]:
    return [one["agent"][0]["who"].get("identifier", {}).get("value", "") for one in hops(world)]


def reasons(world: TwoWorld) -> set[str]:
    return {work.reason for work in world.state.work.values() if work.kind == "deliver" and work.reason}


def sent(world: TwoWorld) -> list[Resource]:
    return [entry["resource"] for _, message in world.wire.sent for entry in orjson.loads(message)["entry"]]


def searched(world: TwoWorld, kind: str) -> list[Resource]:
    return list(world.gateway.search(HOSPITAL, kind, []).resources)


def consulted(world: TwoWorld) -> Advice | Problem:
    """Ask as the hospital whether it may have records of the one Patient that is kept."""
    (patient,) = stored(world, "Patient")
    return world.gateway.consult(HOSPITAL, Consult((f"Patient/{patient['id']}",), ("TREAT",)))


def with_class(world: TwoWorld, organization: str, law: LegalClass) -> None:
    """Let the registry say from now on what an organization is in law."""
    house = world.gateway.house
    known = {one.id: one for one in house.registry}
    known[organization] = replace(known[organization], legal_classes=(law,))
    world.gateway = Gateway(replace(house, registry=Registry(known.values())))


def test_what_police_wrote_does_not_leave_a_programs_hands_on_an_agreement() -> None:
    world = a_world()

    world.hand_in([a_case()])

    assert world.wire.sent == []
    assert reasons(world) == {"CONSENT_DEFICIENT:EL_INFO (42 CFR 2.31(a)(3))"}
    assert [searched(world, kind) for kind in ("Task", "Patient", "Encounter")] == [[], [], []]
    assert consulted(world) == DENIED


def test_a_part_2_consent_opens_it_with_the_hop_and_the_notice() -> None:
    world = a_world()

    world.hand_in([a_case(GOOD_RELEASE)])

    (patient,) = searched(world, "Patient")
    (hop,) = (one for one in searched(world, "Provenance") if is_hop(one))
    assert hop["agent"][0]["who"]["identifier"]["value"] == "demo-lead"
    assert {"reference": f"Patient/{patient['id']}"} in hop["target"]
    assert "42CFRPart2" in {one["code"] for one in patient["meta"]["security"]}
    assert b"42 CFR part 2 prohibits unauthorized use or disclosure of these records." in world.wire.sent[0][1]


def test_polices_own_record_of_the_same_person_still_goes() -> None:
    world = a_world()

    world.hand_in([a_case(RELEASES["not asked"]), contact(1, 0, "verbal", "mental_health")])

    assert [one["status"] for one in searched(world, "Task")] == ["requested"]
    assert len(world.wire.sent) == 1


def test_a_record_of_police_that_a_program_hands_in_is_in_the_programs_hands() -> None:
    world = a_world()

    world.hand_in([replace(contact(1, 0, "verbal", "mental_health"), client="demo-lead")])

    assert custodians(world) == ["demo-lead"]
    assert world.wire.sent == []


def test_police_handing_in_the_same_themselves_have_their_own_copy_of_it() -> None:
    world = a_world()
    own = contact(1, 0, "verbal", "mental_health")
    world.hand_in([replace(own, client="demo-lead")])

    world.hand_in([own])
    sent_once = len(world.wire.sent)
    world.hand_in([replace(own, client="demo-lead"), own])

    assert hops(world) == []
    assert (sent_once, len(world.wire.sent)) == (1, 1)


@pytest.mark.parametrize("number", [0, 1], ids=["handed in by police", "handed in by another provider"])
def test_of_a_record_that_police_keep_only_what_a_programs_clinician_found_stays(number: int) -> None:
    world = a_world()

    world.hand_in([mixed_contact(number, 0, "demo-lead", "verbal", "co_occurring", "medical")])

    kinds = [one["resourceType"] for one in sent(world)]
    assert kinds.count("Task") == kinds.count("ServiceRequest") == kinds.count("Flag") == 1
    assert [one["code"]["text"] for one in sent(world) if one["resourceType"] == "Observation"] == ["Referral made"]
    (visit,) = (one for one in sent(world) if one["resourceType"] == "Encounter")
    assert len(visit["participant"]) == 1
    assert b"Community Case Management" not in world.wire.sent[0][1]


@pytest.mark.parametrize("client", ["demo-lead", "demo-agency"])
def test_of_an_agency_that_nobody_registered_nothing_leaves_whoever_hands_it_in(client: str) -> None:
    world = a_world()

    world.hand_in([replace(a_case(office="nobody-registered"), client=client)])

    assert world.wire.sent == []
    assert searched(world, "Task") == searched(world, "Patient") == []


def test_a_class_that_is_put_right_takes_effect_on_what_is_stored() -> None:
    world = a_world()
    world.hand_in([mixed_contact(1, 0, "demo-corresponders", "verbal", "mental_health")])
    assert custodians(world) == ["demo-corresponders"]
    assert len(searched(world, "Task")) == 1

    with_class(world, "org:demo-corresponders", LegalClass(date(2024, 1, 1), "yes"))

    assert searched(world, "Task") == []


def test_the_same_again_keeps_the_hop_and_sends_nothing_more() -> None:
    world = a_world()
    made = a_case(GOOD_RELEASE)
    world.hand_in([made])
    before = hops(world), len(world.wire.sent)

    world.hand_in([replace(made, full={**made.full, "notes": "seen again"}), made])

    assert ([{**one, "meta": None} for one in hops(world)], len(world.wire.sent)) == (
        [{**one, "meta": None} for one in before[0]],
        before[1],
    )


def test_what_is_left_of_a_withdrawn_referral_stays_the_programs() -> None:
    world = a_world()
    made = a_case(GOOD_RELEASE)
    world.hand_in([made])
    world.wire.sent.clear()

    unsigned = {name: value for name, value in made.full.items() if not name.startswith("roi_")}
    world.hand_in([replace(made, full={**unsigned, "status": "declined", "roi_signed": "N"})])

    (closed,) = (one for one in stored(world, "Task") if one["status"] == "cancelled")
    signed_for = [one for one in hops(world) if {"reference": f"Task/{closed['id']}"} in one["target"]]
    assert [one["agent"][0]["who"]["identifier"]["value"] for one in signed_for] == ["demo-lead"]
    assert world.wire.sent == []


def a_hop(record: str, custodian: str, *targets: str) -> tuple[str, Resource]:
    who = {"identifier": {"system": "https://warmhandoff.example/id/partner", "value": custodian}}
    body: Resource = {
        "resourceType": "Provenance", "id": f"{record}-{custodian}", "agent": [{"who": who}],
        "activity": {"coding": [{"code": "receive"}]}, "target": [{"reference": one} for one in targets],
    }  # fmt: skip
    return record, body


@pytest.mark.parametrize(
    ("other", "counts"), [("demo-lead", True), ("demo-detox", True), ("renamed", True), ("demo-corresponders", False)]
)
def test_that_a_program_received_it_counts_where_every_record_that_holds_it_came_to_one(
    other: str, counts: bool
) -> None:
    shared: Resource = {"resourceType": "Patient", "id": "shared"}
    own: Resource = {"resourceType": "Encounter", "id": "own"}
    contents = [
        ("a", shared), ("a", own), a_hop("a", "demo-lead", "Patient/shared", "Encounter/own"),
        ("b", shared), a_hop("b", other, "Patient/shared"),
    ]  # fmt: skip

    together = held_together(a_world().gateway.house, contents)

    expected = ["Patient/shared", "Encounter/own"] if counts else ["Encounter/own"]
    assert [one["reference"] for one in together["Provenance/a-demo-lead"]["target"]] == expected
    assert together.keys() >= {"Patient/shared", "Encounter/own"}


def test_what_police_hold_too_came_to_nobody_by_a_record_of_a_program() -> None:
    shared: Resource = {"resourceType": "Patient", "id": "shared"}

    together = held_together(
        a_world().gateway.house, [("a", shared), a_hop("a", "demo-lead", "Patient/shared"), ("b", shared)]
    )

    assert together == {"Patient/shared": shared}


def test_what_a_program_received_takes_nothing_from_a_copy_of_the_same_person_that_police_hold() -> None:
    world = a_world()
    held = contact(1, 0, "verbal", "mental_health")
    received = replace(held, client="demo-lead", full={**held.full, "contact_id": "C-2"})

    world.hand_in([held, received])

    assert consulted(world) != DENIED
