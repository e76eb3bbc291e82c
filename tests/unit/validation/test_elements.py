"""Whether R4 has an element, by the path a mapping writes it with."""

import pytest

from gateway.catalog.profiles import load_elements

ELEMENTS = load_elements()


@pytest.mark.parametrize(
    "path",
    [
        "Encounter",
        "Encounter.type[]",
        "Encounter.hospitalization.admitSource",
        "Encounter.participant[].period.start",
        "Condition.onsetDateTime",
        "Observation.valueQuantity.unit",
        "Observation.component[].referenceRange[].text",
        "Encounter.extension[].valueCoding",
        "Patient._birthDate.extension[]",
        "Patient.contained[].anything",
        "Appointment.basedOn[].identifier.assigner.display",
    ],
)
def test_an_element_of_r4_has_no_fault(path: str) -> None:
    assert ELEMENTS.fault(path) == ""


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("Enconter.type[]", "expected a resource type of R4, found 'Enconter'"),
        ("Period.start", "expected a resource type of R4, found 'Period'"),
        ("Encounter.typo", "expected an element that R4 has, found 'typo' of Encounter; near it: type"),
        ("Encounter.period.begin", "expected an element that R4 has, found 'begin' of Encounter.period"),
        ("Condition.onset", "expected an element that R4 has, found 'onset' of Condition; near it: onsetAge"),
        ("Condition.onsetQuantity", "expected an element that R4 has, found 'onsetQuantity' of Condition"),
        ("Patient.birthDate.value", "expected an element that R4 has, found 'value' of Patient.birthDate"),
        ("Encounter.type", "expected type[], found type: Encounter.type is a list"),
        ("Encounter.status[]", "expected status, found status[]: Encounter.status is no list"),
    ],
)
def test_what_r4_does_not_have_is_told(path: str, fault: str) -> None:
    assert ELEMENTS.fault(path).startswith(fault)
