"""Definitions read into records: what is taken over, and what is refused."""

import pytest

from gateway.validation.definitions import DefinitionError, bare, read_structure

URL = "https://x.example/StructureDefinition/p"


def _definition(*elements: dict[str, object], **head: object) -> dict[str, object]:
    return {"type": "Goal", "kind": "resource", "snapshot": {"element": list(elements)}, **head}


def test_a_definition_without_snapshot_is_refused_with_what_to_do() -> None:
    with pytest.raises(DefinitionError, match="add a snapshot"):
        read_structure(URL, {"type": "Goal", "kind": "resource", "differential": {"element": []}})


def test_an_element_without_its_parent_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"Goal\.target\.measure has no parent"):
        read_structure(URL, _definition({"path": "Goal"}, {"path": "Goal.target.measure"}))


def test_slices_hang_on_their_element_and_children_on_their_slice() -> None:
    rows = [
        {"id": "Goal", "path": "Goal"},
        {"id": "Goal.category", "path": "Goal.category", "max": "*"},
        {"id": "Goal.category:own", "path": "Goal.category", "min": 1, "max": "1", "base": {"max": "*"}},
        {"id": "Goal.category:own.text", "path": "Goal.category.text"},
    ]

    category = read_structure(URL, _definition(*rows)).root.children["category"]

    own = category.slices["own"]
    assert (own.element.least, own.element.most, own.element.many) == (1, 1, True)
    assert list(own.children) == ["text"]
    assert category.element.most is None


def test_a_resource_id_is_an_id_whatever_the_snapshot_calls_it() -> None:
    system_string = [{"code": "http://hl7.org/fhirpath/System.String"}]
    element = {"path": "Goal.id", "base": {"path": "Resource.id", "max": "1"}, "type": system_string}

    structure = read_structure(URL, _definition({"path": "Goal"}, element))

    assert [item.code for item in structure.root.children["id"].element.types] == ["id"]


def test_only_contexts_that_are_paths_limit_where_an_extension_stands() -> None:
    def context(kind: str, expression: str) -> tuple[str, ...]:
        item = {"type": kind, "expression": expression}
        return read_structure(URL, _definition({"path": "Extension"}, context=[item])).context

    assert context("element", "Consent.performer") == ("Consent.performer",)
    assert context("fhirpath", "Consent") == ("Consent",)
    assert context("fhirpath", "Consent.where(status = 'active')") == ()
    assert context("extension", "https://x.example/e") == ()


def test_best_practice_is_information() -> None:
    marker = {"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice", "valueBoolean": True}
    rule = {"key": "a-1", "severity": "warning", "expression": "true", "extension": [marker]}

    structure = read_structure(URL, _definition({"path": "Goal", "constraint": [rule]}))

    assert [item.severity for item in structure.root.element.invariants] == ["information"]


def test_a_version_is_no_part_of_a_name() -> None:
    assert bare("https://x.example/vs|1.0") == "https://x.example/vs"
