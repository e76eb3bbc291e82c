"""One good resource of each of our profiles, and a Bundle of a whole handoff. All people in them are invented."""

from typing import Any

Json = dict[str, Any]

BASE = "https://warmhandoff.example/fhir/"
OWN = BASE + "CodeSystem/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
PROFILE = BASE + "StructureDefinition/"


def concept(system: str, code: str, text: str | None = None) -> Json:
    """Return a CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def to(address: str) -> Json:
    """Return a literal reference."""
    return {"reference": address}


def partner(value: str) -> Json:
    """Return a logical reference to a partner organization."""
    return {"type": "Organization", "identifier": {"system": "https://warmhandoff.example/id/partner", "value": value}}


def placer() -> Json:
    """Return the gateway's own number of a referral."""
    return {
        "type": concept(HL7 + "v2-0203", "PLAC"),
        "system": "https://warmhandoff.example/id/referral",
        "value": "r7",
    }


def patient() -> Json:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "https://warmhandoff.example/id/person", "value": "p1"}],
        "name": [{"family": "Specimen", "given": ["Avery"]}],
        "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}],
        "gender": "female",
        "birthDate": "1988-04",
        "address": [{"use": "temp", "text": "No permanent address", "city": "Exampleville", "state": "WA"}],
        "communication": [{"language": {"text": "Spanish"}, "preferred": True}],
    }


def encounter() -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "identifier": [{"system": "https://warmhandoff.example/id/encounter", "value": "e1"}],
        "status": "finished",
        "class": {"system": HL7 + "v3-ActCode", "code": "FLD"},
        "type": [concept(OWN + "program", "cit", "Crisis intervention team")],
        "subject": to("Patient/p1"),
        "participant": [{"individual": to("PractitionerRole/r1")}],
        "period": {"start": "2026-10-01T13:05:00-07:00", "end": "2026-10-01T13:55:00-07:00"},
        "serviceProvider": to("Organization/o1"),
    }


def observation() -> Json:
    return {
        "resourceType": "Observation",
        "id": "b1",
        "status": "final",
        "category": [concept(HL7 + "observation-category", "exam")],
        "code": concept(OWN + "behavior", "unusually-frightened", "Unusually frightened"),
        "subject": to("Patient/p1"),
        "encounter": to("Encounter/e1"),
        "effectiveDateTime": "2026-10-01T13:05:00-07:00",
        "performer": [to("PractitionerRole/r1")],
        "valueBoolean": True,
    }


def service_request() -> Json:
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "identifier": [placer()],
        "status": "active",
        "intent": "order",
        "category": [concept(OWN + "program", "cit"), concept("http://snomed.info/sct", "3457005")],
        "priority": "routine",
        "code": concept(OWN + "service", "mobile-crisis", "Mobile crisis team"),
        "subject": to("Patient/p1"),
        "encounter": to("Encounter/e1"),
        "authoredOn": "2026-10-01T13:20:00-07:00",
        "requester": to("PractitionerRole/r1"),
        "performer": [partner("harbor")],
        "supportingInfo": [to("Consent/c1"), to("DocumentReference/d1")],
    }


def task() -> Json:
    return {
        "resourceType": "Task",
        "id": "t1",
        "identifier": [placer()],
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": concept("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": to("ServiceRequest/s1"),
        "for": to("Patient/p1"),
        "authoredOn": "2026-10-01T13:20:00-07:00",
        "lastModified": "2026-10-01T13:20:00-07:00",
        "requester": to("PractitionerRole/r1"),
        "owner": partner("harbor"),
        "restriction": {"period": {"end": "2026-11-01"}},
    }


