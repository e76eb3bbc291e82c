"""What the gateway would send to the stand-in EHR: one referral as a FHIR transaction and as a REF^I12."""

from typing import Any

BASE = "https://warmhandoff.example/fhir"


def an_entry(resource: dict[str, Any], system: str, value: str) -> dict[str, Any]:
    kind = resource["resourceType"]
    return {
        "fullUrl": f"{BASE}/{kind}/{resource['id']}",
        "resource": resource | {"identifier": [{"system": system, "value": value}, *resource.get("identifier", [])]},
        "request": {"method": "POST", "url": kind, "ifNoneExist": f"identifier={system}|{value}"},
    }


def a_transaction(service: str = "crisis-clinic", family: str = "Otter-Test") -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": family}], "birthDate": "1980"}
    request = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"code": service}]},
        "subject": {"reference": "Patient/p1"},
    }
    task = {
        "resourceType": "Task",
        "id": "t1",
        "identifier": [{"system": "https://warmhandoff.example/id/resource", "value": "gw-task"}],
        "status": "requested",
        "intent": "order",
        "focus": {"reference": "ServiceRequest/s1"},
        "for": {"reference": "Patient/p1"},
    }
    entries = [
        an_entry(patient, "urn:oid:2.999.1", "person-1"),
        an_entry(request, "urn:oid:2.999.2", "ref-1"),
        an_entry(task, "urn:oid:2.999.2", "ref-1"),
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def a_ref(message_id: str = "m-1", rf1: str = "RF1|P|R|Psy|||ref-7", service: str = "detox") -> str:
    return (
        f"MSH|^~\\&|WARM_HANDOFF|WARM_HANDOFF|CLINIC_EHR|DEMO_CLINIC|20261122183000||REF^I12^REF_I12|{message_id}|P|2.5.1\r"
        f"{rf1}\rPRD|RP|Demo Police\rPID|1||p-7^^^&https://warmhandoff.example/id/person&URI||Otter-Test^Ann||1980|F\r"
        f"OBR|1|||{service}^x\rOBX|1|ED|PDF^Referral||^application^pdf^Base64^JVBERi0=||||||F\r"
    )
