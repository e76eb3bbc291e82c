"""`Consent/$evaluate` and the CDS Hooks consult through Flask's client: shapes, refusals, and one no for everything."""

from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.exchange import Problem
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY, COUNSELING_NOTES
from tests.support.web_house import Site

pytest_plugins = ("tests.support.sites",)

EVALUATE = "/fhir/R4/Consent/$evaluate"
HOOK = "/cds-services/patient-consent-consult"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
TYPES = "http://hl7.org/fhir/resource-types"
OBLIGATION = "https://warmhandoff.example/fhir/CodeSystem/obligation"
A_YES = Advice(
    True,
    ("LABEL", "NOTICE"),
    ((ACT_CODE, "42CFRPart2"), (ACT_CODE, "CPLYCD"), (CONFIDENTIALITY, "R")),
    "c-tpo",
    ("Condition", "Patient"),
)
REDACTED = (
    *((ACT_CODE, code) for code in (
        "BH", "COGN", "DRGIS", "DVD", "EMOTDIS", "ETH", "ETHUD", "HIPAAPsyNotes", "HIV", "MH", "OPIOIDUD", "PSY",
        "PSYTHPN", "SDV", "SEX", "SICKLE", "STD", "SUD", "TBOO", "Title38Section7332", "VIO",
    )),
    (CONFIDENTIALITY, "V"),
    COUNSELING_NOTES,
    *((TYPES, code) for code in (
        "CarePlan", "Consent", "DocumentReference", "Encounter", "Flag", "Goal", "Observation", "ServiceRequest",
        "Task",
    )),
)  # fmt: skip
PATIENT = {"name": "patient", "valueReference": {"reference": "Patient/p1"}}
CONTEXT = {
    "patientId": [{"system": "urn:oid:2.999.1", "value": "A1"}],
    "actor": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999999001"}],
    "purposeOfUse": ["TREAT"],
}


def evaluate(site: Site, *parameter: Any, client: str | None = "demo-ehr") -> TestResponse:
    body = orjson.dumps({"resourceType": "Parameters", "parameter": list(parameter)})
    return site.client(client).post(EVALUATE, data=body, content_type="application/fhir+json")


def hook(site: Site, client: Any = "demo-ehr", **context: Any) -> TestResponse:
    body = {"hook": "patient-consent-consult", "hookInstance": "i-1", "context": {**CONTEXT, **context}}
    return site.client(client).post(HOOK, json=body)


def asked(site: Site) -> Consult:
    ((_, client, question),) = site.house.asked
    assert client == "demo-ehr"
    assert isinstance(question, Consult)
    return question


def test_the_question_as_parameters_reaches_the_house_whole(site: Site) -> None:
    answer = evaluate(
        site,
        PATIENT,
        {"name": "patient", "valueIdentifier": {"system": "urn:oid:2.999.1", "value": "A1"}},
        {"name": "purpose", "valueCoding": {"system": REASON, "code": "TREAT"}},
        {"name": "purpose", "valueCode": "COC"},
        {"name": "purpose", "valueCoding": {"system": "urn:own", "code": "duty"}},
        {"name": "actor", "valueReference": {"identifier": {"system": "urn:npi", "value": "1"}}},
        {"name": "class", "valueCode": "Observation"},
        {"name": "securityLabel", "valueCoding": {"system": ACT_CODE, "code": "SUD"}},
    )

    assert answer.status_code == 200, answer.text
    assert asked(site) == Consult(
        patient=("Patient/p1", "urn:oid:2.999.1|A1"),
        purpose=("TREAT", "COC", "urn:own|duty"),
        actor=("urn:npi|1",),
        types=frozenset({"Observation"}),
        labels=frozenset({(ACT_CODE, "SUD")}),
    )


def test_a_permit_tells_what_it_obliges_to(site: Site) -> None:
    site.house.advice = A_YES

    answer = evaluate(site, PATIENT)

    assert answer.content_type == "application/fhir+json"
    assert answer.json == {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "decision", "valueCode": "permit"},
            {"name": "obligation", "valueCoding": {"system": OBLIGATION, "code": "LABEL"}},
            {"name": "obligation", "valueCoding": {"system": OBLIGATION, "code": "NOTICE"}},
            {"name": "securityLabel", "valueCoding": {"system": ACT_CODE, "code": "42CFRPart2"}},
            {"name": "securityLabel", "valueCoding": {"system": ACT_CODE, "code": "CPLYCD"}},
            {"name": "securityLabel", "valueCoding": {"system": CONFIDENTIALITY, "code": "R"}},
            {"name": "basedOn", "valueReference": {"reference": "Consent/c-tpo"}},
        ],
    }


