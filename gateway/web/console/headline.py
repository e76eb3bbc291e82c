"""One line of plain words for a FHIR resource, so that nobody has to read JSON to see what a record says."""

from typing import Any

from gateway.model.handoff import Resource

_NAMED_BY = ("code", "type", "category", "scope", "activity")
"""Elements that say what a resource is about, in the order in which they are asked."""
_WITHOUT_DISPLAY = {"59284-0": "Patient consent"}
"""Codes that come without a display (LOINC), in words."""


def headline(resource: Resource) -> str:
    """Return what the resource says in a few words; "" where it has no words for itself."""
    parts = [_name(resource) or subject_matter(resource), _when(resource), resource.get("status", "")]
    return " · ".join(part for part in parts if part)


def _name(resource: Resource) -> str:
    name = resource.get("name")
    if isinstance(name, str):
        return name
    if isinstance(name, list) and name:
        first = name[0]
        return str(first.get("text") or " ".join([*first.get("given", []), first.get("family", "")])).strip()
    return ""


def subject_matter(resource: Resource) -> str:
    """Return what a resource is about in words or, where it has none, by its code; "" where it says neither."""
    if "description" in resource:
        return _words(resource["description"])
    for element in _NAMED_BY:
        value = resource.get(element)
        words = _words(value[0] if isinstance(value, list) and value else value)
        if words:
            return words
    return ""


def _words(concept: Any) -> str:
    if isinstance(concept, str):
        return concept
    if not isinstance(concept, dict):
        return ""
    coding: dict[str, Any] = next(iter(concept.get("coding", [])), {})
    code = str(coding.get("code") or "")
    return str(concept.get("text") or coding.get("display") or _WITHOUT_DISPLAY.get(code, code))


def _when(resource: Resource) -> str:
    period = resource.get("period") or {}
    given = period.get("start") if isinstance(period, dict) else None
    for element in ("birthDate", "effectiveDateTime", "authoredOn", "dateTime", "date"):
        given = given or resource.get(element)
    return str(given or "")
