"""Alerts: who knows of a person's referral learns of an admission, where the law lets it, and once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.consent_form import ConsentForm, Expiry
from gateway.model.partner import Agreement, Feed, LegalClass, Registry
from gateway.model.route import AlertRoute
from gateway.settings import Client
from gateway.tracking.retold import Json
from tests.support.consent_desk import HOSPITAL as TO_THE_HOSPITAL
from tests.support.consent_desk import WINTER, capture, signed
from tests.support.feed_world import a_feed_world, records, told
from tests.support.flow_house import CONTACT, World, csv_of
from tests.support.hospital_feed import adt

NONE: frozenset[str] = frozenset()
TO_HOSPITAL = AlertRoute(
    "routes.yaml:9", frozenset({"admitted", "discharged"}), NONE, NONE, "org:demo-hospital", "fhir", ("TREAT",)
)
TO_POLICE = replace(TO_HOSPITAL, to="org:demo-pd")
TELLER = "org:demo-corresponders"
CENTER = "CENTER|CRISIS"
NOON, THREE = "20261102120000-0800", "20261102150000-0800"


def a_world(*alerts: AlertRoute) -> World:
    """A crisis center of the co-responders tells whom it admits; the hospital has a referral of the person."""
    world = a_feed_world(alerts=alerts)
    registry = Registry(
        replace(one, feeds=(Feed("CENTER", "CRISIS"),)) if one.id == TELLER else one for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    world.transport.sent.clear()
    return replace(world, house=house, gateway=Gateway(house))


def event(kind: str, control_id: str, *, at: str = NOON, number: str = "M-1", visit: str = "V-7") -> bytes:
    rest = f"PV1|1|I|ICU^12^A^CRISIS||||||||||||||||{visit}\rDG1|1||F11.20^Opioid dependence^I10C|||A"
    return adt(kind, control_id, number=number, rest=rest, at=at).replace(b"EHR|HOSPITAL", CENTER.encode(), 1)


def alerts_sent(world: World) -> list[tuple[str, list[Json]]]:
    return [
        (disclosure.recipient, [entry["resource"] for entry in disclosure.content["entry"]])
        for disclosure, _, _ in world.transport.sent
    ]


def alert_work(world: World) -> list[tuple[str, str, str]]:
    work = [one for one in world.database.state.work.values() if one.kind == "alert"]
    return [(one.lane, one.state, one.reason or "") for one in work]


def kinds(world: World) -> list[str]:
    return [
        one["reasonCode"][0]["text"]
        for _, content in alerts_sent(world)
        for one in content
        if one["resourceType"] == "Communication"
    ]


def test_an_admission_of_a_person_with_an_open_referral_is_told_to_who_has_the_referral() -> None:
    world = a_world(TO_HOSPITAL)

    record = told(world, event("A01", "E1"))

    ((recipient, content),) = alerts_sent(world)
    alert = next(one for one in content if one["resourceType"] == "Communication")
    assert "alerts queued: 1" in (record.reason or "")
    assert (recipient, alert["category"][0]["coding"][0]["code"], alert["priority"]) == (
        "org:demo-hospital", "alert", "urgent",
    )  # fmt: skip
    sample = world.database.state.people[records(world)[0].person_id or ""]
    (number,) = [one.identifier for one in world.database.state.referrals.values() if one.person_id == sample.id]
    assert alert["payload"] == [
        {"contentString": "The person was admitted."},
        {"contentString": f"Referral {number}"},
    ]
    assert alert["sent"] == "2026-11-02T12:00:00-08:00"


def test_an_alert_says_who_what_and_when_and_nothing_of_why_or_where() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1"))

    ((_, content),) = alerts_sent(world)
    assert sorted(one["resourceType"] for one in content) == ["Communication", "Patient", "Provenance", "Provenance"]
    assert not [word for word in ("F11", "pioid", "ICU", "V-7") if word in str(content)]


def test_who_wrote_the_record_and_neither_wrote_nor_got_the_referral_is_not_told() -> None:
    world = a_world(TO_POLICE)

    told(world, event("A01", "E1"))

    assert alert_work(world) == []


def test_into_whose_hands_others_referral_has_come_is_not_told() -> None:
    world = a_world(replace(TO_HOSPITAL, to="org:demo-lead"))
    program = Client(id="demo-lead", organization="org:demo-lead", scopes=("intake",), submits_for=("org:demo-pd",))
    house = replace(world.house, clients={**world.house.clients, program.id: program})
    world = replace(world, house=house, gateway=Gateway(house))
    content = csv_of({**CONTACT, "contact_id": "C-9", "referral_by": "officer"})
    world.gateway.accept("http", "co-responder-contact", program.id, "text/csv", content, None)
    world.work()

    told(world, event("A01", "E1"))

    assert alert_work(world) == []


def test_police_that_has_the_referral_is_refused_all_the_same() -> None:
    """Police is no provider, and where somebody is treated is none of its business (45 CFR 164.512)."""
    world = a_world(TO_HOSPITAL)
    registry = Registry(
        replace(one, roles=frozenset({"police"})) if one.id == "org:demo-hospital" else one
        for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    world = replace(world, house=house, gateway=Gateway(house))

    told(world, event("A01", "E1"))

    assert alerts_sent(world) == []
    assert [(state, reason.partition(" ")[0]) for _, state, reason in alert_work(world)] == [("refused", "LE_NO_BASIS")]


def told_by_a_program() -> World:
    """A Part 2 program, with which the operator has its agreement, has told of an admission; nobody has consented."""
    world = a_world(TO_HOSPITAL)
    since = world.clock().date() - timedelta(days=900)
    agreement = Agreement("a-1", "qsoa", TELLER, since)
    registry = Registry(
        replace(one, legal_classes=(LegalClass(since, "yes"),))
        if one.id == TELLER
        else replace(one, agreements=(*one.agreements, agreement))
        if one.id == world.house.operator
        else one
        for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    world = replace(world, house=house, gateway=Gateway(house))
    told(world, event("A01", "E1"))
    return world


def test_a_part_2_programs_admission_needs_a_consent() -> None:
    world = told_by_a_program()

    assert (alerts_sent(world), alert_work(world)[0][1]) == ([], "refused")


@pytest.mark.parametrize(("days", "state"), [(0, "delivered"), (4, "refused")])
def test_a_refused_alert_goes_once_the_person_consents_while_it_is_news(days: int, state: str) -> None:
    world = told_by_a_program()
    patient = next(iter(world.database.state.people[records(world)[0].person_id or ""].patient_ids))
    world.clock.advance(timedelta(days=days))

    form = ConsentForm(
        patient, disclosers=(TELLER,), information=("everything",), recipients=TO_THE_HOSPITAL,
        purposes=("treatment",), expiry=Expiry(on=WINTER),
    )  # fmt: skip
    capture(world, signed(world, form))

    assert [state for _, state, _ in alert_work(world)] == [state]


def test_who_does_not_know_of_the_referral_is_not_told_of_the_person() -> None:
    world = a_world(replace(TO_HOSPITAL, to="org:demo-clinic", transport="hl7v2"))

    told(world, event("A01", "E1"))

    assert alert_work(world) == []


@pytest.mark.parametrize(
    "route",
    [
        replace(TO_HOSPITAL, events=frozenset({"discharged"})),
        replace(TO_HOSPITAL, program=frozenset({"lead-referral"})),
        replace(TO_HOSPITAL, agency=frozenset({"org:demo-lead"})),
    ],
)
def test_a_route_that_does_not_match_alerts_nobody(route: AlertRoute) -> None:
    world = a_world(route)

    told(world, event("A01", "E1"))

    assert alert_work(world) == []


@pytest.mark.parametrize("at", ["20261028120000-0800", "20251102120000-0800"])
def test_an_event_of_days_ago_is_no_news(at: str) -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1", at=at))

    assert alert_work(world) == []


def test_the_same_event_again_under_another_id_alerts_once() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1"))
    told(world, event("A01", "E1-again"))

    assert kinds(world) == ["admitted"]


def test_an_admission_that_comes_after_its_discharge_is_no_news() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A03", "E2", at=THREE))
    told(world, event("A01", "E1", at=NOON))

    assert kinds(world) == ["discharged"]


def test_another_visit_is_news_again() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1"))
    told(world, event("A03", "E2", at=THREE))
    told(world, event("A01", "E3", at=THREE, visit="V-8"))

    assert kinds(world) == ["admitted", "discharged", "admitted"]


def test_an_admission_told_and_cancelled_is_taken_back_by_an_alert_of_its_own() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1"))
    told(world, event("A11", "E2", at=THREE))

    assert kinds(world) == ["admitted", "admission-cancelled"]


def test_an_alert_that_has_not_left_is_stopped_by_the_cancellation() -> None:
    world = a_world(TO_HOSPITAL)
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", True)

    told(world, event("A01", "E1"))
    told(world, event("A11", "E2", at=THREE))
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", False)
    world.work()

    assert kinds(world) == []
    assert [state for _, state, _ in alert_work(world)] == ["superseded"]


def test_a_cancellation_of_what_nobody_was_told_is_told_to_nobody() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A11", "E2"))

    assert alert_work(world) == []


def test_a_route_that_was_taken_away_meanwhile_stops_the_alert() -> None:
    world = a_world(TO_HOSPITAL)
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", True)
    told(world, event("A01", "E1"))

    house = replace(world.house, alerts=())
    world = replace(world, house=house, gateway=Gateway(house))
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", False)
    world.work()

    assert [(state, kinds(world)) for _, state, _ in alert_work(world)] == [("dead", [])]


def test_an_alert_waits_while_nobody_has_said_whom_its_record_is_about() -> None:
    world = a_world(TO_HOSPITAL)
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", True)
    told(world, event("A01", "E1"))

    for key, handoff in world.database.state.handoffs.items():
        world.database.state.handoffs[key] = replace(handoff, state="held", hold_reason="it may be about another")
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", False)
    world.work()

    assert (alert_work(world), kinds(world)) == (
        [("org:demo-hospital/fhir", "held", "it may be about another")],
        [],
    )


def a_held_alert() -> tuple[World, str]:
    """An alert that waits because nobody has said yet whom its record is about, and that record."""
    world = a_world(TO_HOSPITAL)
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", True)
    told(world, event("A01", "E1"))
    (record,) = records(world)
    world.database.state.handoffs[record.id] = replace(record, state="held", hold_reason="it may be about another")
    world.gateway.pause("staff-1", "org:demo-hospital/fhir", False)
    world.work()
    return world, record.id


def test_an_alert_goes_on_by_itself_once_it_is_said_whom_its_record_is_about() -> None:
    world, record = a_held_alert()

    world.gateway.resolve_match("staff-1", record, None)
    world.work()

    assert ([state for _, state, _ in alert_work(world)], kinds(world)) == (["delivered"], ["admitted"])


def test_an_alert_that_has_waited_till_it_is_no_news_waits_for_a_person() -> None:
    world, record = a_held_alert()
    world.clock.advance(timedelta(days=3, seconds=1))

    world.gateway.resolve_match("staff-1", record, None)
    world.work()

    assert ([state for _, state, _ in alert_work(world)], kinds(world)) == (["held"], [])


def test_nobody_is_alerted_of_a_person_whose_referrals_are_all_done() -> None:
    world = a_world(TO_HOSPITAL)
    for key, referral in world.database.state.referrals.items():
        world.database.state.referrals[key] = replace(referral, status="completed")

    told(world, event("A01", "E1"))

    assert alert_work(world) == []


def test_an_alert_is_a_disclosure_in_the_accounting() -> None:
    world = a_world(TO_HOSPITAL)

    told(world, event("A01", "E1"))

    described = [one.description for one in world.database.state.disclosures.values()]
    assert described[-1] == "an alert: that the person was admitted or left, and when"
