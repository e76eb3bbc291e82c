"""What is in doubt does not leave, and a person is told: unreadable consents, clocks that disagree."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.consult import Consult
from gateway.model.errors import TryLater
from gateway.model.exchange import Answer
from tests.flow.test_follow_up import a_consent
from tests.support.counted import CountedDatabase, FailingDatabase
from tests.support.flow_house import CONTACT, HOSPITAL, POLICE, World, a_world
from tests.support.two_worlds import GOOD_RELEASE, TwoWorld, case

LANE = "org:demo-hospital/fhir"
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


def test_no_look_up_that_fails_while_a_sending_is_prepared_lets_it_go() -> None:
    """A store that does not answer, also for the audit trail alone, and a commit that a full disk refuses."""
    world = a_world()
    Gateway(world.house).pause("test", LANE, True)
    world.take(CONTACT)
    Gateway(world.house).pause("test", LANE, False)
    queued, counted = world.database.state, CountedDatabase(world.database)
    work_once(replace(world.house, database=counted), "test")
    asked = counted.asked[: counted.asked.index("decisions.confirm")]
    assert len(world.transport.sent) == 1
    assert {"people.lock", "resources.of_person", "decisions.add", "audit.append", "decisions.intend"} <= set(asked)

    for call in sorted({*asked, "commit"} - {"write"}):
        world.database.state = queued
        world.transport.sent.clear()
        failing = FailingDatabase(world.database, call)
        with suppress(TryLater):
            work_once(replace(world.house, database=failing, report=lambda work, error: None), "test")
        assert world.transport.sent == [], call


def test_no_look_up_that_fails_gives_a_reader_anything() -> None:
    world = a_world()
    world.take(CONTACT)
    (task,) = (key for kind, key in world.database.state.resources if kind == "Task")
    (patient,) = (key for kind, key in world.database.state.resources if kind == "Patient")
    ways: list[Callable[[Gateway], object]] = [
        lambda gateway: gateway.read(HOSPITAL, "Task", task),
        lambda gateway: gateway.search(HOSPITAL, "Task", []),
        lambda gateway: gateway.search(HOSPITAL, "AuditEvent", []),
        lambda gateway: gateway.consult(HOSPITAL, Consult(patient=(f"Patient/{patient}",), purpose=("TREAT",))),
    ]

    for way in ways:
        counted = CountedDatabase(world.database)
        way(Gateway(replace(world.house, database=counted)))
        for call in sorted({*counted.asked, "commit"} - {"write"}):
            with pytest.raises(TryLater):
                way(Gateway(replace(world.house, database=FailingDatabase(world.database, call))))
