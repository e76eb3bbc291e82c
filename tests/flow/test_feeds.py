"""What partners tell of people we know becomes records of theirs; of nobody else, and of no unknown sender."""

from dataclasses import replace

import pytest

from gateway.model.partner import Feed
from gateway.tracking.retold import Json
from tests.support.feed_world import a_feed_world, kept, records, told
from tests.support.flow_house import World
from tests.support.hospital_feed import FEED, adt, person_id, referral_status

VISIT = "PV1|1|E|ED^^^HOSPITAL||||||||||||||||V-1"
DIAGNOSIS = "DG1|1||R45.851^Suicidal ideations^I10C|||A"
NOON, THREE, FIVE = "20261102120000-0800", "20261102150000-0800", "20261102170000-0800"
ENDED = f"{VISIT}{'|' * 26}{THREE}"
HEADER = "MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||"
PATIENT = "PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F"


def visits(world: World) -> list[tuple[str, Json]]:
    return [(one["status"], one.get("period", {})) for one in kept(world, "Encounter")]


def test_an_admission_of_somebody_known_becomes_a_record_of_theirs_signed_by_its_sender() -> None:
    world = a_feed_world()

    record = told(world, adt("A01", "E1", rest=f"{VISIT}\r{DIAGNOSIS}"))

    (handoff,) = records(world)
    signed = world.database.read(lambda tx: tx.handoffs.resources(handoff.id))[-1]
    assert (record.state, record.reason) == ("converted", "kept as a record of the person: Condition, Encounter")
    assert (handoff.agency, handoff.person_id, handoff.state, handoff.mapping) == (
        "org:demo-hospital", person_id(world), "active", "hl7v2/adt",
    )  # fmt: skip
    assert [one["code"]["coding"][0]["code"] for one in kept(world, "Condition")] == ["R45.851"]
    assert signed["agent"][0]["who"]["identifier"]["value"] == "9999999001"
    assert {target["reference"].partition("/")[0] for target in signed["target"]} == {
        "Patient", "Encounter", "Condition",
    }  # fmt: skip
    assert referral_status(world) == "in-progress"


def test_a_feed_that_states_no_characters_is_read_by_those_agreed_with_it() -> None:
    world = a_feed_world(feed=replace(FEED, charset="8859/2"))
    polish = adt("A01", "E1").replace(b"Sample^Ari", "Koło^Ari".encode("iso8859-2"))

    told(world, polish)

    (patient,) = kept(world, "Patient")
    assert [one["family"] for one in patient["name"]] == ["Koło"]


def test_what_comes_of_a_message_does_not_depend_on_when_it_is_read() -> None:
    """A message that waited in the queue is said when it was said."""
    world = a_feed_world()

    told(world, adt("A03", "E2", rest=ENDED, at=THREE))
    told(world, adt("A01", "E1", rest=VISIT, at=NOON))

    assert visits(world) == [("finished", {"end": "2026-11-02T15:00:00-08:00"})]


def test_later_messages_of_a_visit_update_the_same_resources() -> None:
    world = a_feed_world()

    told(world, adt("A01", "E1", rest=f"{VISIT}\r{DIAGNOSIS}"))
    told(world, adt("A03", "E2", rest=ENDED, at=THREE))

    (handoff,) = records(world)
    assert handoff.version == 2
    assert visits(world) == [("finished", {"end": "2026-11-02T15:00:00-08:00"})]
    assert len(kept(world, "Condition")) == 1


def test_everything_is_signed_for_once_by_the_message_that_told_it_last() -> None:
    world = a_feed_world()

    told(world, adt("A01", "E1", rest=f"{VISIT}\r{DIAGNOSIS}"))
    told(world, adt("A03", "E2", rest=ENDED, at=THREE))

    signed = {
        one["entity"][0]["what"]["identifier"]["value"]: sorted(t["reference"].partition("/")[0] for t in one["target"])
        for one in kept(world, "Provenance")
    }
    assert signed == {"E1": ["Condition"], "E2": ["Encounter", "Patient"]}


def test_an_update_that_repeats_the_class_does_not_reopen_a_visit() -> None:
    world = a_feed_world()

    told(world, adt("A03", "E1", rest=ENDED, at=THREE))
    told(world, adt("A08", "E2", rest=VISIT, at=FIVE))

    assert visits(world)[0][0] == "finished"


@pytest.mark.parametrize(
    ("event", "status"), [("A11", "cancelled"), ("A13", "in-progress"), ("A23", "entered-in-error")]
)
def test_a_cancellation_is_one_of_the_visit_whose_word_it_takes_back(event: str, status: str) -> None:
    world = a_feed_world()

    told(world, adt("A03", "E1", rest=ENDED, at=THREE))
    told(world, adt(event, "E2", rest=VISIT, at=FIVE))

    assert visits(world) == [(status, {} if event == "A13" else {"end": "2026-11-02T15:00:00-08:00"})]