def test_a_denial_is_the_decision_and_nothing_else(site: Site) -> None:
    site.house.advice = DENIED

    assert evaluate(site, PATIENT).json == {
        "resourceType": "Parameters",
        "parameter": [{"name": "decision", "valueCode": "deny"}],
    }


@pytest.mark.parametrize(
    ("parameter", "status"),
    [
        ((), 400),
        (({"name": "patient", "valueString": "Ada Testcase"},), 400),
        (({"name": "patient", "valueReference": {"reference": "https://elsewhere.example/Patient/1"}},), 400),
        ((PATIENT, {"name": "recipient", "valueString": "org:harbor"}), 400),
        ((PATIENT, {"name": "class", "valueCoding": {"system": "urn:x", "code": "Observation"}}), 400),
        ((PATIENT, {"name": "securityLabel", "valueCoding": {"code": "SUD"}}), 400),
        ((PATIENT, {"name": "actor", "valueReference": {"reference": "Organization/1"}}), 400),
        ((PATIENT, {"name": "purpose", "valueBoolean": True}), 400),
        ((PATIENT, *[{"name": "purpose", "valueCode": "TREAT"}] * 21), 400),
        ((PATIENT, {"valueCode": "TREAT"}), 422),
        (('{"name": "patient"}',), 422),
        (({"name": "patient", "valueReference": '{"reference": "Patient/p1"}'},), 422),
    ],
)
def test_a_question_that_cannot_be_taken_as_meant_is_refused(site: Site, parameter: Any, status: int) -> None:
    answer = evaluate(site, *parameter)

    assert answer.status_code == status, answer.text
    assert answer.json is not None
    assert answer.json["resourceType"] == "OperationOutcome"
    assert site.house.asked == []


def test_discovery_names_the_service_to_anybody(site: Site) -> None:
    answer = site.client().get("/cds-services")

    assert answer.json is not None
    (service,) = answer.json["services"]
    assert (service["hook"], service["id"]) == ("patient-consent-consult", "patient-consent-consult")


def test_the_question_of_a_leap_client_reaches_the_house_whole(site: Site) -> None:
    answer = hook(
        site,
        scope="patient-privacy",
        category=[{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}],
        **{"class": [{"system": TYPES, "value": "MedicationStatement"}]},
    )

    assert answer.status_code == 200, answer.text
    assert asked(site) == Consult(
        patient=("urn:oid:2.999.1|A1",),
        purpose=("TREAT",),
        actor=("http://hl7.org/fhir/sid/us-npi|9999999001",),
        types=frozenset({"MedicationStatement"}),
    )


def test_the_question_of_a_shares_client_is_the_same(site: Site) -> None:
    hook(site, purposeOfUse="TREAT", **{"class": [{"system": TYPES, "code": "Observation"}]})

    question = asked(site)
    assert (question.purpose, question.types) == (("TREAT",), frozenset({"Observation"}))


def test_the_card_of_a_permit_redacts_all_but_what_may_leave(site: Site) -> None:
    site.house.advice = A_YES

    answer = hook(site).json

    assert answer == {
        "cards": [
            {
                "summary": "CONSENT_PERMIT",
                "detail": "You may have records of this person for this purpose, under the obligations.",
                "indicator": "info",
                "source": {"label": "Warm Handoff", "url": "http://127.0.0.1:8080"},
                "extension": {
                    "decision": "CONSENT_PERMIT",
                    "obligations": [
                        {
                            "id": {"system": ACT_CODE, "code": "REDACT"},
                            "parameters": {
                                "codes": [{"system": system, "code": code} for system, code in REDACTED],
                                "exceptAnyOfCodes": [{"system": ACT_CODE, "code": "42CFRPart2"}],
                            },
                        },
                        {"id": {"system": OBLIGATION, "code": "LABEL"}, "parameters": {"codes": []}},
                        {"id": {"system": OBLIGATION, "code": "NOTICE"}, "parameters": {"codes": []}},
                        {"id": {"system": ACT_CODE, "code": "CPLYCD"}, "parameters": {"codes": []}},
                    ],
                    "basedOn": "http://127.0.0.1:8080/fhir/R4/Consent/c-tpo",
                },
            }
        ]
    }


def kept_by_leap(site: Site, resource_type: str, *labels: tuple[str, str]) -> bool:
    """Apply the REDACT of a card as LEAP does to a resource: gone for any of `codes`, or for none of the excepted."""
    answer = hook(site).json
    assert answer is not None
    parameters = answer["cards"][0]["extension"]["obligations"][0]["parameters"]
    codes = {(one["system"], one["code"]) for one in parameters["codes"]}
    excepted = parameters.get("exceptAnyOfCodes")
    is_excepted = excepted is None or any((one["system"], one["code"]) in labels for one in excepted)
    return is_excepted and codes.isdisjoint({*labels, (TYPES, resource_type)})


