"""Results, documents, appointments, orders and plans of people we know: kept, corrected, replaced, cancelled."""

import pytest

from gateway.flow.gateway import Gateway
from tests.support.feed_world import a_feed_world, kept, records, told
from tests.support.flow_house import World
from tests.support.hospital_feed import referral_status

NOON, ONE, TWO = "20261102120000-0800", "20261102130000-0800", "20261102140000-0800"
PATIENT = "PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\r"
VISIT = "PV1|1|E|ED||||||||||||||||V-1\r"


def message(kind: str, control_id: str, body: str, *, at: str = NOON, patient: str = PATIENT) -> bytes:
    """A message of the hospital; in `body` a line "PID" stands for the patient."""
    code, event = kind.split("^")
    header = f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|{at}||{code}^{event}|{control_id}|P|2.5.1\r"
    return (header + body.replace("PID\r", patient)).encode()


def result(control_id: str, value: int, status: str, changed_at: str) -> bytes:
    obr = f"OBR|1|PL-1|FI-1|24331-1^Lipid panel^LN|||{NOON}{'|' * 15}{changed_at}|||{status}\r"
    obx = f"OBX|1|NM|2093-3^Cholesterol^LN||{value}|mg/dL^^UCUM|||||{status}|||{NOON}\r"
    return message("ORU^R01", control_id, f"PID\r{VISIT}ORC|RE|PL-1|FI-1\r{obr}{obx}")


def document(event: str, control_id: str, number: str, replaces: str = "", at: str = NOON) -> bytes:
    txa = f"TXA|1|DS|TX||{at}|||||||{number}|{replaces}||||AU\r"
    obx = "OBX|1|TX|18842-5^Discharge summary^LN||Went home|||||F\r"
    return message(f"MDM^{event}", control_id, f"EVN|{event}|{at}\rPID\r{VISIT}{txa}{obx}", at=at)


def appointment(event: str, control_id: str, status: str, at: str = NOON, order: str = "") -> bytes:
    slot = "^^30^20261110090000-0800^20261110093000-0800"
    sch = f"SCH|AP-1|AF-1|||||CHECKUP||30|min|{slot}{'|' * 14}{status}{f'|{order}' if order else ''}\r"
    return message(f"SIU^{event}", control_id, f"{sch}PID\rRGS|1\rAIS|1|A|CONS^Consult|20261110090000-0800\r", at=at)


def problem(event: str, control_id: str, action: str, at: str = NOON) -> bytes:
    prb = f"PRB|{action}|{at}|F32.9^Depression^I10C|PR-1^EHR\r"
    return message(f"PPR^{event}", control_id, f"PID\r{VISIT}{prb}", at=at)


def goal(event: str, control_id: str, action: str, at: str = NOON) -> bytes:
    return message(f"PGL^{event}", control_id, f"PID\r{VISIT}GOL|{action}|{at}|G1^Sleep^L|GO-1^EHR\r", at=at)


def statuses(world: World, kind: str) -> list[str]:
    return [str(one.get("status") or one.get("lifecycleStatus")) for one in kept(world, kind)]


def test_a_corrected_result_is_one_and_a_late_preliminary_one_changes_nothing() -> None:
    world = a_feed_world()

    told(world, result("O2", 190, "C", TWO))
    told(world, result("O1", 180, "P", ONE))

    (observation,) = kept(world, "Observation")
    assert (observation["status"], observation["valueQuantity"]["value"]) == ("corrected", 190)
    assert statuses(world, "DiagnosticReport") == ["corrected"]


def test_a_correction_that_states_no_time_takes_the_place_of_what_it_corrects() -> None:
    world = a_feed_world()
    group = f"PID\r{VISIT}ORC|RE|PL-1|FI-1\rOBR|1|PL-1|FI-1|24331-1^Lipid panel^LN|||{NOON}\r"
    other = "OBX|1|NM|2571-8^Triglyceride^LN||120|mg/dL^^UCUM|||||F\r"

    told(world, message("ORU^R01", "O1", f"{group}OBX|1|NM|2093-3^Cholesterol^LN||180|mg/dL^^UCUM|||||P\r", at=ONE))
    told(world, message("ORU^R01", "O2", f"{group}{other}OBX|2|NM|2093-3^Cholesterol^LN||190|mg/dL|||||C\r", at=TWO))

    cholesterol = [one for one in kept(world, "Observation") if one["code"]["coding"][0]["code"] == "2093-3"]
    assert [(one["status"], one["valueQuantity"]["value"]) for one in cholesterol] == [("corrected", 190)]


