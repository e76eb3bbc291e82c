"""The same news as an ADT of the teller's own event, for who takes HL7v2: who, what and when, labeled and noticed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.hl7_header import Hl7Header
from gateway.model.partner import Endpoint, LegalClass, Registry
from gateway.wiring.feeds import message_writer
from tests.flow.test_alerts import NOON, THREE, TO_HOSPITAL, a_world, alert_work, event
from tests.support.departures import departures
from tests.support.feed_world import packs, told
from tests.support.flow_house import World
from tests.support.part2_world import a_consent, a_permit, recipient

BY_HL7V2 = replace(TO_HOSPITAL, transport="hl7v2")
PROGRAM = "org:demo-corresponders"


def a_hospital_by_hl7v2(version: str = "2.5.1", *, teller_is_program: bool = False, **more: Any) -> World:
    """The hospital, which has a referral of the person, takes HL7v2 of this version; `more` is of its endpoint."""
    world = a_world(BY_HL7V2)
    endpoint = Endpoint("hl7v2", "mllp://127.0.0.1:2595", version=version, verified=date(2026, 1, 1), **more)
    program = (LegalClass(world.clock().date() - timedelta(days=900), "yes"),)
    registry = Registry(
        replace(one, endpoints=(*one.endpoints, endpoint)) if one.id == "org:demo-hospital"
        else replace(one, legal_classes=program) if one.id == PROGRAM and teller_is_program else one
        for one in world.house.registry
    )  # fmt: skip
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))


def sent(world: World, version: str = "2.5.1") -> list[Message]:
    """Write what left as the transport does; each message is held against the standard."""
    written = []
    for disclosure, _, envelope in world.transport.sent:
        code, _, trigger = envelope.message.partition("^")
        header = Hl7Header(("WH",), ("GW",), ("EHR",), ("H",), "20261102180000+0000", "K1", version=version)
        kind = replace(header, message_code=code, trigger_event=trigger)
        message = read_message(message_writer(packs())(envelope.message, disclosure, kind, ""))
        assert isinstance(message, Message)
        assert departures(message) == []
        written.append(message)
    return written


def test_an_admission_is_told_as_the_adt_that_told_it() -> None:
    world = a_hospital_by_hl7v2()

    told(world, event("A01", "E1"))

    (message,) = sent(world)
    assert [one.id for one in message.segments] == ["MSH", "EVN", "PID", "PV1"]
    assert message.text("MSH-9") == "ADT^A01^ADT_A01"
    assert (message.text("EVN-1"), message.text("PID-5.1"), message.text("PV1-2")) == ("A01", "Sample", "I")
    assert alert_work(world) == [("org:demo-hospital/hl7v2", "delivered", "")]


def test_a_receiver_that_takes_an_alert_and_has_not_answered_is_awaited() -> None:
    world = a_hospital_by_hl7v2()
    world.transport.awaits_application = True
    told(world, event("A01", "E1"))
    awaiting = alert_work(world)
    ((_, _, envelope),) = world.transport.sent
    answer = f"MSH|^~\\&|%s|W|G|{NOON}||ACK|K1|P|2.5.1\rMSA|AA|{envelope.message_id[:20]}\r"

    of_another = told(world, (answer.replace("K1", "K0") % "CENTER|CRISIS").encode())
    untouched = alert_work(world)
    told(world, (answer % "EHR|HOSPITAL").encode())

    assert awaiting == untouched
    assert awaiting == [("org:demo-hospital/hl7v2", "awaiting", "CA; its application has not answered yet")]
    assert (of_another.state, (of_another.reason or "")[:12]) == ("quarantined", "MSH-3, MSH-4")
    assert alert_work(world) == [("org:demo-hospital/hl7v2", "delivered", "")]


def test_it_says_nothing_of_where_or_why() -> None:
    world = a_hospital_by_hl7v2()

    told(world, event("A01", "E1"))

    (message,) = sent(world)
    assert not [word for word in (b"F11", b"pioid", b"ICU", b"V-7", b"CRISIS") if word in message.raw]


def test_a_discharge_says_when_the_person_left() -> None:
    world = a_hospital_by_hl7v2()

    told(world, event("A03", "E2", at=THREE))

    (message,) = sent(world)
    assert message.text("MSH-9.2") == "A03"
    assert message.text("PV1-45") == "20261102150000-0800"


def test_an_admission_told_and_cancelled_is_taken_back_by_an_a11() -> None:
    world = a_hospital_by_hl7v2()

    told(world, event("A01", "E1", at=NOON))
    told(world, event("A11", "E2", at=THREE))

    assert [one.text("MSH-9") for one in sent(world)] == ["ADT^A01^ADT_A01", "ADT^A11^ADT_A09"]


def test_an_alert_as_adt_is_a_disclosure_in_the_accounting() -> None:
    world = a_hospital_by_hl7v2()

    told(world, event("A01", "E1"))

    described = [one.description for one in world.database.state.disclosures.values()]
    assert described[-1] == "an alert: that the person was admitted or left, and when"


def consented(world: World) -> World:
    """The person lets the center tell the hospital."""
    ids = {one.id: {"identifier": dict(zip(("system", "value"), one.identifiers[0], strict=True))}
           for one in world.house.registry}  # fmt: skip
    to_hospital = {**recipient("mercy"), "reference": ids["org:demo-hospital"]}
    consent = a_consent(a_permit(actor=[to_hospital]), organization=[ids[PROGRAM]])
    at = world.clock()
    person = next(one.id for one in world.database.state.people.values() if one.family == "Sample")
    world.database.write(lambda tx: tx.resources.put(consent, handoff_id=None, person_id=person, at=at))
    return world


def test_what_a_program_tells_carries_its_notice_where_the_version_has_a_place() -> None:
    world = consented(a_hospital_by_hl7v2("2.8", teller_is_program=True))

    told(world, event("A01", "E1"))

    (message,) = sent(world, "2.8")
    assert [one.id for one in message.segments] == ["MSH", "EVN", "PID", "ARV", "ARV", "PV1", "OBX"]
    assert [one.text(5).split(" ")[0] for one in message.named("ARV")] == ["R", "42"]


def test_a_version_without_a_place_for_the_notice_holds_the_alert() -> None:
    world = consented(a_hospital_by_hl7v2("2.5.1", teller_is_program=True, stores_nte=True))

    told(world, event("A01", "E1"))

    assert world.transport.sent == []
    assert alert_work(world)[0][1:] == ("held", "NOTICE_UNATTACHABLE (42 CFR 2.32(a))")


def test_a_field_agreed_on_is_a_place_for_the_notice_in_any_version() -> None:
    world = consented(a_hospital_by_hl7v2("2.5.1", teller_is_program=True, notice_field="ZNT-1"))

    told(world, event("A01", "E1"))

    assert [envelope.message for _, _, envelope in world.transport.sent] == ["ADT^A01"]


def test_a_part_2_programs_admission_needs_a_consent_here_too() -> None:
    world = a_hospital_by_hl7v2(teller_is_program=True)

    told(world, event("A01", "E1"))

    assert (world.transport.sent, alert_work(world)[0][1]) == ([], "refused")
