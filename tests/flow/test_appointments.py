"""Who wrote a referral hears of its appointments from its recipient: as an alert by FHIR, as a SIU by HL7v2."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.exchange import Answer
from gateway.model.hl7_header import Hl7Header
from gateway.model.partner import Feed, LegalClass, Registry
from gateway.model.route import AlertRoute, Transport
from gateway.settings import Client
from gateway.tracking.status import BUSINESS_STATUS_SYSTEM
from gateway.wiring.feeds import message_writer
from tests.flow.test_inbound import CRISIS, a_world, ref, the_referral
from tests.support.departures import departures
from tests.support.feed_world import HOSPITAL, packs, told
from tests.support.flow_house import World, a_caller

NONE: frozenset[str] = frozenset()
FRIDAY, MONDAY = "20261106140000-0800", "20261109140000-0800"
TEAM = a_caller("crisis-team", CRISIS)


def referred(transport: Transport = "hl7v2", *, to: str = HOSPITAL, is_program: bool = False) -> World:
    """The hospital has referred somebody to the crisis team, and wants to hear of appointments."""
    program = LegalClass(date(2020, 1, 1), "yes" if is_program else "no", covered_entity=True)
    world = a_world(crisis=program)
    route = AlertRoute("routes.yaml:9", frozenset({"appointment"}), NONE, NONE, to, transport, ("TREAT",))
    registry = Registry(
        replace(one, feeds=(*one.feeds, Feed("CENTER", "CRISIS"))) if one.id == CRISIS else one
        for one in world.house.registry
    )
    clients = {TEAM.client: Client(id=TEAM.client, organization=CRISIS, scopes=("system/*.cruds",))}
    house = replace(world.house, registry=registry, alerts=(route,), clients=clients)
    world = replace(world, house=house, gateway=Gateway(house))
    told(world, ref("I12", "Q1"))
    world.transport.sent.clear()
    return world


def siu(world: World, event: str, control_id: str, *, starts: str = FRIDAY, at: str = "20261102150000-0800") -> None:
    """The crisis team's word on an appointment of the referral."""
    number = the_referral(world).identifier
    told(world, (
        f"MSH|^~\\&|CENTER|CRISIS|WARMHANDOFF|GATEWAY|{at}||SIU^{event}|{control_id}|P|2.5.1\r"
        f"SCH||A-1^CENTER||||NEW^A first visit|IN^Methadone intake^L|||||||||Sampledoc^Sam|||||||||Booked|{number}\r"
        f"TQ1|||||||{starts}\rPID|1||C-7^^^CRISIS^MR||Newcomer^Nia||19850607|F\rRGS|1\rAIL|1||CLINIC^3\r"
    ).encode())  # fmt: skip


def sius(world: World) -> list[Message]:
    """Write the SIUs that left as the transport does; each is held against the standard."""
    written = []
    for disclosure, _, envelope in world.transport.sent:
        code, _, trigger = envelope.message.partition("^")
        if code == "SIU":
            header = Hl7Header(("WH",), ("GW",), ("EHR",), ("H",), "20261102180000+0000", "K1", code, trigger)
            message = read_message(message_writer(packs())(envelope.message, disclosure, header, ""))
            assert isinstance(message, Message)
            assert departures(message) == []
            written.append(message)
    return written


def test_an_appointment_is_told_to_the_author_of_the_referral_as_the_siu_of_its_event() -> None:
    world = referred()

    siu(world, "S12", "S1")

    (message,) = sius(world)
    assert message.text("MSH-9") == "SIU^S12^SIU_S12"
    assert (message.text("SCH-26.1"), message.text("TQ1-7"), message.text("SCH-25")) == ("REF-77", FRIDAY, "Booked")
    assert message.text("PID-5.1") == "Newcomer"


def test_it_says_nothing_of_with_whom_where_or_for_what() -> None:
    world = referred()

    siu(world, "S12", "S1")

    (message,) = sius(world)
    assert not [
        word for word in (b"CENTER", b"CRISIS", b"A-1", b"Sampledoc", b"Methadone", b"CLINIC") if word in message.raw
    ]


