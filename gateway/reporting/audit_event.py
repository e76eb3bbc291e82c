"""What was disclosed and what was refused as FHIR AuditEvents, in the shapes of IHE Basic Audit Log Patterns.

A disclosure is told as their Privacy Disclosure at Source, a refusal as their Authorization Decision by Consent.
Left out of both: the network addresses, which are in the logs of the proxy, and every word about a person: who is
named by a reference, why by a code.
"""

from typing import Any

import orjson

from gateway.model.accounting import Disclosed, StoredDecision
from gateway.model.handoff import Resource
from gateway.model.partner import Registry

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_RESTFUL = "http://hl7.org/fhir/restful-interaction"
_TYPES = "http://hl7.org/fhir/resource-types"
_AUTHZ = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
_ACT_REASON = f"{_TERMINOLOGY}/v3-ActReason"
_PERSON = "https://warmhandoff.example/id/staff"
_CHANNEL = "https://warmhandoff.example/id/channel"

_INTERACTIONS = {"read": "read", "search": "search-type", "consult": "operation", "fhir": "transaction"}
"""FHIR R4 type- and system-restful-interaction of a channel; others are no FHIR interactions."""

SUCCESS, NOT_CONFIRMED, WAITS, REFUSED = "0", "4", "4", "8"
"""FHIR R4 audit-event-outcome."""

_PATIENT = {
    "type": {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "1", "display": "Person"},
    "role": {"system": f"{_TERMINOLOGY}/object-role", "code": "1", "display": "Patient"},
}


def disclosure_event(row: Disclosed, registry: Registry, operator: str) -> Resource:
    """Tell of one disclosure what its recipient may know of it: nothing in it depends on what was withheld."""
    decision = row.decision
    request = orjson.loads(decision.inputs)["request"]
    is_confirmed = row.confirmed_at is not None
    interaction = _INTERACTIONS.get(decision.channel)
    lifecycle = {"system": f"{_TERMINOLOGY}/iso-21089-lifecycle", "code": "disclose"}
    told = {"system": _RESTFUL, "code": interaction}
    recipient = _agent(_DICOM, "110152", _organization(decision.recipient, registry))
    user = _agent(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", _user(request), is_requestor=True)
    pulled = decision.channel in ("read", "search", "consult")
    return {
        "resourceType": "AuditEvent",
        "id": row.message_id,
        "type": {"system": _DICOM, "code": "110106", "display": "Export"},
        "subtype": [lifecycle, *([told] if interaction else [])],
        "action": "R",
        "recorded": row.intended_at.isoformat(),
        "outcome": SUCCESS if is_confirmed else NOT_CONFIRMED,
        **({} if is_confirmed else {"outcomeDesc": "It may have left; nobody has confirmed that it arrived."}),
        **_purpose(row.purpose.split()),
        "agent": [
            _agent(_DICOM, "110153", _organization(operator, registry)),
            recipient,
            *([user] if pulled else []),
        ],
        "source": _source(operator, registry),
        "entity": [*_patient(decision, request), *_consent(decision), _data(row)],
    }


def refusal_event(decision: StoredDecision, registry: Registry, operator: str) -> Resource:
    """Tell of one refusal, for the operator's staff only: that it happened is itself what must not be told outside."""
    request = orjson.loads(decision.inputs)["request"]
    record = decision.record
    return {
        "resourceType": "AuditEvent",
        "id": decision.id,
        "type": {"system": _DICOM, "code": "110113", "display": "Security Alert"},
        "subtype": [{"system": _AUTHZ, "code": "AuthZ-Consent"}],
        "action": "E",
        "recorded": decision.at.isoformat(),
        "outcome": WAITS if record["decision"] == "HOLD" else REFUSED,
        "outcomeDesc": f"{record['decision']} {record['reason']} ({record['section']})",
        **_purpose(request["purpose"]),
        "agent": [
            _agent(_DICOM, "110150", {"identifier": {"system": _CHANNEL, "value": decision.channel}}),
            _agent(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", _user(request), is_requestor=True),
            _agent(f"{_TERMINOLOGY}/v3-RoleClass", "PROV", _organization(decision.recipient, registry)),
            _agent(f"{_TERMINOLOGY}/extra-security-role-type", "authserver", _organization(operator, registry)),
        ],
        "source": _source(operator, registry),
        "entity": [*_patient(decision, request), *_consent(decision), _decided(decision)],
    }


def patient_named(decision: StoredDecision) -> str | None:
    """Return the reference of the Patient that an event of this decision names; None where it names nobody."""
    return _patient_named(decision, orjson.loads(decision.inputs)["request"])


def _agent(system: str, code: str, who: Resource, *, is_requestor: bool = False) -> Resource:
    return {"type": {"coding": [{"system": system, "code": code}]}, "who": who, "requestor": is_requestor}


def _organization(organization_id: str, registry: Registry) -> Resource:
    organization = registry.get(organization_id)
    if organization is None or not organization.identifiers:
        return {"type": "Organization", "display": organization_id}
    system, value = organization.identifiers[0]
    return {"type": "Organization", "identifier": {"system": system, "value": value}, "display": organization.name}


def _user(request: dict[str, Any]) -> Resource:
    return {"identifier": {"system": _PERSON, "value": request["requester"]["person"]["id"]}}


def _source(operator: str, registry: Registry) -> Resource:
    kind = {"system": f"{_TERMINOLOGY}/security-source-type", "code": "4", "display": "Application Server"}
    return {"observer": _organization(operator, registry), "type": [kind]}


def _purpose(codes: list[str]) -> dict[str, Any]:
    """Write the purposes: a plain code is one of v3-ActReason, another carries its system before a bar."""
    codings = []
    for code in codes:
        system, _, plain = code.rpartition("|")
        codings.append({"coding": [{"system": system or _ACT_REASON, "code": plain}]})
    return {"purposeOfEvent": codings} if codings else {}


def _patient(decision: StoredDecision, request: dict[str, Any]) -> list[Resource]:
    patient = _patient_named(decision, request)
    return [] if patient is None else [{**_PATIENT, "what": {"reference": patient}}]


def _patient_named(decision: StoredDecision, request: dict[str, Any]) -> str | None:
    """Name the patient where the Patient itself was, or would have been, among what left."""
    patient: str | None = request["patient"]
    return None if not patient or patient in decision.record["withheld"] else patient


def _consent(decision: StoredDecision) -> list[Resource]:
    basis = decision.record["basis"] or {}
    if basis.get("type") != "Consent" or not basis.get("id"):
        return []
    return [{"what": {"reference": f"Consent/{basis['id']}"}, "type": {"system": _TYPES, "code": "Consent"}}]


def _data(row: Disclosed) -> Resource:
    return {
        "type": {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "2", "display": "System Object"},
        "role": {"system": f"{_TERMINOLOGY}/object-role", "code": "3", "display": "Report"},
        "description": row.description,
    }


def _decided(decision: StoredDecision) -> Resource:
    """Point to the kept decision, which can be made again."""
    details = {"decision": decision.id, **{key: decision.record[key] for key in ("input_hash", "policy_version")}}
    return {
        "type": {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "2", "display": "System Object"},
        "role": {"system": f"{_TERMINOLOGY}/object-role", "code": "13", "display": "Security Resource"},
        "detail": [{"type": name, "valueString": value} for name, value in details.items()],
    }
