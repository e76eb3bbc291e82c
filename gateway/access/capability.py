"""What the FHIR server can do, as one table: the doors are checked against it, and it is what `metadata` tells."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done with one resource type."""

    interactions: tuple[str, ...]
    """Codes of FHIR R4 ValueSet type-restful-interaction."""
    search: tuple[tuple[str, str], ...] = ()
    """(name, type) of each search parameter."""
    operations: tuple[tuple[str, str], ...] = ()
    """(name, canonical URL of its definition) of each operation on the type."""


_COMMON = (("_id", "token"), ("_lastUpdated", "date"), ("after", "token"), ("identifier", "token"))
_READ = Offer(("read",))

OFFERS: dict[str, Offer] = {
    "Task": Offer(
        ("read", "update", "search-type"),
        (*_COMMON, ("code", "token"), ("focus", "reference"), ("owner", "reference"), ("patient", "reference"),
         ("status", "token")),
    ),
    "ServiceRequest": Offer(
        ("read", "search-type"),
        (*_COMMON, ("code", "token"), ("patient", "reference"), ("status", "token")),
    ),
    "Consent": Offer(
        ("read", "create", "update", "search-type"), (*_COMMON, ("patient", "reference"), ("status", "token")),
        (("evaluate", "https://warmhandoff.example/fhir/OperationDefinition/consent-evaluate"),
         ("file-consent", "http://hl7.org/fhir/us/consent-management/OperationDefinition/file-consent"),
         ("revoke-consent", "http://hl7.org/fhir/us/consent-management/OperationDefinition/revoke-consent")),
    ),
    "Patient": Offer(("read", "search-type"), _COMMON),
    "AuditEvent": Offer(
        ("read", "search-type"), (("_id", "token"), ("after", "token"), ("date", "date"), ("patient", "reference"))
    ),
    **dict.fromkeys(
        ("CarePlan", "Condition", "DocumentReference", "Encounter", "Flag", "Goal", "Observation", "Organization",
         "PractitionerRole", "Provenance"),
        _READ,
    ),
}  # fmt: skip


def capability_statement(base_url: str, software_version: str) -> dict[str, Any]:
    """Describe this server (FHIR R4 CapabilityStatement), and nothing it does not do."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "software": {"name": "Warm Handoff", "version": software_version},
        "implementation": {"description": "Warm Handoff gateway", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "What a caller may not see answers exactly as what does not exist.",
                "security": {"description": "Bearer token; scopes as in SMART App Launch 2.0 (system/Task.rus)."},
                "resource": [_resource(name, offer) for name, offer in sorted(OFFERS.items())],
            }
        ],
    }


def _resource(name: str, offer: Offer) -> dict[str, Any]:
    resource: dict[str, Any] = {"type": name, "interaction": [{"code": code} for code in offer.interactions]}
    if "update" in offer.interactions:
        resource |= {"versioning": "versioned-update", "updateCreate": False}
    if offer.search:
        resource["searchParam"] = [{"name": parameter, "type": kind} for parameter, kind in offer.search]
    if offer.operations:
        resource["operation"] = [{"name": operation, "definition": url} for operation, url in offer.operations]
    return resource