def test_an_admission_that_comes_after_its_own_cancellation_moves_nothing() -> None:
    world = a_feed_world()

    told(world, adt("A11", "E2", rest=VISIT, at=THREE))
    record = told(world, adt("A01", "E1", rest=VISIT, at=NOON))

    assert visits(world)[0][0] == "cancelled"
    assert referral_status(world) == "accepted"
    assert record.reason is not None
    assert "its visit was cancelled later" in record.reason


def test_an_admission_anew_after_a_cancellation_counts() -> None:
    world = a_feed_world()

    told(world, adt("A11", "E2", rest=VISIT, at=NOON))
    told(world, adt("A01", "E1", rest=VISIT, at=THREE))

    assert (visits(world)[0][0], referral_status(world)) == ("in-progress", "in-progress")


def test_a_replayed_message_under_another_id_changes_no_resource() -> None:
    world = a_feed_world()
    told(world, adt("A01", "E1", rest=VISIT))
    before = {key: kept.versions for key, kept in world.database.state.resources.items() if key[0] != "Provenance"}

    told(world, adt("A01", "E1-again", rest=VISIT))

    after = {key: kept.versions for key, kept in world.database.state.resources.items() if key[0] != "Provenance"}
    assert before == after


def test_two_quotes_take_away_what_was_told() -> None:
    world = a_feed_world()
    number = "|||||206-555-0199^PRN^PH"

    told(world, adt("A08", "E1", person=f"Sample^Ari||19900102|F{number}", rest=VISIT))
    with_phone = kept(world, "Patient")
    told(world, adt("A08", "E2", person=f'Sample^Ari||19900102|F{"|||||"}""', rest=VISIT, at=THREE))

    assert ("telecom" in with_phone[0], "telecom" in kept(world, "Patient")[0]) == (True, False)


@pytest.mark.parametrize("number", ["M-9", ""])
def test_of_nobody_we_know_no_record_is_made(number: str) -> None:
    world = a_feed_world()

    record = told(world, adt("A01", "E1", number=number, person="Stranger^Max||19700101|M", rest=VISIT))

    assert (record.state, record.reason) == ("skipped", "it is about nobody we know")
    assert records(world) == []


def test_of_somebody_who_is_only_possibly_known_no_record_is_made() -> None:
    world = a_feed_world()

    record = told(world, adt("A01", "E1", number="M-9", person="Sample^Ari||19900102|F", rest=VISIT))

    assert (record.state, records(world)) == ("quarantined", [])


@pytest.mark.parametrize("feed", [Feed("EHR", "ELSEWHERE"), replace(FEED, certificates=frozenset({"ab" * 32}))])
def test_what_no_registered_sender_told_is_no_record(feed: Feed) -> None:
    """Nothing of unknown origin may leave, and what a message says of its sender counts for nothing by itself."""
    world = a_feed_world(feed=feed)

    told(world, adt("A01", "E1", rest=VISIT))

    assert records(world) == []


def test_a_visit_number_of_another_person_waits_for_a_person() -> None:
    world = a_feed_world()
    told(world, adt("A01", "E1", rest=VISIT))

    record = told(world, adt("A08", "E2", number="M-2", rest=VISIT, at=THREE))

    assert record.state == "quarantined"
    assert "look whose it is" in (record.reason or "")
    assert len(records(world)) == 1


def test_events_that_change_who_is_who_make_no_record() -> None:
    world = a_feed_world()

    told(world, adt("A40", "E1", rest="MRG|M-2^^^HOSPITAL^MR"))

    assert records(world) == []


def test_a_message_about_several_patients_makes_no_record() -> None:
    world = a_feed_world()

    told(world, adt("A01", "E1", rest=f"{VISIT}\rPID|2||M-2^^^HOSPITAL^MR||Example^Bo"))

    assert records(world) == []


def test_the_index_learns_the_senders_patient() -> None:
    world = a_feed_world()

    told(world, adt("A01", "E1", rest=VISIT))

    (patient,) = kept(world, "Patient")
    known = world.database.read(lambda tx: tx.people.by_patient(patient["id"]))
    assert known is not None
    assert known.id == person_id(world)


def test_labels_of_a_message_stay_on_what_later_messages_tell_again() -> None:
    world = a_feed_world()

    told(world, adt("A01", "E1", rest=f"PV1|1|E|ED^^^HOSPITAL{'|' * 13}R|||V-1"))
    told(world, adt("A08", "E2", rest=VISIT, at=THREE))

    handoff = records(world)[0]
    bodies = world.database.read(lambda tx: tx.handoffs.resources(handoff.id))
    visit = next(one for one in bodies if one["resourceType"] == "Encounter")
    assert "R" in {label["code"] for label in visit["meta"]["security"]}
