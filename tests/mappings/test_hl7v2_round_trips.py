"""FHIR to HL7v2 and back: what a row carries comes back, whatever the text, and nothing becomes structure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.maps import FeedContext, OutgoingContext, Sender, read_feed, write_message
from gateway.model.errors import WillNeverWork
from gateway.model.hl7_header import Hl7Header

PACKS = read_hl7_packs()
CONTEXT = FeedContext(b"a key for tests", datetime(2026, 11, 2, 18, tzinfo=UTC), Sender("https://a.example/id", "a"))
HEADER = Hl7Header(("WH",), ("WH",), ("EHR",), ("HOSPITAL",), "20261102100000-0800", "C1", charset="UNICODE UTF-8")

PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}

hostile = st.text(
    st.sampled_from("ab Ä漢😀|^~\\&#\"'\r\n\t\x0b\x1c\x00\x85\u2028M")
    | st.characters(codec="utf-8", categories=("L", "N", "P")),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() and '""' not in text)  # fmt: skip
"""Text full of what HL7v2 separates by; two quotes mean delete, and are tried by themselves."""

lines_broken = str.maketrans(dict.fromkeys("\r\n\x0b\x0c\x85\u2028\u2029", " "))


def one_line(text: str) -> str:
    """Return the text as a field that is no FT holds it: breaks are spaces (HL7 v2.5.1 ch. 2.7), none around it."""
    return text.replace("\r\n", "\n").translate(lines_broken).strip()


def formatted(text: str) -> str:
    """Return the text as FT holds it: every kind of line break is a line break."""
    for mark in ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"):
        text = text.replace(mark, "\n")
    return text.strip()


def sent(kind: str, resources: list[dict[str, Any]], **more: Any) -> tuple[Message, list[dict[str, Any]]]:
    pack = PACKS.for_writing(kind)
    assert pack is not None
    written = write_message(kind, resources, pack, OutgoingContext(HEADER, **more))
    found = read_message(written)
    assert isinstance(found, Message)
    return found, read_feed(found, pack, CONTEXT).resources


def only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [resource for resource in resources if resource["resourceType"] == kind]
    return found


@settings(max_examples=60, deadline=None)
@given(family=hostile, given_name=hostile, street=hostile, city=hostile, number=hostile)
def test_a_person_comes_back_whatever_the_text(
    family: str, given_name: str, street: str, city: str, number: str
) -> None:
    patient = {
        "resourceType": "Patient", "id": "p",
        "identifier": [{"system": "urn:oid:2.999.4", "value": number}],
        "name": [{"use": "official", "family": family, "given": [given_name]}],
        "gender": "other", "birthDate": "1990-01",
        "address": [{"use": "home", "line": [street], "city": city}],
        "telecom": [{"system": "phone", "value": number, "use": "work"}],
    }  # fmt: skip

    message, resources = sent("ADT^A08", [patient])

    back = only(resources, "Patient")
    assert [segment.id for segment in message.segments] == ["MSH", "EVN", "PID"]
    assert back["name"] == [{"use": "official", "family": one_line(family), "given": [one_line(given_name)]}]
    assert back["address"] == [{"use": "home", "line": [one_line(street)], "city": one_line(city)}]
    assert back["telecom"] == [{"use": "work", "system": "phone", "value": one_line(number)}]
    assert back["identifier"] == [{"system": "urn:oid:2.999.4", "value": one_line(number)}]
    assert (back["gender"], back["birthDate"]) == ("other", "1990-01")


@settings(max_examples=60, deadline=None)
@given(code=hostile, display=hostile, text=hostile, note=hostile)
def test_a_result_comes_back_whatever_the_text(code: str, display: str, text: str, note: str) -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}]}
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": text},
        "valueString": text,
        "note": [{"text": note}],
    }  # fmt: skip
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "1-1", "display": display}]},
        "result": [{"reference": "Observation/o"}],
    }  # fmt: skip

    message, resources = sent("ORU^R01", [patient, report, observation])

    back = only(resources, "Observation")
    assert [segment.id for segment in message.segments] == ["MSH", "PID", "OBR", "OBX", "NTE"]
    assert back["valueString"] == formatted(text)
    assert back["note"] == [{"text": formatted(note)}]
    coding = back["code"]["coding"][0]
    assert coding["code"] == one_line(code)
    assert coding.get("display", one_line(code)) == one_line(display)
    assert only(resources, "DiagnosticReport")["result"] == [{"reference": f"Observation/{back['id']}"}]


@settings(max_examples=40, deadline=None)
@given(reason=hostile, remark=hostile, organization=hostile, service=hostile)
def test_a_referral_comes_back_whatever_the_text(reason: str, remark: str, organization: str, service: str) -> None:
    resources = [
        {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}]},
        {"resourceType": "Organization", "id": "o", "active": True, "name": organization,
         "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999900300"}]},
        {"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order", "priority": "stat",
         "identifier": [{"type": PLACER,
                         "system": "https://warmhandoff.example/id/referral", "value": "R-1"}],
         "subject": {"reference": "Patient/p"}, "performer": [{"reference": "Organization/o"}],
         "code": {"coding": [{"system": "http://loinc.org", "code": "1-1"}], "text": service},
         "authoredOn": "2026-11-02T10:00:00-08:00", "reasonCode": [{"text": reason}], "note": [{"text": remark}]},
        {"resourceType": "Task", "id": "t", "status": "accepted", "intent": "order", "for": {"reference": "Patient/p"},
         "focus": {"reference": "ServiceRequest/s"}, "restriction": {"period": {"end": "2026-11-09"}}},
    ]  # fmt: skip

    message, back = sent("REF^I12", resources, notice="The notice.\nIts second line.")

    request, task = only(back, "ServiceRequest"), only(back, "Task")
    assert message.segments[-1].text(3) == "The notice.\nIts second line."
    assert request["reasonCode"] == [{"text": formatted(reason)}]
    assert request["note"] == [{"text": formatted(remark)}]
    assert request["identifier"] == resources[2]["identifier"]
    assert (request["priority"], request["authoredOn"]) == ("stat", "2026-11-02T10:00:00-08:00")
    assert request["code"]["coding"][0] == {"system": "http://loinc.org", "code": "1-1"} | (
        {"display": one_line(service)} if one_line(service) != "1-1" else {}
    )
    assert (task["status"], task["restriction"]) == ("accepted", {"period": {"end": "2026-11-09"}})
    assert only(back, "Organization")["name"] == one_line(organization)


@pytest.mark.parametrize(
    "time", ["2026", "2026-11", "2026-11-02", "2026-11-02T10:15:30-08:00", "2026-11-02T18:15:30.25Z"]
)
def test_a_time_keeps_its_precision_and_its_zone(time: str) -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}]}
    encounter = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "X"},
                 "subject": {"reference": "Patient/p"}, "period": {"start": time}}  # fmt: skip

    _, back = sent("ADT^A08", [patient, encounter])

    assert only(back, "Encounter")["period"] == {"start": time.replace("Z", "+00:00")}


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}},
        {"valueQuantity": {"value": 200, "comparator": "<", "unit": "mg/dL"}},
        {"valueRange": {"low": {"value": 1, "unit": "h"}, "high": {"value": 2, "unit": "h"}}},
        {"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA33-6", "display": "Yes"}]}},
        {"valueDateTime": "2026-11-02"},
        {"valueString": "two\nlines"},
        {},
    ],
)
def test_a_value_of_each_kind_comes_back(value: dict[str, Any]) -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}]}
    observation = {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
                   "code": {"coding": [{"system": "http://loinc.org", "code": "1-1"}]}, **value}  # fmt: skip

    _, back = sent("ADT^A01", [patient, observation])

    found = only(back, "Observation")
    assert {name: one for name, one in found.items() if name.startswith("value")} == value


def test_text_of_two_quotes_does_not_delete() -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}], "name": [{"family": '""'}]}

    message, back = sent("ADT^A08", [patient])

    assert message.text("PID-5.1") == '""'
    assert only(back, "Patient")["name"] == [{"family": '""'}]


def test_a_deletion_is_written_and_read_as_one() -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}]}
    pack = PACKS.for_writing("ADT^A08")
    assert pack is not None

    message, _ = sent("ADT^A08", [patient], deletions=frozenset({("Patient/p", "Patient.birthDate")}))

    assert message.raw_value("PID-7") == '""'
    assert [one.element for one in read_feed(message, pack, CONTEXT).deletions] == ["Patient.birthDate"]


def test_numbers_that_must_not_leave_are_not_written() -> None:
    patient = {
        "resourceType": "Patient", "id": "p",
        "identifier": [
            {"value": "M-1"},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-99-9999"},
            {"type": {"coding": [{"code": "DL"}]}, "value": "D-1"},
        ],
    }  # fmt: skip

    message, _ = sent("ADT^A08", [patient])

    assert message.raw_value("PID-3") == "M-1"


def test_a_kind_that_no_pack_writes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of REF"):
        write_message("REF^I99", [], PACKS.packs["ref"], OutgoingContext(HEADER))


def test_text_outside_of_the_partners_characters_is_refused_rather_than_replaced() -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "M-1"}], "name": [{"family": "漢"}]}
    header = Hl7Header(("WH",), ("WH",), ("EHR",), ("HOSPITAL",), "20261102100000-0800", "C1", charset="8859/1")

    with pytest.raises(WillNeverWork):
        write_message("ADT^A08", [patient], PACKS.packs["adt"], OutgoingContext(header))


def test_a_message_about_nobody_is_refused() -> None:
    with pytest.raises(WillNeverWork):
        write_message("REF^I12", [], PACKS.packs["ref"], OutgoingContext(HEADER))
