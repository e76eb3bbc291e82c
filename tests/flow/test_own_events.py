"""AuditEvents: one for each disclosure its recipient received, one for each refusal for the operator only."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from gateway.catalog.profiles import load_checker
from gateway.flow.gateway import Gateway
from gateway.flow.pulls.own_events import MOST_EVENTS
from gateway.model.consult import Consult
from gateway.model.exchange import RequestRefused
from gateway.reporting.audit_event import disclosure_event, refusal_event
from tests.support.flow_house import CONTACT, HOSPITAL, NOW, POLICE, World, a_world


def with_contact(**changes: str) -> World:
    world = a_world()
    world.take({**CONTACT, **changes})
    return world


def events(world: World, *parameters: tuple[str, str], caller: Any = HOSPITAL) -> list[dict[str, Any]]:
    return list(world.gateway.search(caller, "AuditEvent", list(parameters)).resources)


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
    assert events(world, ("_id", f"nobodys,{event['id']}"), ("patient", patient), ("date", "lt2026-11-02")) == []


@pytest.mark.parametrize(
    ("bound", "is_in"),
    [
        ("ge2026-11-02", True), ("le2026-11-02", True), ("gt2026-11-02", False), ("lt2026-11-02", False),
        ("gt2026-11-01", True), ("le2026-11", True), ("lt2026-11-03", True), ("le2026-11-02T10:00:00-08:00", True),
    ],
)  # fmt: skip
def test_a_bound_means_all_of_what_it_states(bound: str, is_in: bool) -> None:
    """FHIR R4 search.html, date: a day is a day, also at its end."""
    world = with_contact()

    assert bool(events(world, ("date", bound))) is is_in


@pytest.mark.parametrize("bound", ["2026-11-02", "ge", "ge2026-11-02T18:00:00", "geyesterday", "ge20261102"])
def test_a_bound_that_cannot_be_applied_is_refused(bound: str) -> None:
    with pytest.raises(RequestRefused):
        events(with_contact(), ("date", bound))


def a_world_of_many_events() -> tuple[World, list[str]]:
    """Return a world in which the hospital received more than one page holds, all in one second, and their ids."""
    world = with_contact()
    state = world.database.state
    ((first, kept),) = state.disclosures.items()
    instants = {f"m{n:03}": NOW + timedelta(microseconds=n // 2) for n in range(MOST_EVENTS + 1)}
    state.disclosures.update({one: replace(kept, message_id=one, intended_at=at) for one, at in instants.items()})
    return world, sorted([first, *instants], key=lambda one: (state.disclosures[one].intended_at, one))


def test_events_come_in_pages_that_leave_none_out_and_repeat_none() -> None:
    world, ids = a_world_of_many_events()

    first = world.gateway.search(HOSPITAL, "AuditEvent", [])
    second = world.gateway.search(HOSPITAL, "AuditEvent", [("after", str(first.after))])

    assert [one["id"] for one in first.resources] == ids[:MOST_EVENTS]
    assert [one["id"] for one in second.resources] == ids[MOST_EVENTS:]
    assert (first.after, second.after) == (ids[MOST_EVENTS - 1], None)


def test_the_newest_event_is_found_by_its_id_and_its_patient_among_more_than_a_page() -> None:
    world, ids = a_world_of_many_events()
    (event,) = events(world, ("_id", ids[-1]))
    patient = event["entity"][0]["what"]["reference"]

    page = world.gateway.search(HOSPITAL, "AuditEvent", [("patient", patient)])
    rest = world.gateway.search(HOSPITAL, "AuditEvent", [("patient", patient), ("after", str(page.after))])

    assert [one["id"] for one in [*page.resources, *rest.resources]] == ids
    assert rest.after is None


def test_a_page_after_what_the_caller_never_received_is_refused_whoever_did() -> None:
    world = with_contact()
    (event,) = events(world)

    problems = []
    for caller, after in ((POLICE, event["id"]), (POLICE, "nobodys"), (HOSPITAL, "nobodys")):
        with pytest.raises(RequestRefused) as refused:
            events(world, ("after", after), caller=caller)
        problems.append(refused.value.problem)

    assert len(set(problems)) == 1
    with pytest.raises(RequestRefused):
        events(world, ("after", event["id"]), ("after", event["id"]))


def test_an_event_tells_its_instant_to_the_second() -> None:
    """The fractions would tell how long an answer took to make, and so that something was decided on besides."""
    world, ids = a_world_of_many_events()

    (event,) = events(world, ("_id", ids[-1]))

    assert world.database.state.disclosures[ids[-1]].intended_at.microsecond > 0
    assert event["recorded"] == "2026-11-02T18:00:00+00:00"


@pytest.mark.parametrize("ask", [
    lambda gateway, task, patient: gateway.read(HOSPITAL, "Task", task),
    lambda gateway, task, patient: gateway.search(HOSPITAL, "Task", []),
    lambda gateway, task, patient: gateway.consult(HOSPITAL, Consult((patient,), ("TREAT",))),
])  # fmt: skip
def test_an_answer_is_logged_as_of_its_question(ask: Callable[[Gateway, str, str], object]) -> None:
    """However long it takes to decide on what is withheld beside it, the log its receiver reads says nothing of it."""
    world = with_contact()
    (task,) = (key for kind, key in world.database.state.resources if kind == "Task")
    (patient,) = (f"Patient/{key}" for kind, key in world.database.state.resources if kind == "Patient")
    sent = set(world.database.state.disclosures)
    asked_at = world.clock()
    slow = Gateway(replace(world.house, clock=_Running(world.clock())))

    ask(slow, task, patient)

    ((_, logged),) = ((key, one) for key, one in world.database.state.disclosures.items() if key not in sent)
    assert logged.intended_at == asked_at


class _Running:
    """A clock on which a minute goes by whenever somebody looks at it."""

    def __init__(self, at: datetime) -> None:
        self._at = at - timedelta(minutes=1)

    def __call__(self) -> datetime:
        self._at += timedelta(minutes=1)
        return self._at


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
