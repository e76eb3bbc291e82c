"""The Part 2 consents that people sign during the story, as the case management program files them.

Every element of 42 CFR 2.31(a) is stated; what a form leaves out would make it deficient.
"""

from datetime import datetime, timedelta
from typing import Any

Resource = dict[str, Any]

_EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/part2-"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_NPI = "http://hl7.org/fhir/sid/us-npi"
_STATEMENTS = ("revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences")

HOSPITAL = {"identifier": {"system": _NPI, "value": "9999999001"}, "display": "Exampleville General Hospital"}
CLINIC = {"identifier": {"system": _NPI, "value": "9999999019"}, "display": "Exampleville Recovery Clinic"}
CASE_MANAGEMENT = {
    "identifier": {"system": "https://warmhandoff.example/id/partner", "value": "demo-lead"},
    "display": "Exampleville Community Case Management",
}


def signed(patient: str, recipients: list[Resource], at: datetime) -> Resource:
    """Write the consent of a patient (`Patient/id`) to disclosure by the program to these organizations.

    Signed a moment before `at`, in force for a year, for treatment.
    """
    person = {"reference": patient}
    return {
        "resourceType": "Consent",
        "extension": [
            *({"url": _EXTENSION + name, "valueBoolean": True} for name in _STATEMENTS),
            {"url": _EXTENSION + "form-edition", "valueDate": "2024-04-16"},
        ],
        "status": "active",
        "scope": _concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [_concept("http://loinc.org", "59284-0"), _concept(_ACT_CODE, "42CFRPart2CD")],
        "patient": person,
        "dateTime": (at - timedelta(minutes=5)).isoformat(timespec="seconds"),
        "performer": [person],
        "organization": [{"type": "Organization", **CASE_MANAGEMENT}],
        "sourceAttachment": {"contentType": "application/pdf", "title": "Consent form, signed on paper"},
        "policyRule": _concept(_ACT_CODE, "42CFRPart2"),
        "provision": {
            "type": "deny",
            "period": {
                "start": (at - timedelta(days=1)).date().isoformat(),
                "end": (at + timedelta(days=365)).date().isoformat(),
            },
            "provision": [_permit(recipient) for recipient in recipients],
        },
    }


def revoked(consent: Resource, at: datetime) -> Resource:
    """Write the same consent taken back in writing (42 CFR 2.31(a)(6), 2.31(c)(3))."""
    revocation = {
        "url": _EXTENSION + "revocation",
        "extension": [
            {"url": "when", "valueDateTime": at.isoformat(timespec="seconds")},
            {"url": "method", "valueCode": "written"},
            {"url": "by", "valueReference": consent["patient"]},
        ],
    }
    return {**consent, "status": "inactive", "extension": [*consent["extension"], revocation]}


def _permit(recipient: Resource) -> Resource:
    return {
        "type": "permit",
        "actor": [
            {
                "role": _concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
                "reference": {"type": "Organization", **recipient},
            }
        ],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
        "securityLabel": [{"system": _ACT_CODE, "code": "42CFRPart2"}],
    }


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}