def test_the_visit_in_a_result_does_not_tell_how_far_it_is() -> None:
    world = a_feed_world()
    told(world, message("ADT^A03", "E1", f"EVN|A03|{NOON}\rPID\r{VISIT}"))

    told(world, result("O1", 180, "F", ONE))

    assert statuses(world, "Encounter") == ["finished"]


@pytest.mark.parametrize("first", ["original", "replacement"])
def test_a_replaced_document_is_superseded_whichever_comes_first(first: str) -> None:
    world = a_feed_world()
    both = [document("T02", "D1", "DOC-1"), document("T10", "D2", "DOC-2", "DOC-1", ONE)]

    for one in both if first == "original" else reversed(both):
        told(world, one)

    assert sorted(statuses(world, "DocumentReference")) == ["current", "superseded"]


def test_an_appointment_is_booked_moved_and_cancelled_in_one_resource() -> None:
    world = a_feed_world()

    told(world, appointment("S12", "S1", "Booked"))
    booked = statuses(world, "Appointment")
    told(world, appointment("S15", "S2", "Cancelled", ONE))
    told(world, appointment("S13", "S3", "Booked", NOON))

    assert (booked, statuses(world, "Appointment")) == (["booked"], ["cancelled"])


def test_an_appointment_without_our_number_moves_the_one_open_referral_there() -> None:
    world = a_feed_world()

    told(world, appointment("S12", "S1", "Booked"))

    assert referral_status(world) == "in-progress"


def test_an_appointment_for_somebody_elses_order_moves_none_of_ours() -> None:
    world = a_feed_world()

    record = told(world, appointment("S12", "S1", "Booked", order="OTHER-1"))

    assert (record.state, referral_status(world)) == ("converted", "accepted")


def test_a_problem_and_a_goal_that_are_deleted_were_entered_in_error() -> None:
    world = a_feed_world()
    for one in (problem("PC1", "P1", "AD"), goal("PC6", "G1", "AD")):
        assert told(world, one).state == "converted"

    for one in (problem("PC3", "P2", "DE", ONE), goal("PC8", "G2", "DE", ONE)):
        assert told(world, one).state == "converted"

    (condition,) = kept(world, "Condition")
    assert condition["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in condition
    assert statuses(world, "Goal") == ["entered-in-error"]


def test_orders_are_kept_as_what_they_ask_for() -> None:
    world = a_feed_world()
    order = "PID\rORC|NW|PL-{0}\rOBR|1|PL-{0}||58410-2^Blood count^LN\r"

    for n, kind in enumerate(("ORM^O01", "OMG^O19")):
        assert told(world, message(kind, f"M{n}", order.format(n))).state == "converted"

    assert len(kept(world, "ServiceRequest")) == 2


@pytest.mark.parametrize("kind", ["RQA^I08", "RPA^I08"])
def test_an_authorization_asked_for_is_answered_kept_and_moves_nothing(kind: str) -> None:
    world = a_feed_world()

    record = told(world, message(kind, "M1", "RF1|P\rPRD|RP|Sampledoc^Sam\rPID\r"))

    assert (record.state, (record.reason or "").partition(":")[0]) == ("skipped", "unmapped")
    assert records(world) == []


def test_a_result_of_nobody_we_know_is_kept_as_a_message_alone() -> None:
    world = a_feed_world()
    stranger = "PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\r"

    record = told(world, message("ORU^R01", "O1", "PID\rOBR|1||F-1|1^x^L\r", patient=stranger))

    assert (record.state, record.reason, records(world)) == ("skipped", "it is about nobody we know", [])


def test_a_message_with_a_thousand_results_is_taken() -> None:
    world = a_feed_world()
    many = "".join(f"OBX|{n}|NM|{n}-1^Test {n}^L|{n}|{n}|mg|||||F\r" for n in range(1, 1001))

    told(world, message("ORU^R01", "O1", f"PID\rOBR|1|PL-1|FI-1|24331-1^Panel^LN\r{many}"))

    assert len(kept(world, "Observation")) == 1000


def test_a_page_shows_what_became_of_each_field_by_the_pack() -> None:
    world = a_feed_world()
    told(world, result("O1", 180, "F", ONE))

    newest = list(world.database.state.inputs)[-1]
    page = Gateway(world.house).console_message(("staff-1", "admin"), newest)

    assert page is not None
    fates = {one.path: (one.status, one.target) for one in page.fields}
    assert fates["OBX-5"] == ("mapped", "Observation")
    assert fates["OBX-3"] == ("mapped", "Observation.code")
