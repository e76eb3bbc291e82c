"""Conditions and allergies in every combination of what their invariants on status look at."""

from itertools import product
from typing import Any

from tests.unit.validation.examples import HL7, concept

Json = dict[str, Any]


def conditions() -> list[Json]:
    """Return Conditions with and without statuses that count, of the right system and of another."""
    statuses = _statuses("condition-clinical", "active", "resolved", "remission", "inactive")
    verifications = _statuses("condition-ver-status", "confirmed", "entered-in-error")
    abatements: list[Json] = [{}, {"abatementString": "last week"}, {"_abatementDateTime": {"id": "a"}}]
    categories: list[Json] = [{}, {"category": [concept(HL7 + "condition-category", "problem-list-item")]}]
    return _of_type("Condition", statuses, verifications, abatements, categories)


def allergies() -> list[Json]:
    """Return AllergyIntolerances with and without statuses that count, of the right system and of another."""
    statuses = _statuses("allergyintolerance-clinical", "active", "resolved")
    verifications = _statuses("allergyintolerance-verification", "confirmed", "entered-in-error")
    return _of_type("AllergyIntolerance", statuses, verifications)


def _statuses(system: str, *codes: str) -> list[Json]:
    element = "clinicalStatus" if system.endswith("-clinical") else "verificationStatus"
    last = codes[-1]
    values: list[Json] = [
        *(concept(HL7 + system, code) for code in codes),
        concept("https://example.org/another", last),
        {"text": last},
        {"coding": [{"code": last}, {"system": HL7 + system, "code": last}]},
        {"coding": [{"system": HL7 + system}, {"display": last}]},
    ]
    return [{}, *({element: value} for value in values)]


def _of_type(name: str, *parts: list[Json]) -> list[Json]:
    made: list[Json] = []
    for chosen in product(*parts):
        resource: Json = {"resourceType": name}
        for part in chosen:
            resource |= part
        made.append(resource)
    return made
