"""The floor of `bench convert`: the same Bundle built by hand for one kind of record, as fast as plain Python allows.

It knows its one row by heart: no mapping, no findings, no facts, no trace, no other column. A test holds it to the same
resources and size as what the mapping makes of that row.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from gateway.model.ids import stable_id

BASE = "https://warmhandoff.example/fhir/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
AGENCY, AGENCY_NAME = "WA0990000", "Exampleville Police Department"

ROW = {
    "XML_CRISIS_ID": "900001", "REPORTED_ON_DATE": "01/05/2026", "REPORTED_ON_TIME": "134", "CHBK_MANIA": "X",
    "CHBK_HOPELESS_DEPRESSED": "X", "CHBK_DISPO_CRISIS_CLINIC": "X", "PIN": "700001", "SURNAME": "Sample",
    "G1": "Avery", "SEX": "F", "DOB": "1990-01-02", "HOME_AREA": "360", "HOME_PHONE": "555-0101",
    "ADDRESS": "1 Sample Street", "CITY": "Riverton", "STATE": "WA", "ZIP": "98000",
}  # fmt: skip
"""An invented person's record of the police RMS crisis template."""


def build(row: dict[str, str], key: bytes, at: str) -> dict[str, Any]:
    """Build the Bundle of twelve resources."""
    crisis, ori = row["XML_CRISIS_ID"], {"system": "https://warmhandoff.example/id/ori", "value": AGENCY}

    def made(*parts: str) -> str:
        return stable_id(key, "cit", AGENCY, crisis, *parts)

    month, day, year = row["REPORTED_ON_DATE"].split("/")
    hour, minute = divmod(int(row["REPORTED_ON_TIME"]), 100)
    pacific = timezone(timedelta(hours=-8))
    start = datetime(int(year), int(month), int(day), hour, minute, tzinfo=pacific).astimezone(pacific).isoformat()
    ids = {
        "Organization": stable_id(key, "organization", ori["system"], AGENCY),
        "PractitionerRole": made("role", "police"), "Patient": stable_id(key, AGENCY, "person", row["PIN"]),
        "Encounter": made("encounter"), "Consent": made("consent"), "DocumentReference": made("summary", "police"),
        "ServiceRequest": made("referral", "crisis-clinic"), "Task": made("task", "crisis-clinic"),
    }  # fmt: skip
    patient, encounter = {"reference": f"Patient/{ids['Patient']}"}, {"reference": f"Encounter/{ids['Encounter']}"}
    role = {"reference": f"PractitionerRole/{ids['PractitionerRole']}"}
    organization = {"reference": f"Organization/{ids['Organization']}"}
    program = {
        "system": BASE + "CodeSystem/program", "code": "cit", "display": "Crisis intervention team (police)",
    }  # fmt: skip
    placer: dict[str, Any] = {
        "type": {"coding": [{"system": HL7 + "v2-0203", "code": "PLAC"}]},
        "system": "https://warmhandoff.example/id/referral", "value": made("referral-number", "crisis-clinic"),
    }  # fmt: skip
    summary = (
        f"Crisis intervention team (police) contact\nBegin: {start}\nObserved: Hopeless or depressed\nObserved: Mania\n"
        "Outcome: Referral made"
    )

    def observed(kind: str, system: str, category: str, code: str, text: str) -> dict[str, Any]:
        return {
            "resourceType": "Observation", "id": made(kind, "police", code), "status": "final",
            "category": [{"coding": [{"system": HL7 + "observation-category", "code": category}]}],
            "code": {
                "coding": [{"system": f"{BASE}CodeSystem/{system}", "code": code, "display": text}], "text": text,
            },
            "subject": patient.copy(), "encounter": encounter.copy(), "effectiveDateTime": start,
            "performer": [role.copy()], "valueBoolean": True,
        }  # fmt: skip

    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Organization", "id": ids["Organization"], "identifier": [ori.copy()], "active": True,
            "name": AGENCY_NAME,
        },
        {
            "resourceType": "PractitionerRole", "id": ids["PractitionerRole"], "active": True,
            "organization": organization.copy(),
            "code": [{
                "coding": [{
                    "system": BASE + "CodeSystem/responder-role", "code": "officer", "display": "Officer",
                }],
                "text": "Officer",
            }],
        },
        {
            "resourceType": "Patient", "id": ids["Patient"],
            "identifier": [{"system": "https://warmhandoff.example/id/person", "value": ids["Patient"]}],
            "name": [{"family": row["SURNAME"], "given": [row["G1"]]}],
            "telecom": [{"system": "phone", "value": f"{row['HOME_AREA']}-{row['HOME_PHONE']}", "use": "home"}],
            "gender": {"F": "female", "M": "male"}.get(row["SEX"], "unknown"), "birthDate": row["DOB"],
            "address": [{
                "line": [row["ADDRESS"]], "city": row["CITY"], "state": row["STATE"], "postalCode": row["ZIP"],
            }],
        },
        {
            "resourceType": "Encounter", "id": ids["Encounter"],
            "identifier": [{"system": "https://warmhandoff.example/id/encounter", "value": ids["Encounter"]}],
            "status": "finished", "class": {"system": HL7 + "v3-ActCode", "code": "FLD", "display": "field"},
            "type": [{"coding": [program.copy()], "text": program["display"]}], "subject": patient.copy(),
            "participant": [{"individual": role.copy()}], "period": {"start": start},
            "serviceProvider": organization.copy(),
        },
        observed("behavior", "behavior", "exam", "hopeless-depressed", "Hopeless or depressed"),
        observed("behavior", "behavior", "exam", "mania", "Mania"),
        observed("disposition", "disposition", "survey", "referral", "Referral made"),
        {
            "resourceType": "Consent", "id": ids["Consent"], "status": "draft",
            "scope": {"coding": [{"system": HL7 + "consentscope", "code": "patient-privacy"}]},
            "category": [
                {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]},
                {"coding": [{"system": HL7 + "v3-ActCode", "code": "IDSCL"}]},
            ],
            "patient": patient.copy(), "organization": [{
                **organization, "type": "Organization", "identifier": ori.copy(), "display": AGENCY_NAME,
            }],
            "policyRule": {"coding": [{"system": HL7 + "v3-ActCode", "code": "OPTIN"}]},
        },
        {
            "resourceType": "DocumentReference", "id": ids["DocumentReference"], "status": "current",
            "type": {
                "coding": [{"system": "http://loinc.org", "code": "34133-9", "display": "Summary of episode note"}],
            },
            "category": [{"coding": [{
                "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                "code": "clinical-note",
            }]}],
            "subject": patient.copy(), "date": start, "author": [role.copy()],
            "content": [{"attachment": {
                "contentType": "text/plain; charset=utf-8", "data": base64.b64encode(summary.encode()).decode(),
                "title": "Summary of the encounter",
            }}],
            "context": {"encounter": [encounter.copy()], "period": {"start": start}},
        },
        {
            "resourceType": "ServiceRequest", "id": ids["ServiceRequest"], "identifier": [placer], "status": "active",
            "intent": "order",
            "category": [
                {"coding": [program.copy()]},
                {"coding": [{"system": "http://snomed.info/sct", "code": "3457005", "display": "Patient referral"}]},
            ],
            "priority": "routine",
            "code": {
                "coding": [{
                    "system": BASE + "CodeSystem/service", "code": "crisis-clinic", "display": "Crisis clinic",
                }],
                "text": "Crisis clinic",
            },
            "subject": patient.copy(), "encounter": encounter.copy(), "authoredOn": start, "requester": role.copy(),
            "supportingInfo": [
                {"reference": f"Consent/{ids['Consent']}"},
                {"reference": f"DocumentReference/{ids['DocumentReference']}"},
            ],
        },
        {
            "resourceType": "Task", "id": ids["Task"], "identifier": [placer.copy()],
            "status": "requested", "intent": "order", "priority": "routine",
            "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
            "focus": {"reference": f"ServiceRequest/{ids['ServiceRequest']}"}, "for": patient.copy(),
            "encounter": encounter.copy(), "authoredOn": start, "lastModified": start, "requester": role.copy(),
        },
    ]  # fmt: skip
    entries = [{"fullUrl": f"{BASE}{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    resources.append({
        "resourceType": "Provenance", "id": made("provenance", "police"),
        "target": [{"reference": f"{one['resourceType']}/{one['id']}"} for one in resources],
        "occurredDateTime": start, "recorded": at,
        "activity": {"coding": [{"system": HL7 + "iso-21089-lifecycle", "code": "originate"}]},
        "agent": [{
            "type": {"coding": [{"system": HL7 + "provenance-participant-type", "code": "author"}]},
            "who": {"type": "Organization", "identifier": ori.copy(), "display": AGENCY_NAME},
        }],
        "entity": [{"role": "source", "what": {"identifier": {
            "system": "https://warmhandoff.example/id/source-sha256",
            "value": hashlib.sha256(orjson.dumps((row,))).hexdigest(),
        }}}],
    })  # fmt: skip
    last = resources[-1]
    entries.append({"fullUrl": f"{BASE}Provenance/{last['id']}", "resource": last})
    return {
        "resourceType": "Bundle", "type": "collection",
        "identifier": {"system": "https://warmhandoff.example/id/handoff", "value": made()},
        "timestamp": at, "entry": entries,
    }  # fmt: skip


AT = datetime(2026, 11, 2, 18, tzinfo=UTC)
