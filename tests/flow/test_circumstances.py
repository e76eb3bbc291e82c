"""Who passes a referral on, and who cares for a person: both count only with evidence of their own."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.staff.proof import accounting
from gateway.model.accounting import Wanted
from gateway.model.caveat import Caveat
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Answer
from gateway.model.handoff import SendResult
from gateway.model.partner import Endpoint, LegalClass, Organization, Registry
from gateway.model.transport import Envelope
from tests.support.flow_house import HOSPITAL, NOW, a_caller
from tests.support.part2_world import a_class, a_consent, a_permit, a_tpo_consent
from tests.support.two_worlds import (
    GOOD_RELEASE,
    HOSPITAL_NPI,
    NPI,
    RELEASES,
    Submission,
    TwoWorld,
    case,
    mixed_contact,
)

LEAD = a_caller("demo-lead", "org:demo-lead")
PARTNER = "https://warmhandoff.example/id/partner"
WRITTEN = b"suicide"
"""In what the program's clinician wrote: nothing of it may leave without a consent."""


def partner(system: str, value: str) -> dict[str, Any]:
    return {"type": "Organization", "identifier": {"system": system, "value": value}}


def receiving(reference: dict[str, Any]) -> dict[str, Any]:
    return {"role": {"coding": [{"code": "IRCP"}]}, "reference": reference}


class Noting:
    """A `Transport` that notes for whom it sends, and where to."""

    def __init__(self) -> None:
        self.ways: list[tuple[str, str]] = []

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        self.ways.append((disclosure.recipient, endpoint.address))
        return SendResult("200")


def world_with(through: Noting | None = None) -> TwoWorld:
    """An officer's referral with a program's findings beside it; with a transport, it goes through a network."""
    world = TwoWorld("fhir", has_program_part=True)
    if through is not None:
        own = Organization(
            id="org:network",
            name="Exampleville Referral Network",
            identifiers=((PARTNER, "network"),),
            timezone="America/Los_Angeles",
            roles=frozenset({"intermediary"}),
            legal_classes=(LegalClass(date(2024, 1, 1), "no"),),
            members=frozenset({"org:demo-hospital"}),
            endpoints=(Endpoint("fhir", "https://network.example/fhir", verified=date(2026, 1, 1)),),
        )
        house = world.gateway.house
        routes = tuple(replace(one, via="org:network") for one in house.routes)
        registry = Registry([*house.registry, own])
        world.gateway = Gateway(replace(house, registry=registry, routes=routes, transports={"fhir": through}))
    world.hand_in([a_contact()])
    return world


def a_contact(**more: str) -> Submission:
    made = mixed_contact(1, 0, "demo-lead", "verbal", "mental_health")
    return replace(made, full={**made.full, **more})


def file(world: TwoWorld, consent: dict[str, Any]) -> None:
    """Let the program file a consent of the person, signed by the person."""
    (patient,) = (key for kind, key in world.state.resources if kind == "Patient")
    signer = {"reference": f"Patient/{patient}"}
    body = {**consent, "patient": signer, "performer": [signer], "organization": [partner(PARTNER, "demo-lead")]}
    assert isinstance(world.gateway.file_consent(LEAD, body, None, None), Answer)
    world.clock.advance(timedelta(seconds=1))
    world.work()


def accept(world: TwoWorld) -> None:
    """Let the hospital accept the one referral it can see."""
    (task,) = world.gateway.search(HOSPITAL, "Task", []).resources
    moved = world.gateway.update_task(
        HOSPITAL, task["id"], {**task, "status": "accepted"}, int(task["meta"]["versionId"])
    )
    assert isinstance(moved, Answer)


def what_the_hospital_reads(world: TwoWorld) -> bytes:
    kinds = ("Patient", "ServiceRequest", "Observation")
    return b"".join(orjson.dumps(world.gateway.search(HOSPITAL, kind, []).resources) for kind in kinds)


def test_a_class_of_treating_providers_takes_in_a_recipient_once_it_has_undertaken_the_care() -> None:
    world = world_with()
    file(world, a_tpo_consent(sourceReference=None, sourceAttachment={"title": "signed"}))
    before = what_the_hospital_reads(world)

    accept(world)

    assert WRITTEN not in before
    assert WRITTEN in what_the_hospital_reads(world)


def test_a_record_cannot_say_who_treats_the_person_in_place_of_the_provider() -> None:
    world = world_with()
    (handoff,) = world.state.handoffs
    (person,) = world.state.people
    (patient,) = (key for kind, key in world.state.resources if kind == "Patient")
    visit = {
        "resourceType": "Encounter", "id": "a-visit", "status": "in-progress", "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"}, "serviceProvider": partner(NPI, HOSPITAL_NPI),
    }  # fmt: skip
    world.database.write(lambda tx: tx.resources.put(visit, handoff_id=handoff, person_id=person, at=world.clock()))

    file(world, a_tpo_consent(sourceReference=None, sourceAttachment={"title": "signed"}))

    assert WRITTEN not in what_the_hospital_reads(world)