def test_a_client_that_redacts_by_the_card_keeps_nothing_but_what_is_like_what_may_leave(site: Site) -> None:
    """42 CFR 2.31(b): a consent for records is none for counseling notes, which are 42CFRPart2 as well."""
    site.house.advice = A_YES
    part2, restricted = (ACT_CODE, "42CFRPart2"), (CONFIDENTIALITY, "R")

    assert kept_by_leap(site, "Condition", part2, restricted)
    assert not kept_by_leap(site, "Condition", part2, (CONFIDENTIALITY, "V"))
    assert not kept_by_leap(site, "Condition", part2, restricted, COUNSELING_NOTES)
    assert not kept_by_leap(site, "Condition", part2, restricted, (ACT_CODE, "HIV"))
    assert not kept_by_leap(site, "Condition", restricted)
    assert not kept_by_leap(site, "Observation", part2, restricted)


def test_a_client_that_redacts_by_the_card_keeps_what_bears_only_a_level_where_nothing_else_leaves(site: Site) -> None:
    site.house.advice = Advice(True, (), ((CONFIDENTIALITY, "N"),), None, ("Condition",))

    assert kept_by_leap(site, "Condition", (CONFIDENTIALITY, "N"))
    assert not kept_by_leap(site, "Condition", (CONFIDENTIALITY, "N"), (ACT_CODE, "MH"))
    assert not kept_by_leap(site, "Condition", (CONFIDENTIALITY, "R"))


def test_the_card_of_a_denial_does_not_say_whether_there_is_a_consent(site: Site) -> None:
    answer = hook(site).json

    assert answer is not None
    (card,) = answer["cards"]
    assert card["summary"] == "CONSENT_DENY"
    assert card["indicator"] == "critical"
    assert card["extension"] == {"decision": "CONSENT_DENY", "obligations": []}


@pytest.mark.parametrize(
    "context",
    [
        {"patientId": []},
        {"actor": []},
        {"patientId": "A1"},
        {"patientId": [{"value": "A1"}]},
        {"patientId": [{"system": 7, "value": "A1"}]},
        {"patientId": [{"system": "urn:x", "value": "A1"}] * 21},
        {"purposeOfUse": {"code": "TREAT"}},
        {"purposeOfUse": [["TREAT"]]},
        {"class": [{"system": "urn:other", "code": "x"}]},
        {"category": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]},
        {"scope": ["patient-privacy"]},
        {"content": {"resourceType": "Bundle"}},
        {"consent": []},
    ],
)
def test_a_context_that_cannot_be_taken_as_meant_is_refused(site: Site, context: dict[str, Any]) -> None:
    answer = hook(site, **context)

    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    assert site.house.asked == []


@pytest.mark.parametrize(
    "body", [{}, {"hook": "patient-view", "context": CONTEXT}, {"hook": "patient-consent-consult"}]
)
def test_another_hook_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert site.client("demo-ehr").post(HOOK, json=body).status_code == 400


@pytest.mark.parametrize(("client", "status"), [(None, 401), ("demo-agency", 403), ("task-only", 403)])
def test_only_a_client_that_may_read_consents_asks(site: Site, client: str | None, status: int) -> None:
    assert evaluate(site, PATIENT, client=client).status_code == status
    assert hook(site, client=client).status_code == status
    assert site.house.asked == []


def test_a_problem_of_the_house_is_told_in_the_words_of_each_protocol(site: Site) -> None:
    site.house.advice = Problem(403, "forbidden", None, "Not for others.")

    assert evaluate(site, PATIENT).json == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "Not for others."}],
    }
    assert hook(site).json == {
        "type": "about:blank", "title": "Forbidden", "status": 403, "code": "forbidden", "detail": "Not for others.",
    }  # fmt: skip


def test_a_body_that_is_not_json_is_refused(site: Site) -> None:
    client = site.client("demo-ehr")

    assert client.post(EVALUATE, data=b"<x/>", content_type="application/fhir+xml").status_code == 415
    assert client.post(EVALUATE, data=b"{", content_type="application/fhir+json").status_code == 400
    assert client.post(HOOK, data=b'{"a":1,"a":2}', content_type="application/json").status_code == 400


def test_metadata_and_openapi_tell_of_it(site: Site) -> None:
    metadata = site.client().get("/fhir/R4/metadata").json
    described = site.client().get("/openapi.json").json

    assert metadata is not None
    assert described is not None
    (consent,) = (one for one in metadata["rest"][0]["resource"] if one["type"] == "Consent")
    assert consent["operation"][0]["name"] == "evaluate"
    assert {"/cds-services", HOOK} <= described["paths"].keys()