def consent() -> Json:
    return {
        "resourceType": "Consent",
        "id": "c1",
        "extension": [
            {"url": PROFILE + "part2-revocation-right", "valueBoolean": True},
            {"url": PROFILE + "part2-expiry", "valueCode": "end-of-treatment"},
        ],
        "status": "active",
        "scope": concept(HL7 + "consentscope", "patient-privacy"),
        "category": [concept("http://loinc.org", "59284-0"), concept(HL7 + "v3-ActCode", "IDSCL")],
        "patient": to("Patient/p1"),
        "dateTime": "2026-10-01T13:20:00-07:00",
        "performer": [
            {
                "extension": [
                    {
                        "url": PROFILE + "part2-authority",
                        "extension": [
                            {"url": "basis", "valueCode": "guardian"},
                            {"url": "period", "valuePeriod": {"start": "2026-01-01"}},
                        ],
                    }
                ],
                "reference": "RelatedPerson/g1",
            }
        ],
        "organization": [to("Organization/o1")],
        "policyRule": concept(HL7 + "v3-ActCode", "OPTIN"),
        "provision": {
            "type": "permit",
            "period": {"start": "2026-10-01", "end": "2027-10-01"},
            "actor": [{"role": concept(HL7 + "v3-ParticipationType", "IRCP"), "reference": partner("harbor")}],
            "purpose": [{"system": HL7 + "v3-ActReason", "code": "TREAT"}],
        },
    }


def care_plan() -> Json:
    return {
        "resourceType": "CarePlan",
        "id": "cp1",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Call the sister first.</p></div>',
        },
        "status": "active",
        "intent": "plan",
        "category": [
            concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan"),
            concept(OWN + "plan", "crisis-plan"),
        ],
        "subject": to("Patient/p1"),
        "goal": [to("Goal/g1")],
        "activity": [{"detail": {"status": "unknown", "description": "Call the sister first."}}],
    }


def goal() -> Json:
    return {
        "resourceType": "Goal",
        "id": "g1",
        "lifecycleStatus": "active",
        "description": {"text": "A room of one's own"},
        "subject": to("Patient/p1"),
        "target": [{"dueDate": "2027-01-31"}],
    }


def document_reference() -> Json:
    return {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "type": concept("http://loinc.org", "34133-9"),
        "category": [
            concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note")
        ],
        "subject": to("Patient/p1"),
        "date": "2026-10-01T13:05:00-07:00",
        "author": [to("PractitionerRole/r1")],
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": "Q29udGFjdA=="}}],
        "context": {"encounter": [to("Encounter/e1")], "period": {"start": "2026-10-01T13:05:00-07:00"}},
    }


def provenance() -> Json:
    return {
        "resourceType": "Provenance",
        "id": "v1",
        "target": [to("Patient/p1"), to("Encounter/e1"), to("ServiceRequest/s1")],
        "recorded": "2026-10-02T08:00:00Z",
        "activity": concept(HL7 + "iso-21089-lifecycle", "originate"),
        "agent": [{"type": concept(HL7 + "provenance-participant-type", "author"), "who": partner("exampleville-pd")}],
        "entity": [
            {
                "role": "source",
                "what": {"identifier": {"system": "https://warmhandoff.example/id/source", "value": "0f"}},
            }
        ],
    }


def organization() -> Json:
    return {
        "resourceType": "Organization",
        "id": "o1",
        "identifier": [{"system": "https://warmhandoff.example/id/ori", "value": "WA0990000"}],
        "active": True,
        "name": "Exampleville Police Department",
    }


def practitioner_role() -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "active": True,
        "organization": to("Organization/o1"),
        "code": [concept(OWN + "responder-role", "officer")],
    }


PROFILED = {
    "wh-patient": patient,
    "wh-encounter": encounter,
    "wh-observation": observation,
    "wh-service-request": service_request,
    "wh-task": task,
    "wh-consent": consent,
    "wh-care-plan": care_plan,
    "wh-goal": goal,
    "wh-document-reference": document_reference,
    "wh-provenance": provenance,
}
"""Our profiles and who makes a good resource of each."""


def bundle() -> Json:
    """Return a whole handoff of twelve resources."""
    resources = [make() for make in (*PROFILED.values(), organization, practitioner_role)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "https://warmhandoff.example/id/handoff", "value": "h1"},
        "timestamp": "2026-10-02T08:00:00Z",
        "entry": [{"fullUrl": f"{BASE}{item['resourceType']}/{item['id']}", "resource": item} for item in resources],
    }
