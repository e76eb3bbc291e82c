"""References and full URLs: what a resource or Bundle tells of where they lead."""

import pytest

from gateway.validation import Checker
from gateway.validation.run import Run, element_path, location
from tests.unit.validation import examples
from tests.unit.validation.examples import Json, to

UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"


def _bundle(*resources: Json, full_url: str = "") -> Json:
    entries = [{"fullUrl": full_url or f"urn:x:{item['id']}", "resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _rules(checker: Checker, resource: Json) -> list[tuple[str, str, str]]:
    kept = ("reference", "full-url")
    found = checker.check(resource, {})
    return [(item.severity, item.rule, item.location) for item in found if item.rule.startswith(kept)]


@pytest.mark.parametrize(
    "address",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "https://x.example/fhir/Patient/1",
        "Patient?identifier=urn:a|b",
        UUID,
        "urn:oid:1.2",
    ],
)
def test_forms_of_reference_that_pass(checker: Checker, address: str) -> None:
    assert _rules(checker, examples.goal() | {"subject": to(address)}) == []


@pytest.mark.parametrize("address", ["1", "Patient", "Wish/1", "/Patient/1", "patient/1", "Patient/a_b"])
def test_forms_of_reference_that_do_not(checker: Checker, address: str) -> None:
    found = _rules(checker, examples.goal() | {"subject": to(address)})

    assert ("error", "reference-form", "Goal.subject") in found


def test_an_entry_of_the_bundle_tells_its_type(checker: Checker) -> None:
    goal, group = examples.goal(), {"resourceType": "Practitioner", "id": "g"}
    goal["subject"] = to("urn:x:g")

    assert _rules(checker, _bundle(goal, group)) == [("error", "reference-target", "Bundle.entry[0].resource.subject")]


def test_an_address_met_before_is_held_to_the_types_of_each_place(checker: Checker) -> None:
    first, second = examples.goal(), examples.goal()
    first["expressedBy"] = to("Practitioner/dr")
    second["subject"] = to("Practitioner/dr")

    found = _rules(checker, _bundle(first, second))

    assert found == [("error", "reference-target", "Bundle.entry[1].resource.subject")]


def test_an_entry_tells_its_type_however_often_its_url_is_referred_to(checker: Checker) -> None:
    first, second = examples.goal(), examples.goal()
    first["subject"] = second["subject"] = to("Patient/g")
    misnamed = {"fullUrl": "Patient/g", "resource": {"resourceType": "Practitioner", "id": "g"}}
    bundle = _bundle(first, second)
    bundle["entry"].append(misnamed)

    found = _rules(checker, bundle)

    assert found == [("error", "reference-target", f"Bundle.entry[{n}].resource.subject") for n in (0, 1)]


def test_a_reference_to_no_entry_is_suspect_only_where_it_can_lead_nowhere_else(checker: Checker) -> None:
    lost, elsewhere = examples.goal(), examples.goal()
    lost["subject"], elsewhere["subject"] = to(UUID), to("Patient/elsewhere")

    assert _rules(checker, _bundle(lost)) == [("warning", "reference-unresolved", "Bundle.entry[0].resource.subject")]
    assert _rules(checker, _bundle(elsewhere)) == []


def test_a_full_url_that_names_another_resource_is_refused(checker: Checker) -> None:
    found = _rules(checker, _bundle(examples.goal(), full_url="https://x.example/fhir/Goal/other"))

    assert found == [("error", "full-url", "Bundle.entry[0].fullUrl")]


def test_a_contained_resource_may_refer_to_its_container(checker: Checker) -> None:
    goal = examples.goal()
    goal["contained"] = [
        {"resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan", "subject": to("Patient/p")}
        | {"goal": [to("#")]}
    ]

    assert checker.check(goal, {}).errors == ()


def test_places_are_written_as_fhirpath_and_as_element_path() -> None:
    entry = (None, "Bundle", None)
    start = ((entry, "entry", 2), "resource", None)
    place = (((start, "provision", None), "actor", 1), "extension", 0)

    assert location(place) == "Bundle.entry[2].resource.provision.actor[1].extension[0]"
    assert element_path(place, start, "Consent") == "Consent.provision.actor.extension"


def test_a_trial_leaves_no_trace() -> None:
    run = Run({})

    run.trial().error("min", (None, "item", None), "expected a value, found none")

    assert run.found == []
