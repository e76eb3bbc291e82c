"""Emergency Incident Data Objects of a dispatch center (NENA-STA-021.1): components that point to each other."""

import json
from dataclasses import dataclass
from typing import Any

from gateway.demo.samples import people
from gateway.demo.samples.people import Invented


@dataclass(frozen=True, slots=True)
class _Case:
    kind: str
    """APCO incident type."""
    person: Invented | None = None
    outcomes: tuple[tuple[str, str], ...] = ()
    """(two digits of APCO, local description)"""
    crisis_unit: bool = True
    status: str = "Closed"


def objects() -> dict[str, bytes]:
    """Return the objects by file name; the last is a fire, which is nobody's crisis."""
    return {f"eido-{number}.json": _object(number, case) for number, case in enumerate(_CASES, start=1)}


def _object(number: int, case: _Case) -> bytes:
    urn = f"urn:emergency:uid:eido:2025110{number}:dispatch.example"
    stamp = f"2025-11-0{number}T2{number % 4}:15:00-08:00"
    content: dict[str, Any] = {
        "$id": urn,
        "lastUpdateTimeStamp": stamp,
        "updatedByAgencyReference": {"$ref": f"{urn}:agency"},
        "eidoVersion": "1.0",
        "issuingElementIdentification": "dispatch.example",
        "agencyComponent": [{"$id": f"{urn}:agency", "agencyName": "Exampleville Dispatch"}],
        "incidentComponent": {
            "$id": f"{urn}:incident",
            "lastUpdateTimeStamp": stamp,
            "incidentTypeCommonRegistryText": case.kind,
            "incidentStatusCommonRegistryText": [case.status],
            "internalIncidentId": f"25-0{5500 + number}",
            "incidentCommonPriorityNumber": 2,
            "beatOrDispatchGroupText": "K2",
            "dispositionComponent": [_outcome(code, text) for code, text in case.outcomes],
            **({"personReference": [{"$ref": f"{urn}:person"}]} if case.person else {}),
        },
        "callComponent": [{"$id": f"{urn}:call", "callStartTimestamp": stamp}],
        "notesComponent": [{"$id": f"{urn}:note", "notesActionComments": "Invented free text."}],
    }
    if case.person:
        content["personComponent"] = [_person(urn, case.person)]
    if case.crisis_unit:
        content["emergencyResourceComponent"] = [
            {"$id": f"{urn}:unit", "emergencyResourceTypeCommonRegistryText": "CrisisInterventionUnit"}
        ]
    return (json.dumps(content, indent=2) + "\n").encode()


def _outcome(code: str, text: str) -> dict[str, Any]:
    described = {"dispositionDescriptionText": text} if text else {}
    return {"dispositionCommonRegistryCode": code, "dispositionPrimaryIndicator": True, **described}


def _person(urn: str, person: Invented) -> dict[str, Any]:
    return {
        "$id": f"{urn}:person",
        "personIncidentRoleRegistryText": ["Subject"],
        "ncPersonComponent": {
            "PersonName": {"PersonGivenName": person.given, "PersonSurName": person.family},
            "PersonBirthDate": person.born,
            "PersonSexCode": person.sex,
            "PersonMentalStateText": "Disoriented/confused",
        },
    }


_CASES = [
    _Case("EDP", people.TIA, (("15", "Crisis Clinic"),)),
    _Case("SUICTHRT", people.VAL, (("15", "Mobile Crisis Team"), ("16", ""))),
    _Case("MNTL", people.WIM, (("18", ""),)),
    _Case("WELFARE", None, (("14", "Unable to Contact"),)),
    _Case("MTLV", None, (("03", ""),), status="Active"),
    _Case("STRUCTURE FIRE", None, (("18", ""),), crisis_unit=False),
]
