"""Allow-lists of elements: what police wrote (CJIS), and what a narrow basis opens (42 CFR 2.13(a), minimum necessary).

Default deny: an element that is not listed does not leave, a type that is not listed leaves nothing.
"""

from collections.abc import Mapping
from typing import Any

from gateway.model.decision import Verdict

Json = Mapping[str, Any]

_OWN_IDENTIFIERS = "https://warmhandoff.example/id/"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POLICE: dict[str, frozenset[str]] = {
    "Patient": _words("identifier active name telecom gender birthDate address communication link"),
    "Encounter": _words("identifier status class type priority subject period serviceProvider participant"),
    "Observation": _words(
        "status category code subject encounter effectiveDateTime effectivePeriod issued performer "
        "valueBoolean valueCodeableConcept valueQuantity valueInteger dataAbsentReason"
    ),
    "Flag": _words("identifier status category code subject period encounter author"),
    "ServiceRequest": _words(
        "identifier status intent category priority code subject encounter occurrenceDateTime "
        "occurrencePeriod authoredOn requester performer reasonCode supportingInfo"
    ),
    "Task": _words(
        "identifier status statusReason businessStatus intent priority code focus for encounter executionPeriod "
        "authoredOn lastModified requester owner restriction input output"
    ),
    "Consent": _words(
        "extension identifier status scope category patient dateTime performer organization policy policyRule "
        "verification provision"
    ),
    "CarePlan": _words("identifier status intent category title subject encounter period created author goal activity"),
    "Goal": _words("identifier lifecycleStatus achievementStatus category description subject startDate target"),
    "DocumentReference": _words("identifier status type category subject date author content context"),
    "CareTeam": _words("identifier status category subject encounter period participant"),
    "Organization": _words("identifier active type name telecom address"),
    "PractitionerRole": _words("active organization code specialty"),
}
"""Resource type -> the elements of what police wrote that may leave. No note, no narrative, no reason in own words."""

_LOCATING = {
    "Patient": _words("id name address birthDate gender"),
    "Encounter": _words("id status class subject period reasonCode"),
}
_LEAST: dict[str, dict[str, frozenset[str]]] = {
    "OK_CRIME_PREMISES": {"Patient": _words("id name address")},
    "OK_HIPAA_512F": _LOCATING,
}
_PAYMENT_DROPS = _words("text note description supportingInfo")
_ALWAYS = frozenset({"resourceType", "id", "meta"})


def limited(resource: Json, verdict: Verdict) -> Json | None:
    """Return the resource cut down to what its author and its basis let out, or None where nothing is left."""
    if "CJI_STRIP" in verdict.obligations:
        allowed = POLICE.get(resource["resourceType"])
        if allowed is None or not _is_segmentable(resource):
            return None
        resource = _from_police({key: one for key, one in resource.items() if key in allowed | _ALWAYS})
    by_basis = _LEAST.get(verdict.reason)
    if by_basis is not None:
        kept = by_basis.get(resource["resourceType"])
        return None if kept is None else _only(resource, kept)
    if verdict.elements is not None:
        return _only(resource, verdict.elements)
    if "MIN" in verdict.obligations:
        return {key: one for key, one in resource.items() if key not in _PAYMENT_DROPS}
    return resource


def _only(resource: Json, elements: frozenset[str]) -> Json:
    return {key: one for key, one in resource.items() if key in elements | _ALWAYS}


def _is_segmentable(resource: Json) -> bool:
    """Say whether every attachment is text that was read and labeled; a picture may show anything."""
    types = [one.get("attachment", {}).get("contentType") for one in resource.get("content", ())]
    return all(isinstance(one, str) and one.startswith("text/") for one in types)


def _from_police(resource: dict[str, Any]) -> dict[str, Any]:
    """Drop identifiers that are not ours: social security, licence, booking."""
    identifiers = resource.get("identifier")
    if isinstance(identifiers, list):
        kept = [one for one in identifiers if str(one.get("system")).startswith(_OWN_IDENTIFIERS)]
        resource = {**resource, "identifier": kept}
    return resource
