"""Officer look-up: one word by consent, and one answer for everything else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from gateway.flow.gateway import Gateway
from gateway.model.lookup import NOTHING_TO_TELL, Status
from gateway.settings import Client
from tests.flow.test_consult import CountingDatabase
from tests.flow.test_non_interference import submissions
from tests.support.flow_house import CONTACT, POLICE, World, a_caller, a_world, csv_of
from tests.support.two_worlds import GOOD_RELEASE, TwoWorld, case

FOR_POLICE = {
    **GOOD_RELEASE, "roi_recipient": "WA0990000", "roi_recipient_system": "https://warmhandoff.example/id/ori",
    "roi_purpose": "care_coordination",
}  # fmt: skip
"""A consent to the program's records that names the police department, to coordinate care."""


def with_contact_and_case(release: dict[str, str], number: str = "C-1") -> tuple[World, str]:
    """Let police hand in a contact, and a program its own case of the same person; return the receipt of police.

    `number` is that of the contact: by it the two records sort.
    """
    base = a_world()
    program = Client(id="demo-lead", organization="org:demo-lead", scopes=("intake",))
    house = replace(base.house, clients={**base.house.clients, program.id: program})
    world = World(house, Gateway(house), base.clock, base.database, base.transport)
    receipt = world.take({**CONTACT, "contact_id": number}).input_id
    row = case(1, 0, "demo-lead", "SUD treatment", "stay sober", release).full
    world.gateway.accept("http", "lead-referral", program.id, "text/csv", csv_of(row), None)
    world.work()
    return world, receipt


def held_by(world: World, receipt: str) -> list[tuple[str, str]]:
    """Return (type, id) of what the first record of an input holds."""
    (outcome,) = world.database.read(lambda tx: tx.inputs.records(receipt))
    held = world.database.read(lambda tx: tx.handoffs.resources(str(outcome.handoff_id)))
    return [(one["resourceType"], one["id"]) for one in held]


def kept(world: World) -> list[str]:
    return [one.record["decision"] for one in world.database.state.decisions.values() if one.channel == "lookup"]


def test_a_consent_that_names_the_department_opens_one_word_with_its_notice() -> None:
    world, receipt = with_contact_and_case(FOR_POLICE)

    told = world.gateway.look_up(POLICE, receipt, 1)

    assert told.status == "requested"
    assert told.notice.startswith("This record which has been disclosed to you is protected by Federal")
    assert "For: coordination of care." in told.scope
    (disclosure,) = (one for one in world.database.state.disclosures.values() if "look-up" in one.description)
    assert (disclosure.purpose, disclosure.code) == ("COC", "200")


@pytest.mark.parametrize("number", [f"C-{n}" for n in range(1, 5)])
def test_the_departments_event_names_the_patient_of_its_own_record(number: str) -> None:
    """Not that of the program's record of the same person, whichever of the two records sorts first."""
    world, receipt = with_contact_and_case(FOR_POLICE, number)
    own = next(key for kind, key in held_by(world, receipt) if kind == "Patient")

    world.gateway.look_up(POLICE, receipt, 1)

    (event,) = world.gateway.search(POLICE, "AuditEvent", []).resources
    named = {one["what"]["reference"] for one in event["entity"] if "reference" in one.get("what", {})}
    assert {one for one in named if one.startswith("Patient/")} == {f"Patient/{own}"}


@pytest.mark.parametrize(
    "release",
    [
        {},
        GOOD_RELEASE,
        {**FOR_POLICE, "roi_purpose": "payment"},
        {**FOR_POLICE, "roi_revoked_at": "2026-10-21T10:00:00", "roi_revoked_how": "written"},
        {**FOR_POLICE, "roi_document": ""},
    ],
    ids=["none", "for another", "for payment", "taken back", "not signed"],
)
def test_without_such_a_consent_there_is_nothing_to_tell(release: dict[str, str]) -> None:
    world, receipt = with_contact_and_case(release)

    assert world.gateway.look_up(POLICE, receipt, 1) == NOTHING_TO_TELL
    assert not any("look-up" in one.description for one in world.database.state.disclosures.values())


def test_the_departments_own_record_never_tells_it_a_status() -> None:
    world = a_world()
    receipt = world.take(CONTACT).input_id

    assert world.gateway.look_up(POLICE, receipt, 1) == NOTHING_TO_TELL
    assert kept(world) == ["DENY"]


def test_only_who_handed_a_record_in_asks_by_it() -> None:
    world, receipt = with_contact_and_case(FOR_POLICE)
    others = a_caller("demo-ehr", "org:demo-pd")

    assert world.gateway.look_up(others, receipt, 1) == NOTHING_TO_TELL


@pytest.mark.parametrize("asked", [("nothing-here", 1), (None, 2)], ids=["no receipt", "no record"])
def test_an_unknown_record_takes_the_work_of_a_refused_one(asked: tuple[str | None, int]) -> None:
    world, receipt = with_contact_and_case({})

    def work_for(receipt: str, record: int) -> list[str]:
        counting: Any = CountingDatabase(world.database)
        house = replace(world.house, database=counting)
        assert Gateway(house).look_up(POLICE, receipt, record) == NOTHING_TO_TELL
        return ["people.get" if call == "people.lock" else call for call in counting.calls]

    assert work_for(asked[0] or receipt, asked[1]) == work_for(receipt, 1)


@given(records=submissions())
@settings(max_examples=40, deadline=None, database=None, phases=[Phase.generate, Phase.shrink])
def test_what_a_program_wrote_changes_no_answer_to_police(records: list[Any]) -> None:
    seen: list[list[Status]] = []
    for full in (True, False):
        world = TwoWorld("fhir", has_program_part=full)
        world.hand_in(records)
        inputs = world.inputs_of("demo-agency")
        seen.append([world.gateway.look_up(POLICE, one, 1) for one in [*inputs, "nothing-here"]])

    assert seen[0] == seen[1]
