import pytest
from fhir.resources.R4B import get_fhir_model_class

from gateway.demo.receiving_ehr.r4_rules import check, types_taken

_CASES = [
    ("a known type lacks a required element", {"resourceType": "Task", "intent": "order"}, ("required", "x.status")),
    (
        "a code is outside its required value set",
        {"resourceType": "Task", "status": "finished", "intent": "order"},
        ("code-invalid", "x.status"),
    ),
    ("an element is unknown", {"resourceType": "Organization", "badge": "1"}, ("structure", "x")),
    ("a list is written as one value", {"resourceType": "Organization", "alias": "A"}, ("structure", "x.alias")),
    ("one value is written as a list", {"resourceType": "Organization", "name": ["A"]}, ("structure", "x.name")),
    ("an element is empty", {"resourceType": "Organization", "alias": []}, ("structure", "x.alias")),
    ("the type is not taken", {"resourceType": "Coverage"}, ("not-supported", "x")),
    ("it is no object", "Patient", ("structure", "x")),
]


@pytest.mark.parametrize(("resource", "expected"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_resource_is_refused_when(resource: object, expected: tuple[str, str]) -> None:
    issues = check(resource, "x")

    assert [(issue.code, issue.expression) for issue in issues] == [expected]


def test_choice_element_and_primitive_extension_are_known() -> None:
    flag = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "seen"},
        "valueBoolean": True,
        "_status": {"id": "s"},
        "effectiveDateTime": "2026-01-02",
    }

    assert check(flag, "x") == []


@pytest.mark.parametrize("kind", types_taken())
def test_every_element_of_r4_is_taken(kind: str) -> None:
    """An independent copy of the standard agrees (the R4B models; equal to R4 for these types)."""
    model = get_fhir_model_class(kind)
    plain = {name for name in model.elements_sequence() if "fhir_comments" not in name}

    unknown = {
        name
        for name in plain
        if any(issue.expression == "x" for issue in check({"resourceType": kind, name: [1]}, "x"))
    }

    assert unknown == set()
