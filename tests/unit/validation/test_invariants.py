"""Rules in Python against the same rules in FHIRPath: both must say the same of every sample."""

import json
from typing import Any

import pytest

from gateway.catalog import shipped
from gateway.validation.fhirpath import compile_expression
from gateway.validation.invariants import NATIVE, not_before
from tests.unit.validation import examples
from tests.unit.validation.statuses import allergies, conditions

CODED = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]
}

SAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("ContactPoint", {"value": "555-0100"}),
    ("ContactPoint", {"system": "phone", "value": "555-0100"}),
    ("Attachment", {"data": "QQ=="}),
    ("Attachment", {"data": "QQ==", "contentType": "text/plain"}),
    ("Attachment", {"title": "empty"}),
    ("Quantity", {"value": 1, "code": "mg"}),
    ("Condition", {"resourceType": "Condition", "clinicalStatus": {"text": "x"}}),
    ("Quantity", {"value": 1, "code": "mg", "system": "http://unitsofmeasure.org", "comparator": "<"}),
    ("Extension", {"url": "a", "valueCode": "b"}),
    ("Extension", {"url": "a"}),
    ("Extension", {"url": "a", "valueCode": "b", "extension": [{"url": "c", "valueCode": "d"}]}),
    ("Patient.contact", {"gender": "male"}),
    ("Patient.contact", {"name": {"text": "A"}}),
    ("Organization", {"resourceType": "Organization", "active": True}),
    ("Organization", {"resourceType": "Organization", "name": "A"}),
    ("Organization.address", {"use": "home"}),
    ("Organization.address", {"use": "work"}),
    ("Observation.referenceRange", {"text": "normal"}),
    ("Observation.referenceRange", {"appliesTo": [{"text": "all"}]}),
    ("Observation", {"resourceType": "Observation", "code": {"coding": [{"code": "a"}]}}),
    ("Observation", {"resourceType": "Observation", "valueBoolean": True, "dataAbsentReason": {"text": "x"}}),
    (
        "Observation",
        {
            "resourceType": "Observation",
            "code": {"coding": [{"code": "a"}]},
            "valueBoolean": True,
            "component": [{"code": {"coding": [{"code": "a"}]}}],
        },
    ),
    ("ServiceRequest", {"resourceType": "ServiceRequest", "orderDetail": [{"text": "x"}]}),
    ("ServiceRequest", {"resourceType": "ServiceRequest", "orderDetail": [{"text": "x"}], "code": {"text": "y"}}),
    ("Consent", {"resourceType": "Consent", "status": "active"}),
    ("Consent", {"resourceType": "Consent", "status": "draft", "provision": {"type": "deny"}}),
    ("Consent", {"resourceType": "Consent", "status": "active", "policyRule": {"text": "x"}, "provision": {}}),
    ("CarePlan.activity", {"detail": {"status": "unknown"}, "reference": {"reference": "Task/1"}}),
    ("CarePlan.activity", {"detail": {"status": "unknown"}}),
    ("Goal.target", {"detailString": "x"}),
    ("Goal.target", {"detailString": "x", "measure": {"text": "y"}}),
    ("Group", {"resourceType": "Group", "actual": False, "member": [{"entity": {"reference": "Patient/1"}}]}),
    ("AuditEvent.entity", {"name": "x", "query": "eA=="}),
    ("Condition", {"resourceType": "Condition", "verificationStatus": CODED, "clinicalStatus": {"text": "x"}}),
    *(("Condition", value) for value in conditions()),
    *(("AllergyIntolerance", value) for value in allergies()),
    ("Bundle", {"resourceType": "Bundle", "type": "collection", "total": 3}),
    ("Bundle", {"resourceType": "Bundle", "type": "searchset", "total": 3, "entry": [{"search": {"mode": "match"}}]}),
    ("Bundle", {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Patient"}}]}),
    ("Bundle", {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "200"}}]}),
    ("Bundle", {"resourceType": "Bundle", "type": "document", "entry": [{"resource": {"resourceType": "Patient"}}]}),
    (
        "Bundle",
        {
            "resourceType": "Bundle",
            "type": "document",
            "identifier": {"system": "urn:a", "value": "b"},
            "timestamp": "2026-10-02T08:00:00Z",
            "entry": [{"resource": {"resourceType": "Composition"}}],
        },
    ),
    ("Bundle", {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": "Patient"}}]}),
    ("Bundle", {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:a"}, {"fullUrl": "urn:a"}]}),
    ("Bundle.entry", {"fullUrl": "http://x.example/Patient/1/_history/2"}),
    ("Bundle.entry", {"request": {"method": "GET", "url": "Patient"}}),
    ("Patient.identifier", {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "0"}),
    ("Patient.identifier", {"system": "urn:a", "value": "0", "type": {"coding": [{"code": "DL"}]}}),
    ("Patient.identifier", {"system": "urn:a", "value": "0"}),
    ("Patient.name", {"text": "A"}),
    ("Patient.name", {"given": ["A"]}),
    ("Task", {"resourceType": "Task", "status": "rejected"}),
    ("Task", {"resourceType": "Task", "status": "requested"}),
    (
        "Patient",
        {"resourceType": "Patient", "contained": [{"resourceType": "Group", "id": "a", "meta": {"versionId": "1"}}]},
    ),
    (
        "Patient",
        {
            "resourceType": "Patient",
            "generalPractitioner": [{"reference": "#a"}],
            "contained": [{"resourceType": "Group", "id": "a", "contained": [{"resourceType": "Group"}]}],
        },
    ),
    ("Reference", {"reference": "Patient/1", "contained": [{"id": "a"}]}),
    ("Reference", {"reference": "#a", "contained": [{"id": "a"}]}),
    ("Reference", {"reference": "#b", "contained": [{"id": "a"}]}),
    ("DocumentReference.content.attachment", {"contentType": "text/plain"}),
    ("DocumentReference.content.attachment", {"url": "urn:a"}),
    *((make()["resourceType"], make()) for make in examples.PROFILED.values()),
]

ENGINE_PATHS = {
    "Patient.identifier": "Identifier",
    "Patient.name": "HumanName",
    "Organization.address": "Address",
    "DocumentReference.content.attachment": "Attachment",
}
"""The engine knows a datatype by its name, wherever it stands."""

DIFFERS = (
    "start.hasValue().not() or end.hasValue().not() or (start <= end)",
    "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn",
    "probability is decimal implies (probability as decimal) <= 100",
    next(rule for rule in NATIVE if "trace('unmatched'" in rule),
)
"""Rules where the engine's answer is not FHIR's, or there is none (dom-3); what is right is tested by name."""


def _paths_by_rule() -> dict[str, set[str]]:
    """Return where each invariant is asked, by the R4 facts and our profiles."""
    facts = json.loads(shipped("profiles", "r4", "structures.json").read_bytes())["structures"].values()
    elements = [element for structure in facts for element in structure["elements"]]
    for path in shipped("profiles", "handoff").glob("StructureDefinition-wh-*.json"):
        elements += json.loads(path.read_bytes())["snapshot"]["element"]
    found: dict[str, set[str]] = {}
    for element in elements:
        for rule in element.get("constraint", []):
            found.setdefault(rule["expression"], set()).add(element["path"])
    return found


PATHS = _paths_by_rule()


@pytest.mark.parametrize("expression", [rule for rule in NATIVE if rule not in DIFFERS], ids=lambda rule: rule[:60])
def test_python_and_fhirpath_agree(expression: str) -> None:
    samples = [(path, value) for path, value in SAMPLES if path in PATHS[expression]]
    engine = {path: compile_expression(expression, ENGINE_PATHS.get(path, path)) for path, _ in samples}

    by_hand = [NATIVE[expression](value, value, value) for _, value in samples]

    assert samples
    assert by_hand == [engine[path](value, value, value) for path, value in samples]


def test_a_probability_over_a_hundred_is_refused_and_none_is_not() -> None:
    holds = NATIVE["probability is decimal implies (probability as decimal) <= 100"]

    assert [holds(value, {}, {}) for value in ({"probabilityDecimal": 101}, {"probabilityDecimal": 5}, {})] == [
        False,
        True,
        True,
    ]


def test_a_period_of_partial_dates_is_broken_only_where_the_shared_precision_says_so() -> None:
    assert not_before("2026-05", "2026") is True
    assert not_before("2025", "2026-05") is False
    assert not_before("2026-10-01", "2026-10-01T23:00:00-07:00") is True
    assert not_before("2026-10-01T10:00:00-08:00", "2026-10-01T17:30:00Z") is True
    assert not_before("2026-10-01T10:00:00-08:00", "2026-10-01T18:30:00Z") is False
    assert not_before("2026-10-01T10:00:00", "2026-10-01T18:30:00Z") is True
    assert not_before(None, "2026") is True
