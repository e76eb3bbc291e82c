"""42 CFR 2.54 as a story: what leaves for public health is about nobody, and the engine looks for itself."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.catalog.code_systems import read_code_systems
from gateway.flow.gateway import Gateway
from gateway.flow.judgement import judge, read_matter
from gateway.flow.releases.copy import give_copy
from gateway.flow.releases.release import decide_again, request_release
from gateway.model.exchange import RequestRefused
from gateway.model.handoff import Resource
from gateway.model.partner import Endpoint, LegalClass, Organization, Registry
from gateway.model.release import Release, ReleaseRequest
from tests.support.flow_house import World, a_world
from tests.support.released import CASE_WORKER, NURSE, OFFICER, OUTSIDER, take_case

HEALTH = Organization(
    id="org:health", name="Example Public Health",
    identifiers=(("https://warmhandoff.example/id/partner", "health"),), roles=frozenset({"public_health"}),
    legal_classes=(LegalClass(date(2020, 1, 1), "no"),),
    endpoints=(Endpoint("fhir", "http://127.0.0.1:8097/fhir", verified=date(2026, 1, 1)),),
)  # fmt: skip
FENTANYL: Resource = {
    "resourceType": "Condition", "id": "fentanyl", "subject": {"reference": ""}, "onsetDateTime": "2026-03-04",
    "code": {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20", "display": "Ari's habit"}],
        "text": "what Ari said",
    },
    "note": [{"text": "Ari Sample, 360-555-0101"}],
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return a_health_world()


def a_health_world() -> World:
    """A house that knows a public health authority and the systems whose codes are known."""
    base = a_world()
    registry = Registry([*base.house.registry, HEALTH])
    house = replace(base.house, registry=registry, code_systems=read_code_systems())
    return replace(base, house=house, gateway=Gateway(house))


def asked(record: str, way: str = "copy", **changes: Any) -> ReleaseRequest:
    wanted = ReleaseRequest("public_health", record, HEALTH.id, way, {"no_knowledge": True})
    return replace(wanted, **changes)


def with_diagnosis(world: World, *others: Resource) -> str:
    """Hand in a case, and have its program write a diagnosis into it; return the record.

    `others` are in it too, and nobody knows who wrote them.
    """
    record = take_case(world)

    def write(tx: Any) -> None:
        handoff = tx.handoffs.get(record)
        resources = tx.handoffs.resources(record)
        patient = next(one for one in resources if one["resourceType"] == "Patient")
        program = next(one for one in resources if one["resourceType"] == "Goal")
        condition = {**FENTANYL, "subject": {"reference": f"Patient/{patient['id']}"}}
        for one in resources:
            if one["resourceType"] == "Provenance":
                written = [each["reference"] for each in one["target"]]
                if f"Goal/{program['id']}" in written:
                    one["target"].append({"reference": "Condition/fentanyl"})
        tx.handoffs.save(handoff, [*others, *resources, condition])

    world.database.write(write)
    return record


def released(world: World, release: Release) -> dict[str, Any]:
    """Return the copy that is handed over, as FHIR."""
    copy: dict[str, Any] = orjson.loads(give_copy(world.house, OFFICER, release.id, "fhir").content)
    return copy


def test_a_copy_holds_what_happened_and_not_to_whom(world: World) -> None:
    record = with_diagnosis(world)
    release = request_release(world.house, OFFICER, asked(record))

    copy = released(world, release)

    assert (release.state, release.reason) == ("ready", "OK_DEIDENT")
    resources = [entry["resource"] for entry in copy["entry"]]
    kinds = [one["resourceType"] for one in resources]
    assert kinds[0] == "Patient"
    assert set(kinds) <= {"Patient", "Encounter", "Condition", "Observation", "Procedure"}
    (patient,) = (one for one in resources if one["resourceType"] == "Patient")
    (condition,) = (one for one in resources if one["resourceType"] == "Condition")
    told = {name: one for name, one in patient.items() if name not in ("id", "meta")}
    assert told == {"resourceType": "Patient", "gender": "female", "birthDate": "1990"}
    assert {name: one for name, one in condition.items() if name not in ("id", "meta")} == {
        "resourceType": "Condition", "onsetDateTime": "2026", "subject": {"reference": f"Patient/{patient['id']}"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]},
    }  # fmt: skip


def test_no_name_number_day_or_id_of_the_record_is_in_the_copy(world: World) -> None:
    record = with_diagnosis(world)
    stored = world.database.read(lambda tx: tx.handoffs.resources(record))

    text = orjson.dumps(released(world, request_release(world.house, OFFICER, asked(record)))).decode()

    ids = [one["id"] for one in stored]
    words = ["Sample", "Ari", "360-555", "1990-01-02", "2026-10-20", "2026-03-04", "Exampleville", "L-1", "K-1", record]
    assert [one for one in [*ids, *words] if one in text] == []


def test_it_is_sent_once_the_same_ids_and_all(world: World) -> None:
    record = with_diagnosis(world)

    release = request_release(world.house, OFFICER, asked(record, "send"))
    world.work()

    ((disclosure, endpoint, _),) = world.transport.sent
    assert (release.state, endpoint.address) == ("queued", "http://127.0.0.1:8097/fhir")
    assert {"DEID", "AUDIT"} <= set(disclosure.record.obligations)
    at_request, at_sending = (one.inputs for one in list(world.database.state.decisions.values())[-2:])
    assert read_matter(at_request)[0].records == read_matter(at_sending)[0].records


def test_two_releases_of_one_record_cannot_be_put_together(world: World) -> None:
    record = with_diagnosis(world)

    first, second = (released(world, request_release(world.house, OFFICER, asked(record))) for _ in range(2))

    ids = [{entry["resource"]["id"] for entry in one["entry"]} for one in (first, second)]
    assert ids[0].isdisjoint(ids[1])


def test_the_decision_is_kept_and_gives_the_same_answer_again(world: World) -> None:
    release = request_release(world.house, OFFICER, asked(with_diagnosis(world)))

    kept = world.database.state.decisions[release.decision_id or ""]

    assert judge(read_matter(kept.inputs)[0], world.house.registry).record.to_json() == kept.record


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": {}},
        {"evidence": {"no_knowledge": "yes"}},
        {"recipient": "org:demo-hospital"},
        {"recipient": "org:x"},
    ],
)
def test_it_is_not_asked_for_without_the_statement_nor_of_anybody_else(world: World, changes: dict[str, Any]) -> None:
    record = with_diagnosis(world)

    with pytest.raises(RequestRefused):
        request_release(world.house, OFFICER, asked(record, **changes))

    assert world.database.state.releases == {}


def test_who_is_no_longer_public_health_gets_nothing_of_what_is_queued(world: World) -> None:
    release = request_release(world.house, OFFICER, asked(with_diagnosis(world), "send"))
    registry = Registry(
        replace(one, roles=frozenset({"other"})) if one.id == HEALTH.id else one for one in world.house.registry
    )
    house = replace(world.house, registry=registry)

    replace(world, house=house, gateway=Gateway(house)).work()

    assert (release.state, world.transport.sent) == ("queued", [])
    assert [one.record["reason"] for one in world.database.state.decisions.values()][-1] == "NOT_DEIDENTIFIED"


def test_staff_of_another_organization_release_nothing_of_it(world: World) -> None:
    with pytest.raises(RequestRefused):
        request_release(world.house, OUTSIDER, asked(with_diagnosis(world)))


def test_the_programs_own_staff_release_what_is_theirs(world: World) -> None:
    release = request_release(world.house, CASE_WORKER, asked(with_diagnosis(world)))

    copy = orjson.loads(give_copy(world.house, CASE_WORKER, release.id, "fhir").content)

    assert "Condition" in {entry["resource"]["resourceType"] for entry in copy["entry"]}


def test_what_others_wrote_into_the_record_changes_nothing_of_it() -> None:
    """42 CFR 2.13: not a byte tells what was kept back."""
    others = {**FENTANYL, "id": "others", "subject": {"reference": "Patient/x"}}
    copies = []
    for more in ((), (others,)):
        world = a_health_world()
        release = request_release(world.house, CASE_WORKER, asked(with_diagnosis(world, *more)))
        copies.append(give_copy(world.house, CASE_WORKER, release.id, "fhir").content)

    assert copies[0] == copies[1]


def test_without_known_systems_only_large_ones_are_told(world: World) -> None:
    """Fail closed: a code that nobody can look up is a word that somebody may have written."""
    record = with_diagnosis(world)
    house = replace(world.house, code_systems={})

    copy = released(replace(world, house=house), request_release(house, NURSE, asked(record)))

    assert "female" not in orjson.dumps(copy).decode()
    assert "F11.20" in orjson.dumps(copy).decode()


def test_a_record_of_which_nothing_can_be_told_is_not_released(world: World) -> None:
    record = take_case(world)
    stored = world.database.read(lambda tx: tx.handoffs.resources(record))
    goal = next(f"Goal/{one['id']}" for one in stored if one["resourceType"] == "Goal")

    whole = request_release(world.house, OFFICER, asked(record))
    world.database.state.releases[whole.id] = replace(whole, items=(goal,), state="held")

    release = decide_again(world.house, OFFICER, whole.id)

    assert release.state == "refused"
