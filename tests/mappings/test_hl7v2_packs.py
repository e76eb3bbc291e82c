"""What the HL7v2 packs promise: examples in both directions, every public message, whole reports, no mix of persons."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.bench.admission import sample_admission
from gateway.catalog.hl7v2_packs import hl7_pack_folders, read_hl7_packs
from gateway.catalog.profiles import load_checker
from gateway.cli.hl7_packs import hl7_example, hl7_examples
from gateway.cli.pack_examples import differences
from gateway.formats.hl7v2 import Message, read_message, split_batch
from gateway.formats.hl7v2.maps import FeedContext, FeedResult, Sender, read_feed
from tests.support.shared_data import shared_data

PACKS = read_hl7_packs()
HOSPITAL = Sender("https://warmhandoff.example/id/partner", "sample-hospital", "Sample Hospital")
CONTEXT = FeedContext(b"a key for tests", datetime(2026, 11, 2, 18, tzinfo=UTC), HOSPITAL)
EXAMPLES = [(name, source) for name, folder in hl7_pack_folders().items() for source in hl7_examples(folder)]
PID = "PID|1||M-1^^^SAMPLE^MR||Testperson^Alma||19900101|F"


def message(*lines: str, kind: str = "ADT^A01", zone: str = "-0800", control_id: str = "C1") -> Message:
    header = f"MSH|^~\\&|EHR|SAMPLE HOSPITAL|G|WH|20261102101500{zone}||{kind}|{control_id}|P|2.5.1"
    found = read_message("\r".join((header, *lines)).encode())
    assert isinstance(found, Message)
    return found


def read(
    *lines: str, kind: str = "ADT^A01", zone: str = "-0800", partner: str = "", control_id: str = "C1"
) -> FeedResult:
    found = message(*lines, kind=kind, zone=zone, control_id=control_id)
    pack = PACKS.for_message(found.text("MSH-9.1"), found.text("MSH-9.2"), partner)
    assert pack is not None
    return read_feed(found, pack, CONTEXT)


def of_type(result: FeedResult, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in result.resources if resource["resourceType"] == kind]


def public_messages() -> Iterator[tuple[str, Message]]:
    for path in sorted(shared_data("exchange", "hl7v2").glob("*/*.hl7")):
        for number, content in enumerate(split_batch(path.read_bytes()).messages, 1):
            found = read_message(content)
            assert isinstance(found, Message), path.name
            yield f"{path.name} {number}", found


# Examples


@pytest.mark.parametrize(("pack", "source"), EXAMPLES, ids=[f"{pack}/{one.name}" for pack, one in EXAMPLES])
def test_an_example_becomes_what_is_written_beside_it_and_back(pack: str, source: Path) -> None:
    assert list(differences(hl7_example(PACKS, source))) == []


@pytest.mark.parametrize("pack", hl7_pack_folders())
def test_a_pack_shows_an_example(pack: str) -> None:
    assert any(True for _ in hl7_examples(hl7_pack_folders()[pack]))


# Public messages


def test_every_public_message_becomes_valid_r4() -> None:
    checker = load_checker()

    for name, found in public_messages():
        pack = PACKS.for_message(found.text("MSH-9.1"), found.text("MSH-9.2"))
        assert pack is not None, name
        bundle = read_feed(found, pack, CONTEXT).bundle()
        assert list(checker.check(bundle, {}).errors) == [], name


def test_every_field_of_every_public_message_is_in_its_report() -> None:
    for name, found in public_messages():
        pack = PACKS.for_message(found.text("MSH-9.1"), found.text("MSH-9.2"))
        assert pack is not None
        report = read_feed(found, pack, CONTEXT).report()
        expected = sum(
            bool(segment.raw_value(field, repetition=repetition))
            for segment in found.segments
            for field in range(1, len(segment.fields))
            for repetition in range(1, segment.repetitions(field) + 1)
        )
        assert len(report) == expected, name
        assert all(one.rule for one in report), name
        assert all(one.target for one in report if one.status == "mapped" and one.path.startswith("PID")), name


def test_a_message_comes_out_the_same_twice() -> None:
    for _, found in public_messages():
        pack = PACKS.for_message(found.text("MSH-9.1"), found.text("MSH-9.2"))
        assert pack is not None
        assert read_feed(found, pack, CONTEXT).resources == read_feed(found, pack, CONTEXT).resources


# Who it is about


def test_the_same_visit_in_two_messages_is_one_encounter() -> None:
    visit = "PV1|1|E|ED" + "|" * 16 + "V-1^^^SAMPLE^VN"

    admitted, discharged = read(PID, visit), read(PID, visit, kind="ADT^A03")

    assert of_type(admitted, "Encounter")[0]["id"] == of_type(discharged, "Encounter")[0]["id"]
    assert of_type(admitted, "Patient")[0]["id"] == of_type(discharged, "Patient")[0]["id"]
    assert [of_type(one, "Encounter")[0]["status"] for one in (admitted, discharged)] == ["in-progress", "finished"]


def test_numbers_of_two_senders_are_two_persons() -> None:
    found = message(PID)
    other = FeedContext(CONTEXT.key, CONTEXT.at, Sender(HOSPITAL.system, "other-hospital"))

    ours, theirs = (read_feed(found, PACKS.packs["adt"], context) for context in (CONTEXT, other))

    assert of_type(ours, "Patient")[0]["id"] != of_type(theirs, "Patient")[0]["id"]


def test_what_follows_a_second_person_is_about_the_second() -> None:
    result = read(
        PID, "PV1|1|E|" + "|" * 15 + "|V-1", "DG1|1||F32.9^Depression^I10C",
        "PID|2||M-2^^^SAMPLE^MR||Mockname^Bo", "DG1|1||F41.9^Anxiety^I10C",
    )  # fmt: skip

    first, second = of_type(result, "Patient")
    conditions = {one["code"]["coding"][0]["code"]: one for one in of_type(result, "Condition")}
    assert conditions["F32.9"]["subject"]["reference"] == f"Patient/{first['id']}"
    assert conditions["F41.9"]["subject"]["reference"] == f"Patient/{second['id']}"
    assert "encounter" not in conditions["F41.9"]


def test_a_merge_names_the_person_who_is_replaced() -> None:
    result = read(PID, "MRG|M-9^^^SAMPLE^MR", kind="ADT^A40")

    survivor, ended = of_type(result, "Patient")
    assert (survivor.get("active"), ended["active"]) == (None, False)
    assert ended["link"] == [{"type": "replaced-by", "other": {"reference": f"Patient/{survivor['id']}"}}]


def test_the_sender_signs_for_all_that_is_about_a_person() -> None:
    result = read(PID, "PV1|1|E|ED^1", "DG1|1||F32.9^Depression^I10C")

    [provenance] = of_type(result, "Provenance")
    assert [one["reference"].partition("/")[0] for one in provenance["target"]] == ["Patient", "Encounter", "Condition"]
    assert provenance["agent"][0]["who"]["identifier"] == {"system": HOSPITAL.system, "value": "sample-hospital"}


def test_a_sender_nobody_registered_is_named_by_its_facility() -> None:
    result = read_feed(message(PID), PACKS.packs["adt"], FeedContext(CONTEXT.key, CONTEXT.at))

    who = of_type(result, "Provenance")[0]["agent"][0]["who"]
    assert who["identifier"] == {
        "system": "https://warmhandoff.example/id/hl7v2-facility",
        "value": "SAMPLE HOSPITAL",
    }


# What is never taken


@pytest.mark.parametrize(
    "number", ["999-99-9999^^^USSSA^SS", "999-99-9999^^^SSA", "D-1^^^WA^DL", "999999999^^^&2.16.840.1.113883.4.1&ISO"]
)
def test_social_security_and_licence_numbers_never_become_fhir(number: str) -> None:
    result = read(f"PID|1||M-1^^^SAMPLE^MR~{number}||Testperson|||||2106-3|||||||||999-99-9999|D-1")

    assert [one["value"] for one in of_type(result, "Patient")[0]["identifier"]] == ["M-1"]
    assert "999" not in str([resource for resource in result.resources if resource["resourceType"] != "Provenance"])


def test_a_restriction_of_the_sender_is_on_every_resource_it_is_about() -> None:
    result = read(PID, "PV1|1|E", "PV2|" + "|" * 20 + "|Y")

    labels = {one["resourceType"]: one.get("meta", {}).get("security", []) for one in result.resources}
    assert [label["code"] for label in labels["Encounter"]] == ["R"]


# Three states of a field


def test_two_quotes_ask_to_delete_and_empty_fields_say_nothing() -> None:
    result = read('PID|1||M-1^^^SAMPLE^MR||Testperson^Alma||""|F||||||""')

    patient = of_type(result, "Patient")[0]
    assert "birthDate" not in patient
    assert [(one.path, one.element, one.reference) for one in result.deletions] == [
        ("PID-7", "Patient.birthDate", f"Patient/{patient['id']}"),
        ("PID-14", "Patient.telecom[]", f"Patient/{patient['id']}"),
    ]


def test_everything_an_admission_can_hold_is_valid() -> None:
    found = read_message(sample_admission())
    assert isinstance(found, Message)

    result = read_feed(found, PACKS.packs["adt"], CONTEXT)

    assert len(result.resources) >= 11
    assert list(load_checker().check(result.bundle(), {}).errors) == []


# Broken messages


def test_a_segment_out_of_place_is_still_read() -> None:
    result = read("DG1|1||F32.9^Depression^I10C", PID, "AL1|1|DA|^Penicillin")

    assert len(of_type(result, "AllergyIntolerance")) == 1
    assert len(of_type(result, "Condition")) == 1


def test_a_code_no_table_knows_is_kept_and_reported() -> None:
    result = read("PID|1||M-1||Testperson|||Q")

    assert "gender" not in of_type(result, "Patient")[0]
    assert {one.path: one.status for one in result.report()}["PID-8"] == "kept"


def test_a_time_without_offset_has_that_of_the_message() -> None:
    visit = "PV1|1|E" + "|" * 42 + "20261102101400"

    assert of_type(read(PID, visit), "Encounter")[0]["period"] == {"start": "2026-11-02T10:14:00-08:00"}
    assert of_type(read(PID, visit, zone=""), "Encounter")[0]["period"] == {"start": "2026-11-02"}


def test_a_thousand_results_take_ten_times_as_long_as_a_hundred() -> None:
    lines = [f"OBX|{n}|NM|8867-4^Heart rate^LN||{n}||||||F|||20261102" for n in range(1, 1001)]

    result = read(PID, "OBR|1|||44249-1^PHQ-9^LN", *lines, kind="ORU^R01")

    assert len(of_type(result, "Observation")) == 1000
    assert len(of_type(result, "DiagnosticReport")[0]["result"]) == 1000


def test_lines_of_text_are_one_document_and_a_file_stands_by_itself() -> None:
    result = read(
        PID, "TXA|1|CN|TX||||||||||D-1", "OBX|1|TX|1^Note||First line||||||F", "OBX|2|TX|1^Note||Second~Third||||||F",
        "OBX|3|ED|1^Note||^application^pdf^Base64^JVBERi0=||||||F", kind="MDM^T02",
    )  # fmt: skip

    attachments = [one["attachment"] for one in of_type(result, "DocumentReference")[0]["content"]]
    assert attachments == [
        {"contentType": "text/plain; charset=utf-8", "data": "Rmlyc3QgbGluZQpTZWNvbmQKVGhpcmQ="},
        {"contentType": "application/pdf", "data": "JVBERi0="},
    ]


# Beside the official maps


def test_a_problem_or_an_allergy_entered_in_error_has_no_course() -> None:
    problem = read(PID, "PRB|DE|20261102|F32.9^Depression^I10|P-1^EHR", kind="PPR^PC1")
    allergy = read(PID, "IAM|1|DA|70618^Penicillin^RXNORM|SV||D|A-1^EHR", kind="ADT^A60")

    for found in (*of_type(problem, "Condition"), *of_type(allergy, "AllergyIntolerance")):
        assert found["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
        assert "clinicalStatus" not in found


def test_a_third_coding_is_read() -> None:
    result = read(PID, "DG1|1||F32.9^Depression^I10^35489007^Depressive disorder^SCT^^^^D-1^Low^99EHR")

    assert [one["code"] for one in of_type(result, "Condition")[0]["code"]["coding"]] == ["F32.9", "35489007", "D-1"]


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("NR", "3^7", {"valueRange": {"low": {"value": 3, "unit": "mg"}, "high": {"value": 7, "unit": "mg"}}}),
        ("DR", "20261101^20261102", {"valuePeriod": {"start": "2026-11-01", "end": "2026-11-02"}}),
        ("SN", ">^1^:^128", {
            "valueRatio": {"numerator": {"value": 1, "comparator": ">", "unit": "mg"}, "denominator": {"value": 128}}
        }),
        ("SN", "^1^+", {"valueString": "^1^+"}),
        ("TX", "one~two", {"valueString": "one\ntwo"}),
        ("TM", "1315", {"valueTime": "13:15:00"}),
        ("TM", "131502.25", {"valueTime": "13:15:02.25"}),
        ("TM", "1315-0800", {"valueString": "1315-0800"}),
    ],
)  # fmt: skip
def test_a_value_keeps_its_kind(kind: str, said: str, expected: dict[str, Any]) -> None:
    result = read(PID, "OBR|1|||1-1^Panel^LN", f"OBX|1|{kind}|2-2^Item^LN||{said}|mg|||||F", kind="ORU^R01")

    observation = of_type(result, "Observation")[0]
    assert {name: value for name, value in observation.items() if name.startswith("value")} == expected


def test_who_takes_part_is_read_from_2_7_on_too() -> None:
    result = read(
        PID,
        "PRT||AD||PP^Primary Care Provider^HL70443|1^Doctor^Sam",
        "PV1|1|E",
        "PRT||AD||AT^Attending^HL70443|2^Doctor^Kim",
    )

    (visit,) = of_type(result, "Encounter")
    assert len(of_type(result, "Patient")[0]["generalPractitioner"]) == 1
    assert [part["type"][0]["coding"][0]["code"] for part in visit["participant"]] == ["AT"]


def test_a_document_names_the_order_it_answers() -> None:
    result = read(PID, "ORC|RE|O-1^EHR", "TXA|1|CN|TX|20261102|||||||D-1^EHR", "OBX|1|TX|11488-4||Seen", kind="MDM^T02")

    (document,) = of_type(result, "DocumentReference")
    related = [one["identifier"]["value"] for one in document["context"]["related"]]
    assert related == ["O-1"]


def test_a_sender_says_eng_and_everybody_reads_english() -> None:
    result = read(PID + "|||||||eng")

    spoken = of_type(result, "Patient")[0]["communication"][0]["language"]["coding"]
    assert [(one["system"], one["code"]) for one in spoken] == [
        ("urn:ietf:bcp:47", "en"),
        ("http://terminology.hl7.org/CodeSystem/v2-0296", "eng"),
    ]


def test_a_word_that_no_table_has_is_no_code_of_its_system() -> None:
    result = read(PID + "||||||||Married", "NK1|1|Testperson^Bo|Mother")

    assert of_type(result, "Patient")[0]["maritalStatus"] == {"text": "Married"}
    assert of_type(result, "RelatedPerson")[0]["relationship"] == [{"text": "Mother"}]


def test_a_number_that_looks_like_social_security_is_left_out_unless_it_is_said_to_be_another() -> None:
    result = read("PID|1||999-99-9999~999-99-9998^^^SAMPLE^MR||Testperson^Alma")

    assert [one["value"] for one in of_type(result, "Patient")[0]["identifier"]] == ["999-99-9998"]


def test_an_appointment_is_when_tq1_says_and_its_notes_are_one_comment() -> None:
    result = read(
        "SCH|A-1|B-1||||^Checkup|||||^^^20261001100000-0800^20261001110000-0800||||||||||||||Booked",
        "TQ1|1||||||20261109100000-0800|20261109103000-0800",
        "NTE|1||First line",
        "NTE|2||Second line",
        PID,
        "RGS|1",
        "AIS|1||X^Visit^L",
        "NTE|1||Bring your card",
        kind="SIU^S12",
    )

    (appointment,) = of_type(result, "Appointment")
    assert (appointment["start"], appointment["end"]) == ("2026-11-09T10:00:00-08:00", "2026-11-09T10:30:00-08:00")
    assert appointment["comment"] == "First line\nSecond line\nBring your card"


def test_what_goes_with_an_order_is_what_supports_it() -> None:
    result = read(
        PID, "ORC|NW|O-1^EHR", "OBR|1|O-1^EHR||1-1^Visit^LN", "OBX|1|NM|8867-4^Heart rate^LN||72||||||F",
        "OBX|2|ED|57133-1^Referral note^LN||^application^pdf^Base64^JVBERi0=||||||F", kind="ORM^O01",
    )  # fmt: skip

    (order,) = of_type(result, "ServiceRequest")
    found = [of_type(result, kind)[0]["id"] for kind in ("Observation", "DocumentReference")]
    assert [one["reference"].partition("/")[2] for one in order["supportingInfo"]] == found


def test_of_a_pair_of_numbers_the_placers_is_read() -> None:
    result = read(PID, "ORC|NW|O-1^EHR", "OBR|1|O-1^EHR||1-1^Visit^LN" + "|" * 25 + "O-0&EHR^L-0&LAB", kind="ORM^O01")

    parent = of_type(result, "ServiceRequest")[0]["basedOn"][0]["identifier"]
    assert parent == {"system": "https://warmhandoff.example/id/hl7v2/EHR", "value": "O-0"}


def test_a_comment_of_a_referral_is_a_remark_and_of_a_refusal_the_reason() -> None:
    said = {}
    for status in ("P", "R"):
        referral = f"RF1|{status}|||||R-1^EHR" + "|" * 18 + "Come back later"
        said[status] = of_type(read(referral, "PRD|RP|Doctor^Sam", PID, kind="REF^I12"), "Task")[0]

    assert said["P"]["note"] == [{"text": "Come back later"}]
    assert "statusReason" not in said["P"]
    assert said["R"]["statusReason"] == {"text": "Come back later"}


def test_how_an_allergy_showed_is_read() -> None:
    result = read(PID, "IAM|1|FA|^Peanuts|||A|A-1", "IAR|1^Rash^99EHR|MI", kind="ADT^A60")

    (reaction,) = of_type(result, "AllergyIntolerance")[0]["reaction"]
    assert (reaction["manifestation"][0]["coding"][0]["display"], reaction["severity"]) == ("Rash", "mild")
