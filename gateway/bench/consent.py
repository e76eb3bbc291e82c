"""Consent decisions: from the parsed request and records to the decision record with its input hash.

Consents, facts and registry are compiled and in memory, as in a running gateway; nothing of one decision is kept for
the next. Floor: the same request and records written by orjson and hashed, which any engine that can replay its
decisions has to do at least.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from gateway.bench.turns import rates
from gateway.catalog.partners import registry_from
from gateway.consent import compile_consents, decide, read_facts, read_request
from gateway.labeling import label
from gateway.model.decision import DecisionRecord
from gateway.model.fhir_time import instant

GOAL_PER_SECOND = 25_000
_AT = instant("2026-11-02T18:00:00Z")
_PARTNER = "https://warmhandoff.example/id/partner"
_PERSON = "urn:oid:2.999.7"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_OWN = "https://warmhandoff.example/fhir/StructureDefinition/part2-"

Json = dict[str, Any]


def rows(seconds: float) -> Iterator[Json]:
    """Yield a row for a decision on two items, and one for the labeling and decision of twelve."""
    yield _row("consent decision, 2 items", seconds / 2, _decision(2), _floor(2), GOAL_PER_SECOND)
    yield _row("label + consent decision, 12 items", seconds / 2, _labeled_decision(12), _floor(12), None)


def decision_of(items: int) -> DecisionRecord:
    """Return what the first row decides on that many items."""
    return _decision(items)()


def _row(name: str, seconds: float, ours: Callable[[], Any], floor: Callable[[], Any], goal: int | None) -> Json:
    per_second, floor_per_second = rates(ours, floor, seconds)
    return {
        "row": name,
        "per_second": per_second,
        "floor": "orjson + SHA-256 of the same input",
        "floor_per_second": floor_per_second,
        "ratio": per_second / floor_per_second,
        "goal": f">= {goal} per second and core" if goal else None,
    }


def _decision(items: int) -> Callable[[], DecisionRecord]:
    registry = registry_from(_partners())
    consents = compile_consents(_bundle(_consent()), registry)
    facts = read_facts([_patient()], registry, _AT)
    records = label(_bundle(*_records(items)), registry, _AT)
    request = read_request(_request())
    return lambda: decide(request, records, consents, registry=registry, at=_AT, facts=facts).record


def _labeled_decision(items: int) -> Callable[[], DecisionRecord]:
    registry = registry_from(_partners())
    consents = compile_consents(_bundle(_consent()), registry)
    facts = read_facts([_patient()], registry, _AT)
    records, request = _bundle(*_records(items)), _request()

    def decided() -> DecisionRecord:
        labeled = label(records, registry, _AT)
        return decide(read_request(request), labeled, consents, registry=registry, at=_AT, facts=facts).record

    return decided


def _floor(items: int) -> Callable[[], str]:
    written = {"request": _request(), "records": _bundle(*_records(items))}
    return lambda: hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _partners() -> list[Json]:
    endpoint = {"transport": "fhir", "address": "https://b.example/fhir", "verified": "2026-01-01"}
    return [
        {
            "id": f"org:{name}",
            "name": name.title(),
            "identifiers": [{"system": _PARTNER, "value": name}],
            "timezone": "America/Los_Angeles",
            "roles": ["provider"],
            "legal_class": [{"from": "2020-01-01", "part2": part2, "covered_entity": True}],
            "endpoints": [endpoint],
        }
        for name, part2 in (("program", "yes"), ("hospital", "no"))
    ]


def _organization(name: str) -> Json:
    return {"type": "Organization", "identifier": {"system": _PARTNER, "value": name}}


def _patient() -> Json:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": _PERSON, "value": "P"}],
        "birthDate": "1980-01-31",
    }


def _bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def _records(items: int) -> list[Json]:
    conditions = [
        {
            "resourceType": "Condition",
            "id": f"c{n}",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]},
            "subject": {"reference": "Patient/p"},
            "recordedDate": "2026-10-20",
        }
        for n in range(items)
    ]
    provenance = {
        "resourceType": "Provenance",
        "id": "by",
        "target": [{"reference": f"Condition/{one['id']}"} for one in conditions],
        "recorded": "2026-10-20T12:00:00Z",
        "activity": {"coding": [{"code": "originate"}]},
        "agent": [{"type": {"coding": [{"code": "author"}]}, "who": _organization("program")}],
    }
    return [*conditions, provenance]


def _request() -> Json:
    hospital = "org:hospital"
    person = {"id": "clinician", "role": "clinician"}
    return {
        "requester": {"organization": hospital, "authenticated_as": hospital, "person": person},
        "recipient": hospital,
        "purpose": ["TREAT"],
        "patient": "Patient/p",
        "basis": None,
        "transport": "fhir",
    }


def _consent() -> Json:
    patient = {"type": "Patient", "identifier": {"system": _PERSON, "value": "P"}}
    statements = ("revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences")
    permit = {
        "type": "permit",
        "actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": _organization("hospital")}],
        "purpose": [{"system": _ACT_REASON, "code": "TREAT"}],
        "securityLabel": [{"system": _ACT_CODE, "code": "42CFRPart2"}],
    }
    return {
        "resourceType": "Consent",
        "id": "paper",
        "meta": {"versionId": "1", "lastUpdated": "2026-09-01T17:00:00Z"},
        "extension": [{"url": _OWN + name, "valueBoolean": True} for name in statements],
        "status": "active",
        "category": [{"coding": [{"system": _ACT_CODE, "code": "42CFRPart2CD"}]}],
        "patient": patient,
        "dateTime": "2026-09-01T09:00:00-07:00",
        "performer": [patient],
        "organization": [_organization("program")],
        "sourceReference": {"reference": "DocumentReference/form"},
        "provision": {"type": "deny", "period": {"start": "2026-09-01", "end": "2026-12-31"}, "provision": [permit]},
    }
