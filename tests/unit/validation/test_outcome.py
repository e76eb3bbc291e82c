"""Findings rendered as OperationOutcome."""

from gateway.model.findings import Finding, Findings
from gateway.validation import Checker, read_json, to_operation_outcome
from tests.unit.validation import examples


def test_a_finding_becomes_an_issue_with_its_place_and_rule() -> None:
    found = Findings((Finding("error", "min", "Task.focus", "expected a value, found none; add it"),))

    assert to_operation_outcome(found) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "details": {"text": "min"},
                "diagnostics": "expected a value, found none; add it",
                "expression": ["Task.focus"],
            }
        ],
    }


def test_an_invariant_keeps_its_own_key() -> None:
    found = Findings((Finding("error", "pat-1", "Patient.contact[0]", "expected this to hold"),))

    (issue,) = to_operation_outcome(found)["issue"]

    assert (issue["code"], issue["details"]) == ("invariant", {"text": "pat-1"})


def test_what_could_not_be_read_has_no_fhirpath() -> None:
    (issue,) = to_operation_outcome(read_json(b"{")[1])["issue"]

    assert (issue["code"], "expression" in issue) == ("structure", False)


def test_nothing_found_is_said() -> None:
    (issue,) = to_operation_outcome(Findings())["issue"]

    assert issue["severity"] == "information"


def test_an_outcome_is_itself_valid(checker: Checker) -> None:
    resource = examples.patient() | {"gender": "femme", "nickname": "A", "contact": [{"gender": "male"}]}

    outcome = to_operation_outcome(checker.check(resource))

    assert checker.check(outcome).errors == ()
    assert len(outcome["issue"]) >= 3
