"""Plant one fault at a time in a sound resource: it must be told with its place and rule, and nothing else with it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.validation import Checker
from tests.unit.validation import examples
from tests.unit.validation.damage import damaged
from tests.unit.validation.examples import HL7, OWN, PROFILE, Json, concept, to

BASE_R4: dict[str, str] = {}


def _set(*way: str | int, value: Any) -> Callable[[Json], None]:
    """Return a fault that sets what lies at the end of a way."""

    def plant(resource: Json) -> None:
        part: Any = resource
        for step in way[:-1]:
            part = part[step]
        part[way[-1]] = value

    return plant


def _drop(*way: str | int) -> Callable[[Json], None]:
    """Return a fault that removes what lies at the end of a way."""

    def plant(resource: Json) -> None:
        part: Any = resource
        for step in way[:-1]:
            part = part[step]
        del part[way[-1]]

    return plant


FAULTS: dict[str, tuple[Callable[[], Json], Callable[[Json], None], str, str]] = {
    # name: (good resource, fault, rule, place)
    "required element missing": (examples.observation, _drop("status"), "min", "Observation.status"),
    "required part of a datatype missing": (
        examples.patient,
        _set("link", value=[{"type": "seealso"}]),
        "min",
        "Patient.link[0].other",
    ),
    "unknown element": (examples.patient, _set("nickname", value="A"), "unknown-element", "Patient.nickname"),
    "resource type where none belongs": (
        examples.patient,
        _set("name", 0, "resourceType", value="HumanName"),
        "unknown-element",
        "Patient.name[0].resourceType",
    ),
    "unknown element in a datatype": (
        examples.patient,
        _set("name", 0, "middle", value="Q"),
        "unknown-element",
        "Patient.name[0].middle",
    ),
    "list where one value belongs": (examples.patient, _set("gender", value=["male"]), "type", "Patient.gender"),
    "one value where a list belongs": (
        examples.patient,
        _set("name", value={"family": "Specimen"}),
        "json-type",
        "Patient.name",
    ),
    "object where text belongs": (examples.patient, _set("birthDate", value={}), "type", "Patient.birthDate"),
    "text where an object belongs": (
        examples.task,
        _set("focus", value="ServiceRequest/s1"),
        "json-type",
        "Task.focus",
    ),
    "empty list": (examples.patient, _set("contact", value=[]), "json-type", "Patient.contact"),
    "empty object": (examples.patient, _set("maritalStatus", value={}), "empty", "Patient.maritalStatus"),
    "null": (examples.patient, _set("birthDate", value=None), "type", "Patient.birthDate"),
    "null in a list": (examples.patient, _set("name", 0, "given", value=[None]), "type", "Patient.name[0].given[0]"),
    "blank text": (examples.organization, _set("name", value="  "), "type", "Organization.name"),
    "boolean as text": (examples.organization, _set("active", value="true"), "type", "Organization.active"),
    "integer as text": (
        examples.patient,
        _set("multipleBirthInteger", value="3"),
        "type",
        "Patient.multipleBirth",
    ),
    "boolean as integer": (examples.patient, _set("multipleBirthInteger", value=True), "type", "Patient.multipleBirth"),
    "number as dateTime": (examples.task, _set("authoredOn", value=1760000000), "type", "Task.authoredOn"),
    "day that does not exist": (examples.patient, _set("birthDate", value="2023-02-30"), "type", "Patient.birthDate"),
    "time without offset": (
        examples.task,
        _set("authoredOn", value="2026-10-01T13:20:00"),
        "type",
        "Task.authoredOn",
    ),
    "instant without time": (
        examples.provenance,
        _set("recorded", value="2026-10-02"),
        "type",
        "Provenance.recorded",
    ),
    "id with a space": (examples.patient, _set("id", value="p 1"), "type", "Patient.id"),
    "code with a trailing space": (examples.task, _set("priority", value="routine "), "type", "Task.priority"),
    "uri with a space": (
        examples.patient,
        _set("identifier", 0, "system", value="urn:a b"),
        "type",
        "Patient.identifier[0].system",
    ),
    "base64 that is none": (
        examples.document_reference,
        _set("content", 0, "attachment", "data", value="not base64!"),
        "type",
        "DocumentReference.content[0].attachment.data",
    ),
    "two types of one choice": (
        examples.observation,
        _set("valueString", value="yes"),
        "choice",
        "Observation",
    ),
    "type that a choice does not allow": (
        examples.observation,
        _set("valueMoney", value={"value": 1}),
        "choice-type",
        "Observation.valueMoney",
    ),
    "code outside a required binding": (
        examples.patient,
        _set("gender", value="femme"),
        "binding-required",
        "Patient.gender",
    ),
    "concept outside a required binding": (
        examples.patient,
        _set("address", 0, "use", value="street"),
        "binding-required",
        "Patient.address[0].use",
    ),
    "code that its system does not have": (
        examples.observation,
        _set("code", value=concept(OWN + "behavior", "crying", "Crying")),
        "code-unknown",
        "Observation.code.coding[0]",
    ),
    "identifier system that names nothing": (
        examples.patient,
        _set("identifier", 0, "system", value="person"),
        "system-relative",
        "Patient.identifier[0].system",
    ),
    "reference to a wrong type": (
        examples.encounter,
        _set("serviceProvider", value=to("Location/x")),
        "reference-target",
        "Encounter.serviceProvider",
    ),
    "reference to a wrong type by identifier": (
        examples.encounter,
        _set("serviceProvider", value={"type": "Location", "identifier": {"value": "1"}}),
        "reference-target",
        "Encounter.serviceProvider",
    ),
    "reference to a contained resource of a wrong type": (
        examples.goal,
        lambda resource: resource.update(
            contained=[{"resourceType": "Group", "id": "x", "type": "person", "actual": True}],
            addresses=[to("#x")],
        ),
        "reference-target",
        "Goal.addresses[0]",
    ),
    "reference to nothing contained": (
        examples.goal,
        _set("addresses", value=[to("#x")]),
        "ref-1",
        "Goal.addresses[0]",
    ),
    "reference without an id": (examples.task, _set("for", value=to("Patient")), "reference-form", "Task.for"),
    "contained resource nobody refers to": (
        examples.goal,
        _set("contained", value=[{"resourceType": "Patient", "id": "x"}]),
        "dom-3",
        "Goal",
    ),
    "contained resource with its own labels": (
        examples.goal,
        lambda resource: resource.update(
            contained=[
                {"resourceType": "Observation", "id": "x", "meta": {"security": [{"code": "R"}]}, "status": "final"}
                | {"code": {"text": "x"}}
            ],
            addresses=[to("#x")],
        ),
        "dom-5",
        "Goal",
    ),
    "extension with value and parts": (
        examples.patient,
        _set(
            "extension",
            value=[{"url": "http://x.example/e", "valueCode": "a", "extension": [{"url": "b", "valueCode": "c"}]}],
        ),
        "ext-1",
        "Patient.extension[0]",
    ),
    "extension without url": (
        examples.patient,
        _set("extension", value=[{"valueCode": "a"}]),
        "min",
        "Patient.extension[0].url",
    ),
    "extension with a relative url": (
        examples.patient,
        _set("extension", value=[{"url": "e", "valueCode": "a"}]),
        "extension-url",
        "Patient.extension[0].url",
    ),
    "extension value of a wrong type": (
        examples.consent,
        _set("extension", 0, value={"url": PROFILE + "part2-revocation-right", "valueString": "yes"}),
        "choice-type",
        "Consent.extension[0].valueString",
    ),
    "extension where it may not stand": (
        examples.patient,
        _set("extension", value=[{"url": PROFILE + "part2-revocation-right", "valueBoolean": True}]),
        "extension-context",
        "Patient.extension[0]",
    ),
    "modifier extension nobody knows": (
        examples.task,
        _set("modifierExtension", value=[{"url": "http://x.example/not", "valueBoolean": True}]),
        "modifier-extension-unknown",
        "Task.modifierExtension[0]",
    ),
    "invariant of a backbone element": (
        examples.patient,
        _set("contact", value=[{"gender": "male"}]),
        "pat-1",
        "Patient.contact[0]",
    ),
    "invariant of a datatype": (
        examples.encounter,
        _set("period", "end", value="2026-10-01T12:00:00-07:00"),
        "per-1",
        "Encounter.period",
    ),
    "invariant left to FHIRPath": (
        examples.service_request,
        _set("occurrenceTiming", value={"repeat": {"duration": 2}}),
        "tim-1",
        "ServiceRequest.occurrence.repeat",
    ),
    "time that runs backwards": (
        examples.task,
        _set("lastModified", value="2026-10-01T13:19:59-07:00"),
        "inv-1",
        "Task",
    ),
    "script in the narrative": (
        examples.care_plan,
        _set("text", "div", value='<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>'),
        "txt-1",
        "CarePlan.text.div",
    ),
    "blank narrative": (
        examples.care_plan,
        _set("text", "div", value='<div xmlns="http://www.w3.org/1999/xhtml"> </div>'),
        "txt-2",
        "CarePlan.text.div",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_told_with_place_and_rule_and_alone(name: str, checker: Checker) -> None:
    make, plant, rule, place = FAULTS[name]
    resource = make()
    plant(resource)

    found = [finding for finding in checker.check(resource, BASE_R4) if finding.severity == "error"]

    assert [(finding.rule, finding.location) for finding in found] == [(rule, place)]


def test_the_sound_resources_have_no_errors(checker: Checker) -> None:
    errors = [finding for make in examples.PROFILED.values() for finding in checker.check(make(), BASE_R4).errors]

    assert errors == []


def test_faults_in_a_bundle_are_placed_from_the_bundle(checker: Checker) -> None:
    bundle = examples.bundle()
    bundle["entry"][0]["resource"]["gender"] = "femme"

    (found,) = checker.check(bundle, BASE_R4).errors

    assert found.location == "Bundle.entry[0].resource.gender"


def test_bundle_rules_are_checked_on_the_bundle(checker: Checker) -> None:
    bundle = examples.bundle()
    bundle["entry"].append(copy.deepcopy(bundle["entry"][0]))
    bundle["entry"][1]["fullUrl"] = examples.BASE + "Encounter/another"
    bundle["entry"][2]["request"] = {"method": "POST", "url": "Observation"}

    errors = checker.check(bundle, BASE_R4).errors

    assert [(finding.rule, finding.location) for finding in errors] == [
        ("full-url", "Bundle.entry[1].fullUrl"),
        ("bdl-3", "Bundle"),
        ("bdl-7", "Bundle"),
    ]


def test_an_unknown_resource_in_a_bundle_is_told(checker: Checker) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Wish"}}]}

    (found,) = checker.check(bundle).errors

    assert (found.rule, found.location) == ("resource-type", "Bundle.entry[0].resource")


def test_every_wrong_thing_is_told_at_once(checker: Checker) -> None:
    resource = examples.patient()
    resource |= {"gender": "femme", "birthDate": "yesterday", "nickname": "A", "contact": [{"gender": "male"}]}

    rules = {finding.rule for finding in checker.check(resource, BASE_R4).errors}

    assert rules == {"binding-required", "type", "unknown-element", "pat-1"}


def test_no_message_holds_a_value_of_the_record(checker: Checker) -> None:
    resource = examples.patient()
    resource |= {"gender": "MARKED", "birthDate": "MARKED", "MARKED": 1, "name": [{"family": ["MARKED"], "text": 7}]}

    text = repr(checker.check(resource, BASE_R4).items).replace("Patient.MARKED", "")

    assert "MARKED" not in text


def test_no_damage_makes_the_checker_stumble(checker: Checker) -> None:
    resources = damaged(2_000, seed=7)

    verdicts = [checker.check(resource).is_valid for resource in resources]

    assert 0 < verdicts.count(True) < 1_000


def test_what_is_not_a_resource_is_told(checker: Checker) -> None:
    for value in (None, 7, "Patient", [], {}, {"resourceType": "Wish"}, {"resourceType": 7}):
        assert [finding.severity for finding in checker.check(value)] == ["error"]


def test_unknown_codes_of_terminology_hl7_org_are_suspect_not_wrong(checker: Checker) -> None:
    resource = examples.consent()
    resource["category"].append(concept(HL7 + "v3-ActCode", "42CFRPart2CD"))

    found = [finding for finding in checker.check(resource, BASE_R4) if finding.rule == "code-unknown"]

    assert [(finding.severity, finding.location) for finding in found] == [("warning", "Consent.category[2].coding[0]")]
