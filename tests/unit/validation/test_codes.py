"""Bindings by strength, and what is said when membership cannot be told."""

from typing import Any

from tests.unit.validation.examples import Json, concept
from tests.unit.validation.made_profiles import URL, checker_with, row

CATEGORY = "http://hl7.org/fhir/ValueSet/observation-category"
SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"
LOINC = "http://hl7.org/fhir/ValueSet/observation-codes"
MAX = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"


def _told(binding: Json, value: Any, code: str = "CodeableConcept") -> list[tuple[str, str]]:
    """Check Observation.category under a binding and return severity and rule of what is found."""
    checker = checker_with(
        "Observation", row("Observation.category", type=[{"code": code}], binding=binding), row("Observation.code")
    )
    found = checker.check({"resourceType": "Observation", "category": [value]}, {"Observation": URL})
    return [(item.severity, item.rule) for item in found if item.location == "Observation.category[0]"]


def _binding(strength: str, value_set: str = CATEGORY) -> Json:
    return {"strength": strength, "valueSet": value_set + "|4.0.1"}


def test_a_code_of_the_value_set_passes_every_strength() -> None:
    for strength in ("required", "extensible", "preferred"):
        assert _told(_binding(strength), concept(SYSTEM, "exam")) == []


def test_one_fitting_code_among_others_is_enough() -> None:
    both = {"coding": [{"system": "urn:x", "code": "1"}, {"system": SYSTEM, "code": "exam"}]}

    assert _told(_binding("required"), both) == []


def test_another_code_is_an_error_a_warning_or_nothing_by_strength() -> None:
    other = concept("urn:x", "1")

    assert _told(_binding("required"), other) == [("error", "binding-required")]
    assert _told(_binding("extensible"), other) == [("warning", "binding-extensible")]
    assert _told(_binding("preferred"), other) == []


def test_text_alone_is_enough_unless_a_code_is_required() -> None:
    assert _told(_binding("required"), {"text": "Exam"}) == [("error", "binding-required")]
    assert _told(_binding("extensible"), {"text": "Exam"}) == []


def test_what_cannot_be_told_is_said_never_passed_over() -> None:
    loinc = concept("http://loinc.org", "1-1")

    assert _told(_binding("required", LOINC), loinc) == [("warning", "binding-unchecked")]
    assert _told(_binding("extensible", LOINC), loinc) == [("information", "binding-unchecked")]
    assert _told(_binding("required", "https://x.example/vs"), loinc) == [("warning", "binding-unchecked")]


def test_the_widest_set_of_a_weak_binding_may_not_be_left() -> None:
    limited = _binding("preferred", LOINC) | {"extension": [{"url": MAX, "valueCanonical": CATEGORY}]}

    assert _told(limited, concept("urn:x", "1")) == [("error", "binding-required")]
    assert _told(limited, concept(SYSTEM, "exam")) == []


def test_codings_and_bare_codes_are_bound_alike() -> None:
    assert _told(_binding("required"), {"system": SYSTEM, "code": "exam"}, "Coding") == []
    assert _told(_binding("required"), {"system": "urn:x", "code": "exam"}, "Coding") == [("error", "binding-required")]
    assert _told(_binding("required"), "exam", "code") == []
    assert _told(_binding("required"), "exams", "code") == [("error", "binding-required")]
