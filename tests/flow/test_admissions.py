"""ADT of every event: what moves a referral, what completes the index, what waits for a person, and what is kept."""

import pytest

from gateway.flow.people import PERSON_ID
from tests.support.hospital_feed import a_world_that_knows_two, adt, person_id, referral_status, take


@pytest.mark.parametrize("number", range(1, 63))
def test_every_adt_event_is_taken_and_has_an_outcome(number: int) -> None:
    world = a_world_that_knows_two()

    state, reason = take(world, adt(f"A{number:02}", "E1", number="M-9", person="Nobody^Known"))

    assert state in ("skipped", "quarantined")
    assert reason


def test_an_event_without_a_meaning_here_is_said_to_be_unmapped() -> None:
    world = a_world_that_knows_two()

    state, reason = take(world, adt("A21", "E1"))

    assert (state, reason.partition(":")[0]) == ("skipped", "unmapped")
    assert referral_status(world) == "accepted"


@pytest.mark.parametrize("event", ["A02", "A12", "A08"])
def test_a_transfer_its_cancellation_and_a_change_move_no_referral(event: str) -> None:
    world = a_world_that_knows_two()

    state, _ = take(world, adt(event, "E1"))

    assert (state, referral_status(world)) == ("skipped", "accepted")


def test_a_discharge_that_comes_before_its_admission_stays_the_last_word() -> None:
    world = a_world_that_knows_two()

    take(world, adt("A03", "E2", at="20261102150000-0800"))
    discharged = referral_status(world)
    state, _ = take(world, adt("A01", "E1", at="20261102130000-0800"))

    assert (discharged, state, referral_status(world)) == ("completed", "skipped", "completed")


def test_a_replayed_admission_with_a_new_id_changes_nothing() -> None:
    world = a_world_that_knows_two()
    take(world, adt("A01", "E1"))
    versions = {key: kept for key, kept in world.database.state.resources.items() if key[0] == "Task"}

    state, reason = take(world, adt("A01", "E1-again"))

    assert (state, reason, referral_status(world)) == ("converted", "the referral is there already", "in-progress")
    assert versions == {key: kept for key, kept in world.database.state.resources.items() if key[0] == "Task"}


@pytest.mark.parametrize("event", ["A01", "A03", "A04"])
def test_a_visit_from_before_the_referral_says_nothing_about_it(event: str) -> None:
    world = a_world_that_knows_two()

    state, _ = take(world, adt(event, "E1", at="20250101120000-0800"))

    assert (state, referral_status(world)) == ("skipped", "accepted")


@pytest.mark.parametrize(("first", "then", "status"), [("A01", "A11", "in-progress"), ("A03", "A13", "completed")])
def test_a_cancellation_takes_nothing_back_and_waits_for_a_person(first: str, then: str, status: str) -> None:
    world = a_world_that_knows_two()
    take(world, adt(first, "E1"))

    state, reason = take(world, adt(then, "E2", at="20261102130000-0800"))

    assert (state, referral_status(world)) == ("quarantined", status)
    assert "decide with them" in reason


def test_a_cancellation_of_what_moved_nothing_waits_for_nobody() -> None:
    world = a_world_that_knows_two()

    assert take(world, adt("A11", "E1"))[0] == "skipped"
    assert take(world, adt("A13", "E2"))[0] == "skipped"


@pytest.mark.parametrize("event", ["A28", "A31", "A08"])
def test_an_update_completes_the_index_by_what_it_lacks_and_touches_no_record(event: str) -> None:
    world = a_world_that_knows_two()
    patients = {key: kept for key, kept in world.database.state.resources.items() if key[0] == "Patient"}

    state, _ = take(world, adt(event, "E1", person="Sample^Ari||19900102|F|||1 Invented Way^^Exampleville^WA^98000||"))

    person = world.database.read(lambda tx: tx.people.get(person_id(world)))
    assert person is not None
    assert (state, person.address, person.phone) == ("converted", "1 Invented Way 98000", "360-555-0101")
    assert patients == {key: kept for key, kept in world.database.state.resources.items() if key[0] == "Patient"}


@pytest.mark.parametrize(
    "person", ["Other^Ari||19900102|F", "Sample^Cleo||19900102|F", "Sample^Ari||19910102|F", "Sample^Ari||19900102|M"]
)
def test_an_update_that_contradicts_the_source_agency_waits_and_changes_nothing(person: str) -> None:
    world = a_world_that_knows_two()
    before = world.database.read(lambda tx: tx.people.get(person_id(world)))

    state, reason = take(world, adt("A31", "E1", person=f"{person}|||9 Elsewhere^^Exampleville^WA^98000"))

    assert (state, "decide who it is" in reason) == ("quarantined", True)
    assert before == world.database.read(lambda tx: tx.people.get(person_id(world)))


def test_a_shorter_spelling_is_no_contradiction() -> None:
    world = a_world_that_knows_two()

    assert take(world, adt("A31", "E1", person="SAMPLE^A||1990"))[0] == "skipped"


def test_an_update_about_somebody_only_possibly_known_waits() -> None:
    world = a_world_that_knows_two()

    assert take(world, adt("A31", "E1", number="M-7", person="Sample^Ari||19900102|F"))[0] == "quarantined"


def test_an_update_about_nobody_we_know_is_skipped() -> None:
    world = a_world_that_knows_two()

    assert take(world, adt("A28", "E1", number="M-7", person="Stranger^Max||19700101|M")) == (
        "skipped",
        "it is about nobody we know",
    )


@pytest.mark.parametrize(("sender", "status"), [("EHR|HOSPITAL", "in-progress"), ("CLINIC-EHR|RECOVERY", "accepted")])
def test_our_own_number_sent_back_moves_only_the_referrals_to_who_sends_it(sender: str, status: str) -> None:
    world = a_world_that_knows_two()
    person = world.database.read(lambda tx: tx.people.get(person_id(world)))
    assert person is not None
    own = next(value for system, value in person.identifiers if system == PERSON_ID)

    take(world, adt("A01", "E1", number=own).replace(b"EHR|HOSPITAL", sender.encode(), 1))

    assert referral_status(world) == status
