"""Accountings and replays over the whole road: what was disclosed is told, what was decided can be decided again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.staff.proof import accounting, replay
from gateway.model.accounting import Accounting, Wanted
from gateway.model.consult import Consult
from gateway.model.partner import Registry
from tests.support.flow_house import CONTACT, HOSPITAL, NOW, World, a_world
from tests.support.two_worlds import GOOD_RELEASE, RELEASES, TwoWorld, case

EVER = datetime(2000, 1, 1, tzinfo=NOW.tzinfo)


def accounted(world: Any, wanted: Wanted, until: datetime = NOW + timedelta(days=1)) -> Accounting:
    house = world.gateway.house
    made = accounting(house.database, house.registry, house.clock, "an-officer", wanted, EVER, until)
    assert made is not None
    return made


def person_of(world: Any) -> Wanted:
    return Wanted(person=next(iter(world.database.state.people)))


def with_case(release: dict[str, str]) -> TwoWorld:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([case(1, 0, "demo-lead", "SUD treatment;medical", "stay sober", release)])
    return world


def test_a_push_a_read_and_a_consult_of_part_2_records_stand_in_the_accounting() -> None:
    world = with_case(GOOD_RELEASE)
    (patient,) = (key for kind, key in world.state.resources if kind == "Patient")
    world.clock.advance(timedelta(minutes=1))
    world.gateway.read(HOSPITAL, "Patient", patient)
    world.clock.advance(timedelta(minutes=1))
    world.gateway.consult(HOSPITAL, Consult((f"Patient/{patient}",), ("TREAT",)))

    made = accounted(world, person_of(world))

    told = [(one.part, one.transport, one.name) for one in made.disclosures]
    assert set(told[:-2]) == {("consent", "fhir", "Exampleville General Hospital")}
    assert [transport for _, transport, _ in told[-2:]] == ["read", "consult"]
    assert {one.part for one in made.disclosures} == {"consent"}
    assert all(one.consent and one.is_confirmed and "1 Patient" in one.content for one in made.disclosures)
    assert made.disclosures[0].address == "http://127.0.0.1:8090/fhir"


def test_a_refusal_does_not_stand_in_it() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "refused"})

    assert accounted(world, person_of(world)).disclosures == ()
    assert len(world.database.state.decisions) == 1


def test_what_left_without_a_part_2_consent_is_told_apart() -> None:
    world = a_world()
    world.take(CONTACT)

    (told,) = accounted(world, person_of(world)).disclosures

    assert (told.part, told.consent, told.occasion) == ("other", "", "create of a referral")


def test_a_page_of_the_console_is_no_disclosure() -> None:
    world = a_world()
    world.take(CONTACT)
    handoff = next(iter(world.database.state.handoffs))

    world.gateway.console_record(("robin", "staff"), handoff)

    assert len(accounted(world, Wanted(handoff=handoff)).disclosures) == 1


def test_a_person_is_found_by_the_record_and_by_the_patient_too() -> None:
    world = a_world()
    world.take(CONTACT)
    (patient,) = (key for kind, key in world.database.state.resources if kind == "Patient")
    handoff = next(iter(world.database.state.handoffs))

    found = [accounted(world, one).person_id for one in (Wanted(patient=patient), Wanted(handoff=handoff))]

    assert found == [person_of(world).person] * 2


def test_every_look_is_a_row_of_the_audit_trail_and_nobody_known_is_none() -> None:
    world = a_world()
    world.take(CONTACT)
    house = world.house
    rows = len(world.database.audit)

    accounted(world, person_of(world))
    unknown = accounting(house.database, house.registry, house.clock, "an-officer", Wanted("nobody"), EVER, NOW)

    assert unknown is None
    (entry,) = world.database.audit[rows:]
    assert (entry.kind, entry.actor, entry.data["disclosures"]) == ("accounting.viewed", "an-officer", 1)


def test_only_the_days_asked_for_are_told() -> None:
    world = a_world()
    world.take(CONTACT)

    assert accounted(world, person_of(world), until=NOW).disclosures == ()


def decisions_of(world: Any) -> list[str]:
    return list(world.database.state.decisions)


def replayed(world: Any, decision_id: str, registry: Registry | None = None) -> Any:
    house = world.gateway.house
    return replay(house.database, registry or house.registry, house.clock, "an-officer", decision_id)


@pytest.mark.parametrize("release", sorted(RELEASES))
def test_every_decision_of_a_day_can_be_made_again_with_the_same_hash(release: str) -> None:
    world = with_case(RELEASES[release])
    (patient,) = (key for kind, key in world.state.resources if kind == "Patient")
    handoff = next(iter(world.state.handoffs))
    world.gateway.read(HOSPITAL, "Patient", patient)
    world.gateway.console_record(("robin", "staff"), handoff)
    world.gateway.consult(HOSPITAL, Consult((f"Patient/{patient}",), ("TREAT",)))
    world.gateway.consult(HOSPITAL, Consult(("Patient/nobody",), ("TREAT",)))
    world.clock.advance(timedelta(days=400))

    made = {one: replayed(world, one) for one in decisions_of(world)}

    assert len(made) >= 4
    assert {one: each.differences for one, each in made.items()} == dict.fromkeys(made, ())


def test_a_decision_by_the_gate_is_made_again_too() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "refused"})
    (decision,) = decisions_of(world)

    made = replayed(world, decision)

    assert (made.kept["reason"], made.differences) == ("EXPLICIT_DENY", ())


def test_partners_that_changed_since_are_said_and_change_the_hash() -> None:
    world = a_world()
    world.take(CONTACT)
    (decision,) = decisions_of(world)
    registry = Registry(world.house.registry, b"another")

    made = replayed(world, decision, registry)

    assert (made.registry_changed, made.policy_changed, made.differences) == (True, False, ("input_hash",))


def test_a_partner_that_became_police_changes_the_outcome_and_that_is_said() -> None:
    world = a_world()
    world.take(CONTACT)
    (decision,) = decisions_of(world)
    hospital = world.house.registry.get("org:demo-hospital")
    assert hospital is not None
    others = [one for one in world.house.registry if one.id != hospital.id]
    registry = Registry([*others, replace(hospital, roles=frozenset({"police"}))], b"another")

    made = replayed(world, decision, registry)

    assert made.registry_changed
    assert {"decision", "reason", "input_hash"} <= set(made.differences)
    assert (made.kept["decision"], made.now["decision"]) == ("PERMIT", "DENY")


def test_kept_inputs_that_were_changed_give_another_hash() -> None:
    world = a_world()
    world.take(CONTACT)
    (decision,) = decisions_of(world)
    kept = world.database.state.decisions[decision]
    matter = orjson.loads(kept.inputs)
    matter["request"]["purpose"] = ["HPAYMT"]
    world.database.state.decisions[decision] = replace(kept, inputs=orjson.dumps(matter))

    made = replayed(world, decision)

    assert not made.registry_changed
    assert "input_hash" in made.differences


def test_a_replay_is_a_row_of_the_audit_trail() -> None:
    world: World = a_world()
    world.take(CONTACT)
    (decision,) = decisions_of(world)

    replayed(world, decision)

    entry = world.database.audit[-1]
    assert (entry.kind, entry.actor) == ("decision.replayed", "an-officer")
    assert entry.data == {"decision": decision, "differences": []}
    assert replayed(world, "nobody") is None


def test_an_operator_without_agreements_is_told_no_accounting_of_anybody() -> None:
    """42 CFR 2.12(c)(4): each line of it tells whose records there are."""
    world = a_world()
    world.take(CONTACT)
    operator = world.house.registry.get("org:operator")
    assert operator is not None
    others = [one for one in world.house.registry if one.id != "org:operator"]
    unserved = Registry([*others, replace(operator, agreements=())])
    asked = ("an-officer", person_of(world), EVER, NOW + timedelta(days=1))

    told = world.gateway.accounting(*asked)
    untold = Gateway(replace(world.house, registry=unserved)).accounting(*asked)

    assert told is not None
    assert len(told.disclosures) == 1
    assert untold is None
