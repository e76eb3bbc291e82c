"""Extensions: known ones by their definition, unknown ones by what they may do."""

from typing import Any

from gateway.validation import Checker
from tests.unit.validation import examples
from tests.unit.validation.examples import PROFILE


def _rules(checker: Checker, extension: dict[str, Any], on: str = "extension") -> list[tuple[str, str, str]]:
    found = checker.check(examples.patient() | {on: [extension]}, {})
    return [(item.severity, item.rule, item.location) for item in found if item.rule != "dom-6"]


def test_an_unknown_extension_is_information_only(checker: Checker) -> None:
    assert _rules(checker, {"url": "https://x.example/e", "valueCode": "a"}) == [
        ("information", "extension-unknown", "Patient.extension[0]")
    ]


def test_an_unknown_modifier_extension_is_an_error(checker: Checker) -> None:
    found = _rules(checker, {"url": "https://x.example/e", "valueCode": "a"}, "modifierExtension")

    assert found == [("error", "modifier-extension-unknown", "Patient.modifierExtension[0]")]


def test_a_core_extension_is_checked_by_its_definition(checker: Checker) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"

    assert _rules(checker, {"url": url, "valueAddress": {"city": "Exampleville"}}) == []
    assert _rules(checker, {"url": url, "valueCode": "x"}) == [
        ("error", "choice-type", "Patient.extension[0].valueCode")
    ]


def test_extensions_of_a_primitive_stand_beside_it(checker: Checker) -> None:
    reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    resource = examples.patient()
    del resource["birthDate"]
    resource["_birthDate"] = {"extension": [{"url": reason, "valueCode": "unknown"}]}
    resource["name"][0] |= {"given": ["Avery", None], "_given": [None, {"id": "a"}]}

    assert checker.check(resource, {}).errors == ()


def test_a_wrong_companion_of_a_primitive_is_told(checker: Checker) -> None:
    resource = examples.patient()
    resource["_birthDate"] = {"nonsense": 1}

    (found,) = checker.check(resource, {}).errors

    assert (found.rule, found.location) == ("unknown-element", "Patient.birthDate.nonsense")


def test_an_extension_on_a_datatype_is_placed_by_the_element_that_holds_it(checker: Checker) -> None:
    consent = examples.consent()
    authority = consent["performer"][0].pop("extension")
    consent["organization"][0]["extension"] = authority

    (found,) = checker.check(consent, {}).errors

    assert (found.rule, found.location) == ("extension-context", "Consent.organization[0].extension[0]")
    assert PROFILE not in found.message