def test_what_goes_through_an_intermediary_is_sent_there_and_stands_in_its_list() -> None:
    transport = Noting()
    world = world_with(transport)
    group, treating = a_class("treating-participants")
    network = receiving(partner(PARTNER, "network"))
    permit = a_permit(actor=[network], provision=[a_permit(actor=[treating])])
    file(world, a_consent(permit, contained=[group], sourceReference=None, sourceAttachment={"title": "signed"}))
    house = world.gateway.house
    (person,) = world.state.people

    accept(world)
    world.hand_in([a_contact(suicide="attempt")])
    listed = accounting(
        house.database, house.registry, house.clock, "an-officer",
        Wanted(person=person, intermediary="org:network"), NOW - timedelta(days=1), NOW + timedelta(days=1),
    )  # fmt: skip

    assert set(transport.ways) == {("org:demo-hospital", "https://network.example/fhir")}
    assert listed is not None
    assert {one.recipient for one in listed.disclosures} == {"org:demo-hospital"}


@pytest.mark.parametrize("against", ["org:network", "org:demo-hospital"])
def test_a_promise_about_who_passes_on_stops_what_would_go_through_it(against: str) -> None:
    """42 CFR 2.26(a)(3): what an officer wrote goes on, for nobody has promised anything of that."""
    world = world_with(Noting())
    network, hospital = receiving(partner(PARTNER, "network")), receiving(partner(NPI, HOSPITAL_NPI))
    (person,) = world.state.people
    promise = Caveat(
        id="a-promise", person_id=person, kind="agreed", organization="org:demo-lead", against=(against,), items=None,
        consent_id=None, reason="asked for at the desk", by="staff-pam", since=NOW,
    )  # fmt: skip
    permit = a_permit(actor=[network], provision=[a_permit(actor=[hospital])])

    world.database.write(lambda tx: tx.caveats.save(promise))
    file(world, a_consent(permit, sourceReference=None, sourceAttachment={"title": "signed"}))
    promised = newest(world)
    world.database.write(lambda tx: tx.caveats.save(replace(promise, ended_at=NOW, ended_by="staff-pam")))
    file(world, a_consent(permit, sourceReference=None, sourceAttachment={"title": "signed again"}))

    assert (promised, newest(world)) == ("PERMIT_REDACTED", "PERMIT")


def newest(world: TwoWorld) -> str:
    """Return how the newest decision to send came out."""
    return str([one.record["decision"] for one in world.state.decisions.values() if one.work_id is not None][-1])


def test_a_consent_that_comes_later_brings_the_rest_to_who_has_a_part() -> None:
    world = world_with()
    before = b"".join(message for _, message in world.wire.sent)

    file(
        world, a_consent(a_permit(actor=[receiving(partner(NPI, HOSPITAL_NPI))]), sourceAttachment={"title": "signed"})
    )

    assert WRITTEN not in before
    assert WRITTEN in b"".join(message for _, message in world.wire.sent)


def test_a_consent_for_somebody_else_sends_nobody_anything() -> None:
    world = world_with()
    before = len(world.wire.sent)

    file(world, a_consent(a_permit(actor=[receiving(partner(PARTNER, "demo-shelter"))])))

    assert len(world.wire.sent) == before


def consents(world: TwoWorld) -> list[dict[str, Any]]:
    return [one.body for (kind, _), one in world.state.resources.items() if kind == "Consent"]


def test_what_a_program_said_of_consent_is_not_replaced_by_who_else_hands_its_record_in() -> None:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([case(1, 0, "demo-lead", "medical", "stay sober", RELEASES["deficient"])])
    before = consents(world)

    by_police = case(1, 0, "demo-lead", "medical", "stay sober; find work", GOOD_RELEASE)
    world.hand_in([replace(by_police, client="demo-agency")])

    assert consents(world) == before


def test_a_no_is_heard_from_whoever_hands_it_in() -> None:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([case(1, 0, "demo-lead", "medical", "stay sober", GOOD_RELEASE)])

    refused = case(1, 0, "demo-lead", "medical", "stay sober", {**GOOD_RELEASE, "roi_signed": "refused"})
    world.hand_in([replace(refused, client="demo-agency")])

    assert [one["provision"]["type"] for one in consents(world)] == ["deny"]


@pytest.mark.parametrize(("signed_at", "stands"), [("2026-10-20T10:00:00", "deny"), ("2026-10-22T10:00:00", "permit")])
def test_a_no_stands_until_the_person_has_signed_since(signed_at: str, stands: str) -> None:
    world = TwoWorld("fhir", has_program_part=True)
    said_no = {**GOOD_RELEASE, "roi_signed": "refused", "roi_signed_at": "2026-10-21T10:00:00"}
    world.hand_in([replace(case(1, 0, "demo-lead", "medical", "stay sober", said_no), client="demo-agency")])

    world.hand_in([case(1, 0, "demo-lead", "medical", "stay sober", {**GOOD_RELEASE, "roi_signed_at": signed_at})])

    assert [one["provision"]["type"] for one in consents(world)] == [stands]
