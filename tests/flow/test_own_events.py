"""AuditEvents: one for each disclosure its recipient received, one for each refusal for the operator only."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.catalog.profiles import load_checker
from gateway.model.exchange import RequestRefused
from gateway.reporting.audit_event import disclosure_event, refusal_event
from tests.support.flow_house import CONTACT, HOSPITAL, NOW, POLICE, World, a_world


def with_contact(**changes: str) -> World:
    world = a_world()
    world.take({**CONTACT, **changes})
    return world


def events(world: World, *parameters: tuple[str, str], caller: Any = HOSPITAL) -> list[dict[str, Any]]:
    return world.gateway.search(caller, "AuditEvent", list(parameters))


def test_what_a_hospital_was_sent_is_an_event_it_may_read() -> None:
    world = with_contact()

    (event,) = events(world)

    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("110106", "disclose", "R")
    assert (event["outcome"], event["recorded"]) == ("0", "2026-11-02T18:00:00+00:00")
    assert [agent["type"]["coding"][0]["code"] for agent in event["agent"]] == ["110153", "110152"]
    assert event["agent"][1]["who"]["identifier"]["value"] == "9999999001"
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert event["entity"][0]["what"]["reference"].startswith("Patient/")
    read = world.gateway.read(HOSPITAL, "AuditEvent", event["id"])
    assert read is not None
    assert orjson.loads(read.body) == event


def test_a_read_is_an_event_with_who_read() -> None:
    world = with_contact()
    (task,) = (key for kind, key in world.database.state.resources if kind == "Task")
    world.gateway.read(HOSPITAL, "Task", task)

    (pulled,) = (one for one in events(world) if one["subtype"][1]["code"] == "read")

    assert pulled["agent"][2]["who"]["identifier"]["value"] == HOSPITAL.person[0]
    assert pulled["agent"][2]["requestor"] is True


def test_a_read_that_finds_nothing_is_no_event() -> None:
    world = with_contact()
    before = len(events(world))
    world.gateway.read(HOSPITAL, "Task", "nobodys")
    world.gateway.search(HOSPITAL, "Task", [("_id", "nobodys")])

    assert len(events(world)) == before


def test_what_was_refused_and_what_others_received_is_no_event_of_the_caller() -> None:
    world = with_contact(consent_status="refused", contact_id="C-2")
    sent = with_contact()
    (theirs,) = events(sent)

    assert events(world) == []
    assert events(sent, caller=POLICE) == []
    assert sent.gateway.read(POLICE, "AuditEvent", theirs["id"]) is None


def test_events_are_found_by_time_patient_and_id() -> None:
    world = with_contact()
    (event,) = events(world)
    patient = event["entity"][0]["what"]["reference"]

    assert events(world, ("date", "ge2026-11-02T18:00:00Z"), ("date", "le2026-11-02T18:00:00Z")) == [event]
    assert events(world, ("date", "gt2026-11-02T18:00:00Z")) == []
    assert events(world, ("date", "lt2026-11-02T18:00:00Z")) == []
    assert events(world, ("patient", patient)) == events(world, ("patient", patient[8:])) == [event]
    assert events(world, ("patient", "nobodys")) == []
    assert events(world, ("_id", event["id"])) == [event]
    with pytest.raises(RequestRefused):
        events(world, ("date", "2026-11-02"))


def test_each_look_at_events_is_a_row_of_the_trail() -> None:
    world = with_contact()
    events(world)

    row = world.database.audit[-1]
    assert (row.kind, dict(row.data)) == ("audit.viewed", {"client": "demo-ehr", "events": 1})


def test_both_shapes_are_valid_and_name_nobody() -> None:
    world = with_contact()
    world.take({**CONTACT, "contact_id": "C-2", "client_id": "K-2", "consent_status": "refused"})
    state, house = world.database.state, world.house
    (shown,) = events(world)
    refused = [one for one in state.decisions.values() if one.record["decision"] in ("DENY", "HOLD")]
    decision = world.database.read(lambda tx: tx.decisions.get(refused[0].decision_id))
    assert decision is not None

    told = refusal_event(decision, house.registry, house.operator)

    checker = load_checker()
    for event in (shown, told):
        assert [one for one in checker.check(event, {}).items if one.severity == "error"] == []
        text = orjson.dumps(event)
        assert not any(word in text for word in (b"Sample", b"Ari", b"1990-01-02", b"555-0101"))
    assert (told["type"]["code"], told["subtype"][0]["code"], told["outcome"]) == ("110113", "AuthZ-Consent", "8")
    assert told["outcomeDesc"].startswith("DENY ")
    assert [agent["type"]["coding"][0]["code"] for agent in told["agent"]] == ["110150", "IRCP", "PROV", "authserver"]


def test_what_may_have_left_and_was_not_confirmed_is_told_as_that() -> None:
    world = with_contact()
    (row,) = world.database.read(lambda tx: tx.decisions.received_between("org:demo-hospital", NOW, None, 10))

    event = disclosure_event(replace(row, confirmed_at=None), world.house.registry, world.house.operator)

    assert (event["outcome"], event["outcomeDesc"][:16]) == ("4", "It may have left")
