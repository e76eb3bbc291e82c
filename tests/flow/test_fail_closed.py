"""What is in doubt does not leave, and a person is told: unreadable consents, clocks that disagree."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.exchange import Answer
from tests.flow.test_follow_up import a_consent
from tests.support.flow_house import CONTACT, HOSPITAL, POLICE, World, a_world
from tests.support.two_worlds import GOOD_RELEASE, TwoWorld, case

UNASKED = {**CONTACT, "consent_status": "not_asked", "consent_at": ""}


def filed(world: World, consent: dict[str, Any]) -> None:
    """File a consent as one that came before the checks at the door knew of such a fault."""
    lenient = replace(world.house, check_foreign=lambda resource: [])
    assert isinstance(Gateway(lenient).file_consent(POLICE, consent, None, None), Answer)


@pytest.mark.parametrize(
    "fault",
    [
        {"modifierExtension": [{"url": "urn:unknown", "valueBoolean": True}]},
        {"implicitRules": "urn:unknown"},
        {"dateTime": "2026-11-01T10:00:00"},
        {"provision": {"type": "permit", "provision": [{"type": "permit"}] * 5000}},
    ],
    ids=["modifier", "implicit rules", "a time without a zone", "five thousand provisions"],
)
def test_a_consent_that_cannot_be_read_stops_everything_about_the_person(fault: dict[str, Any]) -> None:
    world = a_world()
    world.take(UNASKED)
    filed(world, {**a_consent(world, "permit")})
    world.transport.sent.clear()
    filed(world, {**a_consent(world, "permit"), **fault})

    world.take({**CONTACT, "contact_id": "C-2"})

    assert world.transport.sent == []
    assert world.states()[-1][1] in ("refused", "held")
    assert world.states()[-1][2].startswith("UNPARSEABLE")


def test_a_refusal_counts_although_the_clock_that_stored_it_was_ahead() -> None:
    world = a_world()
    world.take(CONTACT)
    world.clock.advance(timedelta(seconds=30))
    filed(world, {**a_consent(world, "deny"), "provision": {"type": "deny"}})
    world.clock.advance(timedelta(seconds=-30))
    world.transport.sent.clear()

    world.take({**CONTACT, "contact_id": "C-2"})

    assert world.transport.sent == []
    assert world.states()[-1][1:] == ("refused", "EXPLICIT_DENY (42 CFR 2.31(a)(3); 2.13(a))")


def test_a_clock_before_the_signature_lets_nothing_go() -> None:
    world = a_world()
    world.clock.advance(timedelta(days=-2))

    world.take({**CONTACT, "contact_date": "2026-10-30T10:00:00", "consent_at": "2026-11-01T10:00:00"})

    assert world.transport.sent == []


@pytest.mark.parametrize(("client", "sent"), [("demo-lead", 2), ("demo-agency", 0)])
def test_a_programs_consent_counts_where_its_own_credential_brought_it(client: str, sent: int) -> None:
    world = TwoWorld("fhir", has_program_part=True)

    world.hand_in([replace(case(1, 0, "demo-lead", "medical", "", GOOD_RELEASE), client=client)])

    reasons = {work.reason for work in world.state.work.values() if work.kind == "deliver" and work.reason}
    assert len(world.wire.sent) == sent
    assert sent or "CONSENT_UNVERIFIED (42 CFR 2.31(c)(4))" in reasons


def test_a_shared_organization_stays_readable_whoever_came_after() -> None:
    world = a_world()
    world.take(CONTACT)
    content = world.transport.sent[0][0].content
    shared = [e["resource"]["id"] for e in content["entry"] if e["resource"]["resourceType"] == "Organization"]

    world.take({**UNASKED, "contact_id": "C-2", "client_id": "K-2", "last_name": "Other", "phone": "360-555-0199"})

    assert shared
    assert all(world.gateway.read(HOSPITAL, "Organization", one) is not None for one in shared)
