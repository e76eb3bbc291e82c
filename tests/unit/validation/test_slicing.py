"""Slices by each kind of discriminator, on profiles made for the purpose."""

from typing import Any

import pytest

from gateway.validation import Checker, DefinitionError
from gateway.validation.slicing import holds_pattern, is_same, values
from tests.unit.validation import examples
from tests.unit.validation.examples import Json, concept, to
from tests.unit.validation.made_profiles import URL, checker_with, row


def _sliced(element_id: str, *discriminators: tuple[str, str], rules: str = "open", **facts: Any) -> Json:
    pairs = [{"type": kind, "path": path} for kind, path in discriminators]
    return row(element_id, slicing={"discriminator": pairs, "rules": rules}, **facts)


CONCEPT = [{"code": "CodeableConcept"}]
REFERENCE = [{"code": "Reference"}]


def _told(checker: Checker, resource: Json) -> list[tuple[str, str]]:
    found = checker.check(resource, {resource["resourceType"]: URL})
    return [(finding.rule, finding.location) for finding in found.errors]


def _observation(**parts: Any) -> Json:
    return {"resourceType": "Observation", **parts}


def test_slices_by_pattern_are_counted() -> None:
    checker = checker_with(
        "Observation",
        _sliced("Observation.category", ("pattern", "$this"), type=CONCEPT),
        row("Observation.category:exam", type=CONCEPT, min=1, max="1", patternCodeableConcept=concept("urn:c", "exam")),
    )

    assert _told(checker, _observation(category=[concept("urn:c", "exam"), {"text": "other"}])) == []
    assert _told(checker, _observation(category=[{"text": "other"}])) == [("slice-min", "Observation.category")]
    assert _told(checker, _observation(category=[concept("urn:c", "exam")] * 2)) == [
        ("slice-max", "Observation.category")
    ]


def test_a_closed_slicing_takes_nothing_else() -> None:
    checker = checker_with(
        "Observation",
        _sliced("Observation.category", ("pattern", "$this"), rules="closed", type=CONCEPT),
        row("Observation.category:exam", type=CONCEPT, patternCodeableConcept=concept("urn:c", "exam")),
    )

    assert _told(checker, _observation(category=[{"text": "other"}])) == [("slice-closed", "Observation.category[0]")]


def test_a_discriminator_runs_through_lists() -> None:
    checker = checker_with(
        "Observation",
        _sliced("Observation.category", ("value", "coding.system"), type=CONCEPT),
        row("Observation.category:own", type=CONCEPT, min=1),
        row("Observation.category:own.coding", type=[{"code": "Coding"}]),
        row("Observation.category:own.coding.system", max="1", type=[{"code": "uri"}], fixedUri="urn:own"),
        row("Observation.category:own.text", max="1", min=1, type=[{"code": "string"}]),
    )
    both = {"coding": [{"system": "urn:other"}, {"system": "urn:own"}], "text": "a"}

    assert ("slice-min", "Observation.category") not in _told(checker, _observation(category=[both]))
    assert ("min", "Observation.category[0].text") in _told(
        checker, _observation(category=[{"coding": [{"system": "urn:own"}]}])
    )


def test_a_required_binding_tells_slices_apart() -> None:
    binding = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/observation-category"}
    checker = checker_with(
        "Observation",
        _sliced("Observation.category", ("value", "$this"), type=CONCEPT),
        row("Observation.category:known", type=CONCEPT, max="1", binding=binding),
    )
    system = "http://terminology.hl7.org/CodeSystem/observation-category"

    told = _told(checker, _observation(category=[concept(system, "exam"), concept(system, "survey"), {"text": "x"}]))

    assert told == [("slice-max", "Observation.category")]


def test_slices_by_the_type_a_reference_leads_to() -> None:
    target = [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Organization"]}]
    checker = checker_with(
        "Observation",
        _sliced("Observation.performer", ("type", "resolve()"), type=REFERENCE),
        row("Observation.performer:agency", type=target, min=1, max="1"),
    )

    assert _told(checker, _observation(performer=[to("Organization/1"), to("Patient/2")])) == []
    assert _told(checker, _observation(performer=[to("Patient/2")])) == [("slice-min", "Observation.performer")]


def test_slices_by_whether_a_part_is_there() -> None:
    checker = checker_with(
        "Observation",
        _sliced("Observation.category", ("exists", "text"), type=CONCEPT),
        row("Observation.category:worded", type=CONCEPT, max="1"),
        row("Observation.category:worded.text", max="1", min=1, type=[{"code": "string"}]),
    )

    assert _told(checker, _observation(category=[{"text": "a"}, {"text": "b"}])) == [
        ("slice-max", "Observation.category")
    ]
    assert _told(checker, _observation(category=[{"text": "a"}, concept("urn:c", "x")])) == []


def test_a_type_slice_of_a_choice_needs_no_matching() -> None:
    checker = checker_with(
        "Observation",
        row("Observation.value[x]", max="1", type=[{"code": "Quantity"}, {"code": "string"}]),
        row("Observation.value[x]:valueQuantity", max="1", min=1, type=[{"code": "Quantity"}]),
        row("Observation.value[x]:valueQuantity.value", max="1", min=1, type=[{"code": "decimal"}]),
        row("Observation.value[x]:valueQuantity.unit", max="1", type=[{"code": "string"}]),
    )

    assert _told(checker, _observation(valueQuantity={"value": 1})) == []
    assert _told(checker, _observation(valueQuantity={"unit": "mg"})) == [("min", "Observation.value.value")]
    assert _told(checker, _observation(valueString="1")) == [("min", "Observation.value")]


def test_a_slice_without_a_discriminator_is_a_fault_of_the_profile() -> None:
    checker = checker_with(
        "Observation",
        row("Observation.category", type=CONCEPT),
        row("Observation.category:exam", type=CONCEPT),
    )

    with pytest.raises(DefinitionError, match="has no discriminator"):
        checker.check(_observation(category=[{"text": "a"}]), {"Observation": URL})


def test_patterns_hold_by_what_they_state_and_fixed_values_in_every_part() -> None:
    assert holds_pattern({"a": [{"b": 1, "c": 2}], "d": 3}, {"a": [{"b": 1}]})
    assert not holds_pattern({"a": [{"b": 2}]}, {"a": [{"b": 1}]})
    assert not holds_pattern({"a": 1}, {"a": True})
    assert is_same(1, 1)
    assert not is_same(True, 1)


def test_a_path_leads_through_lists_choices_and_extensions() -> None:
    item = {"a": [{"b": 1}, {"b": 2}], "valueCode": "c", "extension": [{"url": "u", "valueCode": "d"}]}

    assert list(values(item, ["a", "b"])) == [1, 2]
    assert list(values(item, ["value"])) == ["c"]
    assert list(values(item, ["extension('u')", "value"])) == ["d"]
    assert list(values(item, ["nothing"])) == []


def test_a_slice_is_checked_by_its_own_words_and_the_rest_by_the_element(checker: Checker) -> None:
    resource = examples.service_request()
    resource["identifier"].append({"system": "urn:their-own"})

    assert checker.check(resource).errors == ()
