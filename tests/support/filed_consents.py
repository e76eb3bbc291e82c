"""Consents as partners file them about a Patient, and every way of doing so, in the house of `two_worlds`."""

import base64
from typing import Any

from tests.support.consent_desk import PDF
from tests.support.two_worlds import HOSPITAL_NPI, NPI, Seen, TwoWorld

PARTNER = "https://warmhandoff.example/id/partner"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SUPERSEDES = "https://warmhandoff.example/fhir/StructureDefinition/part2-supersedes"


def a_filed(patient: dict[str, Any], discloser: str, replaced: str | None = None) -> dict[str, Any]:
    """Return a consent of a person that lets the hospital have a discloser's records, in place of another one."""
    receiver = {
        "role": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ParticipationType", "code": "IRCP"}]},
        "reference": {"identifier": {"system": NPI, "value": HOSPITAL_NPI}},
    }
    link = [{"url": _SUPERSEDES, "valueReference": {"reference": replaced}}] if replaced else []
    return {
        "resourceType": "Consent",
        **({"extension": link} if link else {}),
        "status": "active",
        "scope": {"coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": patient,
        "dateTime": "2026-10-20T10:00:00Z",
        "organization": [{"identifier": {"system": PARTNER, "value": discloser}}],
        "policy": [{"uri": "https://www.ecfr.gov/current/title-42/part-2"}],
        "provision": {
            "type": "permit",
            "actor": [receiver],
            "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "TREAT"}],
        },
    }


def post(world: TwoWorld, client: str, body: dict[str, Any]) -> Seen:
    """File a consent by itself."""
    return world.http(client, "POST", "/fhir/R4/Consent", body)


def with_paper(body: dict[str, Any]) -> dict[str, Any]:
    """Return the Parameters of `$file-consent`: a consent with the scan of its paper."""
    attachment = {"contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}
    paper = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]},
        "content": [{"attachment": attachment}],
    }
    parameter = [{"name": "consent", "resource": body}, {"name": "document", "resource": paper}]
    return {"resourceType": "Parameters", "parameter": parameter}


def taken_back(patient: dict[str, Any], consent_id: str) -> dict[str, Any]:
    """Return the Parameters of `$revoke-consent`."""
    parameter = [
        {"name": "consent", "valueReference": {"reference": f"Consent/{consent_id}"}},
        {"name": "patient", "valueReference": patient},
    ]
    return {"resourceType": "Parameters", "parameter": parameter}


def post_with_paper(world: TwoWorld, client: str, body: dict[str, Any]) -> Seen:
    """File a consent with the scan of its paper."""
    return world.http(client, "POST", "/fhir/R4/Consent/$file-consent", with_paper(body))


def put(world: TwoWorld, client: str, body: dict[str, Any], consent_id: str, version: int = 1) -> Seen:
    """Write the next version of a consent."""
    return world.http(
        client, "PUT", f"/fhir/R4/Consent/{consent_id}", {**body, "id": consent_id}, if_match=f'W/"{version}"'
    )


def revoke(world: TwoWorld, client: str, patient: dict[str, Any], consent_id: str) -> Seen:
    """Say that the person takes a consent back."""
    return world.http(client, "POST", "/fhir/R4/Consent/$revoke-consent", taken_back(patient, consent_id))
