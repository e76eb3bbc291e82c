"""A trace gathered by source field."""

from typing import Any

from gateway.web.console.trace import TracedField, by_field


def a_line(path: str, target: str, **changes: Any) -> dict[str, Any]:
    return {"path": path, "status": "mapped", "rule": "mapping.yaml:14", "target": target, "value": "X"} | changes


def test_a_field_that_fills_several_elements_is_one_line() -> None:
    told = by_field([a_line("DOB", "Patient.birthDate"), a_line("DOB", "facts.age"), a_line("DOB", "facts.age")])

    assert told == [TracedField("DOB", "X", "mapped", ("Patient.birthDate", "facts.age"), ("mapping.yaml:14",))]


def test_rows_that_say_different_things_stay_apart_in_their_order() -> None:
    told = by_field(
        [a_line("OUTCOME", "o", value="B"), a_line("OUTCOME", "o", value="A"), a_line("OUTCOME", "", status="kept")]
    )

    assert [(one.value, one.status) for one in told] == [("B", "mapped"), ("A", "mapped"), ("X", "kept")]


def test_a_field_that_fills_nothing_has_its_reason() -> None:
    told = by_field([a_line("NOTES", "", status="ignored", rule="free text is withheld", value=None)])

    assert told == [TracedField("NOTES", None, "ignored", (), ("free text is withheld",))]