def test_that_it_was_moved_cancelled_or_missed_is_told_too_each_once() -> None:
    world = referred()

    siu(world, "S12", "S1")
    siu(world, "S13", "S2", starts=MONDAY, at="20261102160000-0800")
    siu(world, "S13", "S2-again", starts=MONDAY, at="20261102160000-0800")
    siu(world, "S15", "S3", starts=MONDAY, at="20261102170000-0800")

    assert [(one.text("MSH-9.2"), one.text("TQ1-7")) for one in sius(world)] == [
        ("S12", FRIDAY), ("S13", MONDAY), ("S15", MONDAY),
    ]  # fmt: skip


def test_a_word_that_a_later_one_has_overtaken_is_not_told() -> None:
    world = referred()

    siu(world, "S15", "S3", at="20261102170000-0800")
    siu(world, "S12", "S1", at="20261102150000-0800")

    assert [one.text("MSH-9.2") for one in sius(world)] == ["S15"]


def test_a_time_without_an_offset_is_that_of_the_clocks_of_who_says_it() -> None:
    world = referred()
    house = replace(world.house, timezone="America/Los_Angeles")
    world = replace(world, house=house, gateway=Gateway(house))

    siu(world, "S12", "S1", starts="20261106140000", at="20261102150000")

    assert [one.text("TQ1-7") for one in sius(world)] == [FRIDAY]


def test_one_given_by_fhir_is_told_without_a_time() -> None:
    world = referred()
    task = world.database.state.resources["Task", the_referral(world).id].body or {}
    booked = {"coding": [{"system": BUSINESS_STATUS_SYSTEM, "code": "5.1.1"}]}

    accepted = world.gateway.update_task(TEAM, task["id"], {**task, "status": "accepted"}, 1)
    answer = world.gateway.update_task(TEAM, task["id"], {**task, "status": "accepted", "businessStatus": booked}, 2)
    world.work()

    assert (isinstance(accepted, Answer), isinstance(answer, Answer)) == (True, True)
    (message,) = sius(world)
    assert (message.text("MSH-9.2"), message.text("SCH-26.1"), message.text("TQ1-7")) == ("S12", "REF-77", "")


def test_by_fhir_it_is_an_alert() -> None:
    world = referred("fhir")
    registry = Registry(
        replace(one, endpoints=(*one.endpoints, replace(one.endpoints[0], transport="fhir", verified=date(2024, 1, 1))))
        if one.id == HOSPITAL else one for one in world.house.registry
    )  # fmt: skip
    house = replace(world.house, registry=registry)
    world = replace(world, house=house, gateway=Gateway(house))

    siu(world, "S12", "S1")

    alerts = [entry["resource"] for d, _, e in world.transport.sent if not e.message for entry in d.content["entry"]]
    (alert,) = [one for one in alerts if one["resourceType"] == "Communication"]
    assert alert["payload"][0] == {"contentString": "An appointment was given."}
    assert alert["sent"] == "2026-11-06T14:00:00-08:00"


@pytest.mark.parametrize("to", ["org:demo-clinic", "org:demo-pd"])
def test_who_did_not_write_the_referral_hears_nothing(to: str) -> None:
    world = referred(to=to)

    siu(world, "S12", "S1")

    assert sius(world) == []
    assert not [one for one in world.database.state.work.values() if one.kind == "alert"]


def test_a_part_2_programs_appointment_needs_a_consent() -> None:
    world = referred(is_program=True)

    siu(world, "S12", "S1")

    assert sius(world) == []
    assert [one.state for one in world.database.state.work.values() if one.kind == "alert"] == ["refused"]


def test_the_news_is_no_part_of_the_record_and_survives_its_next_version() -> None:
    world = referred()
    world.gateway.pause("staff-1", "org:demo-hospital/hl7v2", True)
    siu(world, "S12", "S1")

    told(world, ref("I13", "Q2", at="20261102153000-0800", note="Very soon"))
    world.gateway.pause("staff-1", "org:demo-hospital/hl7v2", False)
    world.work()

    assert [one.text("MSH-9.2") for one in sius(world)] == ["S12"]
