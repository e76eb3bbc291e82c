"""A disclosure's Bundle with one referral in it, about an invented person, for the writers of other formats."""

from typing import Any

BASE = "https://warmhandoff.example/fhir/"
WORDS = f"{BASE}CodeSystem/"
IDS = "https://warmhandoff.example/id/"


def bundle_of(*resources: dict[str, Any]) -> dict[str, Any]:
    """Wrap resources as redaction does."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"{BASE}{r['resourceType']}/{r['id']}", "resource": r} for r in resources],
    }


def concept(system: str, code: str, text: str) -> dict[str, Any]:
    """A CodeableConcept of one of our own code systems."""
    return {"coding": [{"system": WORDS + system, "code": code, "display": text}], "text": text}


def observation(identifier: str, system: str, code: str, text: str, performer: str = "officer") -> dict[str, Any]:
    """An Observation that says yes."""
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": concept(system, code, text),
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2026-11-01T21:40:00-08:00",
        "performer": [{"reference": f"PractitionerRole/{performer}"}],
        "valueBoolean": True,
    }


def referral_resources() -> dict[str, dict[str, Any]]:
    """Return the resources of a full referral by a short name, in the order they stand in its Bundle."""
    return {
        "police": {
            "resourceType": "Organization",
            "id": "police",
            "identifier": [{"system": f"{IDS}ori", "value": "WA0999900"}],
            "name": "Sample City Police Department",
            "telecom": [{"system": "phone", "value": "206-555-0110"}],
        },
        "clinic": {
            "resourceType": "Organization",
            "id": "clinic",
            "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999900200"}],
            "name": "Rivercare Crisis Clinic",
            "address": [{"line": ["1 Example Way"], "city": "Sample City", "state": "WA", "postalCode": "98000"}],
        },
        "officer": {
            "resourceType": "PractitionerRole",
            "id": "officer",
            "organization": {"reference": "Organization/police"},
            "code": [concept("responder-role", "cit-officer", "CIT officer")],
        },
        "clinician": {
            "resourceType": "PractitionerRole",
            "id": "clinician",
            "organization": {"reference": "Organization/clinic"},
            "code": [concept("responder-role", "clinician", "Clinician")],
        },
        "patient": {
            "resourceType": "Patient",
            "id": "p1",
            "identifier": [{"system": f"{IDS}person", "value": "person-1"}],
            "name": [{"family": "Testperson", "given": ["Alma", "Rae"]}, {"use": "old", "family": "Mockname"}],
            "birthDate": "1990-02",
            "gender": "female",
            "telecom": [
                {"system": "phone", "value": "206-555-0123", "use": "mobile"},
                {"system": "email", "value": "alma@example.org"},
            ],
            "address": [{"use": "temp", "text": "No fixed address, often at Example Park"}],
            "communication": [{"language": {"text": "Spanish"}, "preferred": True}],
        },
        "encounter": {
            "resourceType": "Encounter",
            "id": "e1",
            "identifier": [{"system": f"{IDS}encounter", "value": "enc-1"}],
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "FLD"},
            "type": [concept("program", "cit", "Crisis intervention team")],
            "subject": {"reference": "Patient/p1"},
            "period": {"start": "2026-11-01T21:40:00-08:00", "end": "2026-11-01T22:30:00-08:00"},
            "serviceProvider": {"reference": "Organization/police"},
        },
        "crying": observation("o1", "behavior", "crying", "Crying"),
        "suicidal": observation("o2", "crisis-nature", "suicidal", "Suicidal statement or attempt"),
        "referred": observation("o3", "disposition", "referral", "Referral made"),
        "assessed": {
            **observation("o4", "behavior", "oriented", "Oriented to person and place", "clinician"),
            "note": [{"text": "Seen on the scene."}],
        },
        "weapon": {
            "resourceType": "Flag",
            "id": "f1",
            "status": "active",
            "code": concept("safety", "weapon", "Knife was present, taken by officers"),
            "subject": {"reference": "Patient/p1"},
        },
        "consent": {
            "resourceType": "Consent",
            "id": "c1",
            "status": "active",
            "patient": {"reference": "Patient/p1"},
            "dateTime": "2026-11-01",
            "provision": {
                "type": "permit",
                "period": {"end": "2027-11-01"},
                "actor": [{"reference": {"display": "Rivercare Crisis Clinic"}}],
                "purpose": [{"code": "TREAT", "display": "treatment"}],
            },
        },
        "goal": {
            "resourceType": "Goal",
            "id": "g1",
            "lifecycleStatus": "active",
            "description": {"text": "A place to sleep before winter"},
            "subject": {"reference": "Patient/p1"},
        },
        "summary": {
            "resourceType": "DocumentReference",
            "id": "d1",
            "status": "current",
            "type": {
                "coding": [{"system": "http://loinc.org", "code": "34133-9", "display": "Summary of episode note"}]
            },
            "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": "T25lLgpUd28u"}}],
        },
        "request": {
            "resourceType": "ServiceRequest",
            "id": "s1",
            "identifier": [
                {
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]},
                    "system": f"{IDS}referral",
                    "value": "wh-ref-1",
                }
            ],
            "status": "active",
            "intent": "order",
            "priority": "asap",
            "code": {
                "coding": [
                    {"system": f"{WORDS}service", "code": "crisis-clinic", "display": "Crisis clinic"},
                    {"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "H2011"},
                ],
                "text": "Crisis clinic",
            },
            "subject": {"reference": "Patient/p1"},
            "encounter": {"reference": "Encounter/e1"},
            "authoredOn": "2026-11-01T22:15:00-08:00",
            "requester": {"reference": "PractitionerRole/officer"},
            "performer": [{"reference": "Organization/clinic"}],
            "reasonCode": [{"text": "Suicidal crisis, agreed to be seen"}],
            "note": [{"text": "Speaks Spanish & some English"}],
        },
        "task": {
            "resourceType": "Task",
            "id": "t1",
            "identifier": [{"system": f"{IDS}referral", "value": "wh-ref-1"}],
            "status": "requested",
            "intent": "order",
            "focus": {"reference": "ServiceRequest/s1"},
            "for": {"reference": "Patient/p1"},
            "lastModified": "2026-11-01T22:16:00-08:00",
            "restriction": {"period": {"end": "2026-11-05"}},
        },
    }


def referral_bundle(**changes: dict[str, Any] | None) -> dict[str, Any]:
    """Return the full referral with resources replaced, added, or (None) left out."""
    resources = referral_resources() | changes
    return bundle_of(*(resource for resource in resources.values() if resource is not None))
