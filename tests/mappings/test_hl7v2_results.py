"""Results as laboratories send them: numbers that are shared, corrections, times told once for a group."""

from typing import Any

import pytest

from tests.mappings.test_hl7v2_packs import PID, of_type, read

ORDER = "ORC|RE|P-1^EHR|F-1^LAB"
PANEL = "OBR|1|P-1^EHR|F-1^LAB|24323-8^Metabolic panel^LN|||20261102080000"


def results(*lines: str, control_id: str = "C1") -> list[dict[str, Any]]:
    return of_type(read(PID, ORDER, PANEL, *lines, kind="ORU^R01", control_id=control_id), "Observation")


def test_a_correction_without_a_time_of_its_own_is_the_same_result_again() -> None:
    (first,) = results("OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||P", control_id="C1")
    _, second = results(
        "OBX|1|NM|2951-2^Sodium^LN||140|mmol/L|||||F",
        "OBX|2|NM|2345-7^Glucose^LN||96|mg/dL|||||C|||20261102080500",
        control_id="C2",
    )

    assert (second["id"], second["status"]) == (first["id"], "corrected")


def test_lines_under_one_code_are_results_of_their_own() -> None:
    lines = results(*(f"OBX|{n}|TX|18748-4^Report^LN||line {n}||||||F" for n in (1, 2, 3)))
    again = results(*(f"OBX|{n}|TX|18748-4^Report^LN||line {n}||||||F" for n in (1, 2, 3)), control_id="C2")

    assert [one["valueString"] for one in lines] == ["line 1", "line 2", "line 3"]
    assert len({one["id"] for one in lines}) == 3
    assert [one["id"] for one in again] == [one["id"] for one in lines]


def test_two_reports_under_one_number_of_the_laboratory_stay_two() -> None:
    result = read(
        PID,
        ORDER,
        PANEL,
        "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F",
        "OBR|2|P-2^EHR|F-1^LAB|58410-2^Blood count^LN|||20261102080000",
        "OBX|1|NM|718-7^Hemoglobin^LN||14|g/dL|||||F",
        kind="ORU^R01",
    )

    reports = of_type(result, "DiagnosticReport")
    assert [one["code"]["coding"][0]["code"] for one in reports] == ["24323-8", "58410-2"]
    assert [len(one["result"]) for one in reports] == [1, 1]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("", {"effectiveDateTime": "2026-11-02T08:00:00-08:00"}),
        ("20261102081500", {"effectiveDateTime": "2026-11-02T08:15:00-08:00"}),
    ],
)
def test_a_result_is_of_the_time_of_its_group_unless_it_states_one(stated: str, expected: dict[str, str]) -> None:
    (result,) = results(f"OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F|||{stated}")

    assert {name: value for name, value in result.items() if name.startswith("effective")} == expected


def test_an_order_that_names_nobody_is_of_whom_its_result_names() -> None:
    obr = f"{PANEL}||||||anxious|||1234^Doctor^Sam|||||||||||||||R45.851^Suicidal ideation^I10C"

    result = read(PID, "ORC|RE|P-1^EHR|F-1^LAB|||||||||", obr, kind="ORU^R01")

    (request,) = of_type(result, "ServiceRequest")
    (doctor,) = of_type(result, "Practitioner")
    assert request["requester"] == {"reference": f"Practitioner/{doctor['id']}"}
    assert request["reasonCode"][0]["coding"][0]["code"] == "R45.851"
    assert request["note"] == [{"text": "anxious"}]


@pytest.mark.parametrize("reader", ["77&Reader&Kim^20261102", "77^Reader^Kim"])
def test_who_read_a_result_is_named_as_the_standard_has_it_and_as_many_send_it(reader: str) -> None:
    result = read(PID, ORDER, PANEL + "|" * 25 + reader, kind="ORU^R01")

    (report,) = of_type(result, "DiagnosticReport")
    (practitioner,) = of_type(result, "Practitioner")
    assert report["resultsInterpreter"] == [{"reference": f"Practitioner/{practitioner['id']}"}]
    assert (practitioner["identifier"][0]["value"], practitioner["name"][0]["family"]) == ("77", "Reader")


def test_two_quotes_take_a_value_away_and_leave_the_question() -> None:
    result = read(PID, ORDER, PANEL, 'OBX|1|NM|2345-7^Glucose^LN||""||||||D', kind="ORU^R01")

    (observation,) = of_type(result, "Observation")
    assert [(one.reference, one.element) for one in result.deletions] == [
        (f"Observation/{observation['id']}", "Observation.value[x]")
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("^application^pdf^Base64^", "application/pdf"),
        ("EHR^IMAGE^PDF^Base64^", "application/pdf"),
        ("^AP^RTF^Base64^", "application/rtf"),
        ("^IM^JPEG^Base64^", "image/jpeg"),
        ("^TEXT^^Base64^", "text/plain"),
        ("^AP^^Base64^", "application/octet-stream"),
    ],
)
def test_a_file_has_the_type_that_its_sender_means(told: str, expected: str) -> None:
    result = read(PID, ORDER, PANEL, f"OBX|1|ED|11488-4^Note^LN||{told}JVBERi0=||||||F", kind="ORU^R01")

    (document,) = of_type(result, "DocumentReference")
    assert document["content"] == [{"attachment": {"contentType": expected, "data": "JVBERi0="}}]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LN", "http://loinc.org"),
        ("2.16.840.1.113883.6.1", "http://loinc.org"),
        ("urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct"),
        ("http://loinc.org", "http://loinc.org"),
        ("2.999.7", "urn:oid:2.999.7"),
        ("OUR OWN", "https://warmhandoff.example/id/hl7v2/OUR%20OWN"),
    ],
)
def test_a_code_system_has_one_name_however_it_is_told(name: str, expected: str) -> None:
    (result,) = results(f"OBX|1|CWE|8251-1^Comment^LN||A^B^{name}||||||F")

    assert result["valueCodeableConcept"]["coding"][0]["system"] == expected


def test_the_results_in_a_referral_say_nothing_of_who_refers_or_why() -> None:
    result = read(
        "RF1|P|R|||||||||",
        PID,
        f"{PANEL}|||||||||1234^Doctor^Sam|||||||||||||||R05^Cough^I10C",
        "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F",
        kind="REF^I12",
    )

    (request,) = of_type(result, "ServiceRequest")
    assert "requester" not in request
    assert "reasonCode" not in request


def test_the_groups_of_our_own_referral_are_no_reports() -> None:
    result = read(
        "RF1|P|R|||R-1",
        PID,
        "OBR|1|||CONTACT^Observations of the contact^L",
        "OBX|1|CWE|B-1^Behavior^L||Y^Yes^HL70136||||||F",
        "OBR|2|||DOCUMENTS^Documents^L",
        "OBX|1|ED|57133-1^Referral note^LN||^application^pdf^Base64^JVBERi0=||||||F",
        kind="REF^I12",
    )

    assert of_type(result, "DiagnosticReport") == []
    assert len(of_type(result, "Observation")) == len(of_type(result, "DocumentReference")) == 1
