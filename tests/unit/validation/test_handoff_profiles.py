"""Our own profiles: a good example of each passes, what each asks beyond R4 is missed, and tables and files agree."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalog import shipped
from gateway.validation import Checker
from tests.unit.validation import examples
from tests.unit.validation.examples import PROFILE, Json

Fault = tuple[str, Callable[[Json], object], str, str]

FAULTS: list[Fault] = [
    ("wh-patient", lambda r: r.pop("identifier"), "min", "Patient.identifier"),
    ("wh-patient", lambda r: r["identifier"][0].pop("system"), "min", "Patient.identifier[0].system"),
    ("wh-patient", lambda r: r.pop("gender"), "min", "Patient.gender"),
    ("wh-patient", lambda r: r.update(name=[{"text": "Avery Specimen"}]), "wh-patient-1", "Patient.name[0]"),
    (
        "wh-patient",
        lambda r: r["identifier"].append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-0000"}),
        "wh-patient-2",
        "Patient.identifier[1]",
    ),
    ("wh-patient", lambda r: r.update(photo=[{"title": "booking"}]), "max", "Patient.photo[0]"),
    ("wh-patient", lambda r: r["telecom"][0].pop("value"), "min", "Patient.telecom[0].value"),
    ("wh-encounter", lambda r: r.pop("serviceProvider"), "min", "Encounter.serviceProvider"),
    ("wh-encounter", lambda r: r.update(type=[{"text": "Contact"}]), "slice-min", "Encounter.type"),
    (
        "wh-encounter",
        lambda r: r.update(subject=examples.to("Group/g")),
        "reference-target",
        "Encounter.subject",
    ),
    ("wh-observation", lambda r: r.pop("category"), "min", "Observation.category"),
    ("wh-observation", lambda r: r.pop("valueBoolean"), "wh-observation-1", "Observation"),
    ("wh-service-request", lambda r: r["identifier"][0].pop("type"), "slice-min", "ServiceRequest.identifier"),
    ("wh-service-request", lambda r: r["category"].pop(0), "slice-min", "ServiceRequest.category"),
    (
        "wh-service-request",
        lambda r: r["category"].append(examples.concept(examples.OWN + "program", "lead")),
        "slice-max",
        "ServiceRequest.category",
    ),
    ("wh-service-request", lambda r: r.update(intent="plan"), "binding-required", "ServiceRequest.intent"),
    ("wh-service-request", lambda r: r["code"].pop("text"), "min", "ServiceRequest.code.text"),
    ("wh-service-request", lambda r: r.pop("requester"), "min", "ServiceRequest.requester"),
    (
        "wh-service-request",
        lambda r: r.update(bodySite=[{"text": "arm"}]),
        "max",
        "ServiceRequest.bodySite[0]",
    ),
    ("wh-task", lambda r: r.update(status="rejected"), "wh-task-1", "Task"),
    ("wh-task", lambda r: r.update(intent="plan"), "fixed", "Task.intent"),
    ("wh-task", lambda r: r.update(code={"text": "do it"}), "pattern", "Task.code"),
    ("wh-task", lambda r: r.pop("focus"), "min", "Task.focus"),
    (
        "wh-task",
        lambda r: r.update(statusReason={"coding": [{"code": "x"}]}),
        "min",
        "Task.statusReason.text",
    ),
    ("wh-consent", lambda r: r["category"].pop(1), "slice-min", "Consent.category"),
    ("wh-consent", lambda r: r.pop("provision"), "wh-consent-1", "Consent"),
    ("wh-consent", lambda r: r.pop("organization"), "min", "Consent.organization"),
    (
        "wh-consent",
        lambda r: r["extension"].append(dict(r["extension"][0])),
        "slice-max",
        "Consent.extension",
    ),
    (
        "wh-consent",
        lambda r: r["extension"][1].update(valueCode="some-day"),
        "binding-required",
        "Consent.extension[1].value",
    ),
    (
        "wh-consent",
        lambda r: r["performer"][0]["extension"][0]["extension"].pop(0),
        "slice-min",
        "Consent.performer[0].extension[0].extension",
    ),
    ("wh-care-plan", lambda r: r["category"].pop(0), "slice-min", "CarePlan.category"),
    ("wh-care-plan", lambda r: r["text"].update(status="empty"), "binding-required", "CarePlan.text.status"),
    ("wh-goal", lambda r: r.update(subject=examples.to("Group/g")), "reference-target", "Goal.subject"),
    ("wh-document-reference", lambda r: r.pop("type"), "min", "DocumentReference.type"),
    (
        "wh-document-reference",
        lambda r: r["content"][0]["attachment"].pop("data"),
        "wh-document-reference-1",
        "DocumentReference.content[0].attachment",
    ),
    ("wh-provenance", lambda r: r.pop("activity"), "min", "Provenance.activity"),
]


@pytest.mark.parametrize("name", examples.PROFILED)
def test_a_good_resource_passes_its_profile(name: str, checker: Checker) -> None:
    resource = examples.PROFILED[name]()

    found = checker.check(resource, {resource["resourceType"]: PROFILE + name})

    assert found.errors == ()


def test_a_whole_handoff_passes_by_default(checker: Checker) -> None:
    assert checker.check(examples.bundle()).errors == ()


@pytest.mark.parametrize(("name", "plant", "rule", "place"), FAULTS, ids=[f"{f[0]} {f[2]} {f[3]}" for f in FAULTS])
def test_what_a_profile_asks_beyond_r4_is_missed(
    name: str, plant: Callable[[Json], object], rule: str, place: str, checker: Checker
) -> None:
    resource = examples.PROFILED[name]()
    plant(resource)

    errors = checker.check(resource, {resource["resourceType"]: PROFILE + name}).errors

    assert [(finding.rule, finding.location) for finding in errors] == [(rule, place)]
    # Our extensions are known to R4 checks too; whatever else is asked, only the profile asks it.
    assert checker.check(resource, {}).is_valid or "extension" in place


def test_a_person_without_a_known_name_says_why(checker: Checker) -> None:
    resource = examples.patient()
    reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    resource["name"] = [{"extension": [reason]}]

    assert checker.check(resource).errors == ()


def test_refused_revoked_and_not_asked_consents_pass(checker: Checker) -> None:
    refused, revoked, not_asked = examples.consent(), examples.consent(), examples.consent()
    refused["provision"] = {"type": "deny"}
    revoked["status"] = "inactive"
    revoked["extension"] = [
        {
            "url": PROFILE + "part2-revocation",
            "extension": [
                {"url": "when", "valueDateTime": "2026-10-05"},
                {"url": "method", "valueCode": "written"},
                {"url": "recipient", "valueReference": {"display": "A clinic"}},
                {"url": "recipient", "valueReference": {"display": "Another clinic"}},
            ],
        }
    ]
    not_asked["status"] = "draft"
    del not_asked["provision"]

    assert [checker.check(item).errors for item in (refused, revoked, not_asked)] == [(), (), ()]


def test_every_profile_is_about_another_type_and_covers_what_we_emit(checker: Checker) -> None:
    assert checker.profiles == {
        examples.PROFILED[name]()["resourceType"]: PROFILE + name for name in sorted(examples.PROFILED)
    }


def test_the_files_are_what_the_tables_say(tmp_path: Path) -> None:
    script = shipped("profiles", "handoff", "make_profiles.py")

    subprocess.run([sys.executable, script, tmp_path], check=True)

    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")}
    kept = {path.name: path.read_text(encoding="utf-8") for path in script.parent.glob("*.json")}
    assert made == kept


@pytest.mark.parametrize(
    ("table", "system"),
    [
        ("behaviors", "behavior"),
        ("dispositions", "disposition"),
        ("natures", "crisis-nature"),
        ("responder-roles", "responder-role"),
        ("safety", "safety"),
        ("services", "service"),
    ],
)
def test_every_code_that_mappings_give_is_in_its_code_system(table: str, system: str) -> None:
    definition = json.loads(shipped("profiles", "handoff", f"CodeSystem-{system}.json").read_bytes())
    with shipped("mappings", "codes", f"{table}.csv").open(encoding="utf-8", newline="") as rows:
        given = {row["target_code"] for row in csv.DictReader(rows)} - {""}

    assert given - {concept["code"] for concept in definition["concept"]} == set()
