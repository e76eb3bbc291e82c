from typing import Any

import pytest

from gateway.mapping.paths import PathError, PathKind, compile_path
from gateway.mapping.scope import Scope
from tests.support.small_mapping import CONTEXT, a_row_record, a_tree_record

TREE: dict[str, Any] = {
    "incident": {"$id": "i1", "type": " EDP ", "priority": 2, "closed": False},
    "person": [
        {"$id": "p1", "role": "Caller", "name": {"family": "Muster"}},
        {"$id": "p2", "role": ["Subject", "Patient"], "name": {"family": "Sample"}},
    ],
    "link": {"who": {"$ref": "p2"}},
    "nowhere": {"$ref": "p9"},
}


def texts(path: str, tree: dict[str, Any] = TREE, kind: PathKind = "dotted", **references: Any) -> list[str]:
    record = a_tree_record(tree, {"p1": tree.get("person", [0])[0], **references})
    return compile_path(path, kind).texts(Scope(record, tree, CONTEXT))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("incident.type", ["EDP"]),
        ("incident.priority", ["2"]),
        ("incident.closed", ["false"]),
        ("incident.missing.deeper", []),
        ("person.name.family", ["Muster", "Sample"]),
        ("person[2].name.family", ["Sample"]),
        ("person[role='Subject'].name.family", ["Sample"]),
        ("person[role!='Subject'].name.family", ["Muster"]),
        ("person[name.family='Muster'].role", ["Caller"]),
        ("person[missing].role", []),
        ("..family", ["Muster", "Sample"]),
        ("$.incident.$id", ["i1"]),
    ],
)
def test_a_dotted_path_leads_through_members_lists_and_filters(path: str, expected: list[str]) -> None:
    assert texts(path) == expected


def test_a_reference_is_followed() -> None:
    assert texts("link.who.name.family", p2=TREE["person"][1]) == ["Sample"]


def test_a_reference_to_nowhere_leads_nowhere() -> None:
    assert texts("nowhere.name.family") == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nc:Incident/nc:ActivityDate/nc:Date", ["2026-01-05"]),
        ("//nc:Date", ["2026-01-05"]),
        ("/nc:Incident/@nc:kind", ["x"]),
        ("nc:Incident/nc:Note", ["text beside an attribute"]),
        ("nc:Incident/{http://x.example/a/b/}Odd", ["1"]),
    ],
)
def test_a_slashed_path_leads_through_elements(path: str, expected: list[str]) -> None:
    tree = {
        "nc:Incident": {
            "@nc:kind": "x",
            "nc:ActivityDate": {"nc:Date": "2026-01-05"},
            "nc:Note": {"@nc:lang": "en", "#": "text beside an attribute"},
            "{http://x.example/a/b/}Odd": "1",
        }
    }

    assert texts(path, tree, "slashed") == expected


def test_a_column_of_the_record_has_the_values_of_all_rows() -> None:
    record = a_row_record({"ID": "1", "OUTCOME": "a"}, {"ID": "1"}, {"ID": "1", "OUTCOME": "b"})
    scope = Scope(record, {"ID": "1", "OUTCOME": "a"}, CONTEXT)

    assert compile_path("OUTCOME", "column").texts(scope) == ["a", "b"]


def test_a_column_of_a_row_has_its_value_only() -> None:
    record = a_row_record({"ID": "1", "OUTCOME": "a"}, {"ID": "1", "OUTCOME": "b"})
    scope = Scope(record, {"ID": "1", "OUTCOME": "a"}, CONTEXT)
    scope.node = record.rows[1]

    assert compile_path("OUTCOME", "column").texts(scope) == ["b"]


@pytest.mark.parametrize("path", ["", "  ", "person[role=Subject]", "person[", "[1]"])
def test_a_path_that_cannot_be_read_is_a_mistake(path: str) -> None:
    with pytest.raises(PathError):
        compile_path(path, "dotted")
