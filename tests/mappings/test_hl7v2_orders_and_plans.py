"""Orders of the versions before TQ1, appointments with fewer people, plans with their parts, documents elsewhere."""

import pytest

from gateway.formats.hl7v2.maps import OutgoingContext, write_message
from gateway.model.hl7_header import Hl7Header
from tests.mappings.test_hl7v2_packs import PACKS, PID, of_type, read

HEADER = Hl7Header(("WH",), ("G",), ("EHR",), ("SAMPLE",), "20261102100000-0800", "M1")


@pytest.mark.parametrize(
    "order",
    [
        ("ORC|NW|P-1|||||^^^20261105^20261106^S", "OBR|1|P-1||90791^Evaluation^C4"),
        ("ORC|NW|P-1", "OBR|1|P-1||90791^Evaluation^C4" + "|" * 23 + "^^^20261105^20261106^S"),
        ("ORC|NW|P-1", "TQ1|1||||||20261105|20261106|S&Stat&HL70485", "OBR|1|P-1||90791^Evaluation^C4"),
    ],
    ids=["ORC-7", "OBR-27", "TQ1"],
)
def test_an_urgent_order_is_urgent_wherever_its_version_says_so(order: tuple[str, ...]) -> None:
    (request,) = of_type(read(PID, *order, kind="ORM^O01"), "ServiceRequest")

    assert (request["priority"], request["occurrencePeriod"]) == (
        "stat",
        {"start": "2026-11-05", "end": "2026-11-06"},
    )


def test_who_orders_is_one_person_also_where_two_fields_name_him() -> None:
    order = (
        "ORC|NW|P-1" + "|" * 10 + "22^Doctor^Sam^^^^^^NPI^^^^NPI",
        "OBR|1|P-1||90791^Evaluation^C4" + "|" * 12 + "22^Doctor^Sam",
    )

    assert len(of_type(read(PID, *order, kind="ORM^O01"), "Practitioner")) == 1


def test_whom_an_update_takes_off_an_appointment_is_no_participant() -> None:
    result = read(
        "SCH|P-1|F-1",
        PID,
        "RGS|1|U",
        "AIL|1|D|OLD^^^SAMPLE",
        "AIP|1|D|1^Former^Kim",
        "AIP|2|A|2^Present^Sam",
        kind="SIU^S14",
    )

    (appointment,) = of_type(result, "Appointment")
    assert [one["name"][0]["family"] for one in of_type(result, "Practitioner")] == ["Present"]
    assert len(appointment["participant"]) == 2
    assert {one.path: one.status for one in result.report()}["AIP-3"] == "kept"


def test_a_plan_has_the_problem_the_goals_and_the_orders_that_came_with_it() -> None:
    result = read(
        PID,
        "PRB|AD|20261102|F32.9^Depression^I10C|PRB-1",
        "PTH|AD|CRISIS^Crisis plan^L|PTH-1",
        "GOL|AD|20261102|G-1^Sleep^L|GOL-1",
        "GOL|AD|20261102|G-2^Work^L|GOL-2",
        "ORC|NW|P-1",
        "OBR|1|P-1||90791^Evaluation^C4",
        kind="PPR^PC1",
    )

    (plan,) = of_type(result, "CarePlan")
    (problem,) = of_type(result, "Condition")
    goals = of_type(result, "Goal")
    (order,) = of_type(result, "ServiceRequest")
    assert plan["addresses"] == [{"reference": f"Condition/{problem['id']}"}]
    assert plan["goal"] == [{"reference": f"Goal/{goal['id']}"} for goal in goals]
    assert plan["activity"] == [{"reference": {"reference": f"ServiceRequest/{order['id']}"}}]
    assert [goal["addresses"] for goal in goals] == [plan["addresses"], plan["addresses"]]


def test_each_goal_is_about_the_problem_below_it() -> None:
    result = read(
        PID,
        "GOL|AD|20261102|G-1^Sleep^L|GOL-1",
        "PTH|AD|CRISIS^Crisis plan^L|PTH-1",
        "PRB|AD|20261102|F32.9^Depression^I10C|PRB-1",
        "GOL|AD|20261102|G-2^Work^L|GOL-2",
        "PRB|AD|20261102|Z56.0^Unemployment^I10C|PRB-2",
        kind="PGL^PC6",
    )

    problems = [{"reference": f"Condition/{one['id']}"} for one in of_type(result, "Condition")]
    (plan,) = of_type(result, "CarePlan")
    assert [goal["addresses"] for goal in of_type(result, "Goal")] == [problems[:1], problems[1:]]
    assert (len(plan["goal"]), plan["addresses"]) == (1, problems[:1])


def test_a_document_that_stays_elsewhere_is_its_address_and_is_written_as_that() -> None:
    lines = ("TXA|1|CN|TX|||||||||D-1", "OBX|1|RP|18748-4^Image^LN||https://images.example/1^^IM^JPEG||||||F")

    result = read(PID, *lines, kind="MDM^T02")
    written = write_message("MDM^T02", result.resources, PACKS.packs["mdm"], OutgoingContext(HEADER)).decode()

    (document,) = of_type(result, "DocumentReference")
    assert document["content"] == [{"attachment": {"contentType": "image/jpeg", "url": "https://images.example/1"}}]
    assert "|RP|CN^^HL70270||https://images.example/1^^image^jpeg|" in written


def test_a_document_that_was_only_told_of_is_written_without_an_empty_file() -> None:
    result = read(PID, "TXA|1|CN|TX|||||||||D-1", kind="MDM^T01")

    written = write_message("MDM^T02", result.resources, PACKS.packs["mdm"], OutgoingContext(HEADER)).decode()

    assert "Base64" not in written


def test_a_referral_names_contacts_of_both_sides_and_who_cares_for_the_person() -> None:
    result = read(
        "RF1|P|R|||R-1",
        "PRD|RP|Refer^Rita||^^^Clinic A",
        "CTD|OF|Desk^Front|||^WPN^PH^^^206^5550122",
        "PRD|RT|||^^^Program B",
        "PRD|CP|Consult^Con",
        "CTD|OF|Other^Desk",
        "PRD|PP|Prim^Pat|||||9999900300^NPI",
        "CTD|OF|Third^Desk",
        PID,
        kind="REF^I12",
    )

    sender, recipient = of_type(result, "Organization")
    (patient,) = of_type(result, "Patient")
    care = next(one for one in of_type(result, "Practitioner") if one["name"][0]["family"] == "Prim")
    assert [one["name"]["family"] for one in sender["contact"]] == ["Desk"]
    assert "contact" not in recipient
    assert patient["generalPractitioner"] == [{"reference": f"Practitioner/{care['id']}"}]
    report = {one.path: one.status for one in result.report()}
    assert (report["PRD-1"], report["CTD-2"], report["CTD[2]-2"], report["CTD[3]-2"]) == (
        "mapped",
        "mapped",
        "kept",
        "kept",
    )
