"""The expression engine behind its fence."""

import pytest

from gateway.validation.fhirpath import CannotEvaluate, compile_expression


def test_two_names_joined_by_or_ask_whether_one_is_there() -> None:
    holds = compile_expression("telecom or endpoint", "PractitionerRole")

    assert holds({"resourceType": "PractitionerRole", "telecom": [{"value": "a"}, {"value": "b"}]}, {}, {})
    assert not holds({"resourceType": "PractitionerRole"}, {}, {})


def test_a_rule_the_engine_cannot_evaluate_says_so_without_the_value() -> None:
    holds = compile_expression("name.family and true", "Patient")

    with pytest.raises(CannotEvaluate) as refused:
        holds({"resourceType": "Patient", "name": [{"family": "MARKED"}, {"family": "MARKED"}]}, {}, {})

    assert "MARKED" not in str(refused.value)


def test_traces_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    holds = compile_expression("name.trace('seen').exists()", "Patient")

    assert holds({"resourceType": "Patient", "name": [{"family": "MARKED"}]}, {}, {})
    assert capsys.readouterr() == ("", "")


def test_an_invariant_that_comes_out_empty_is_broken() -> None:
    assert not compile_expression("name.family = 'a'", "Patient")({"resourceType": "Patient"}, {}, {})


def test_the_resource_and_its_container_are_known_to_rules() -> None:
    holds = compile_expression("%resource.id = 'a' and %rootResource.id = 'b'", "Patient")

    assert holds({}, {"resourceType": "Patient", "id": "a"}, {"resourceType": "Goal", "id": "b"})


def test_references_and_value_sets_are_left_to_other_checks() -> None:
    assert compile_expression("subject.resolve().empty()", "Goal")({"subject": {"reference": "Patient/1"}}, {}, {})
    assert compile_expression("code.memberOf('urn:a')", "Coding")({"code": "a"}, {}, {})
