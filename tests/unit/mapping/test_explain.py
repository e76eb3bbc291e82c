from gateway.mapping import apply, explain
from gateway.model.draft import Draft, TraceLine
from gateway.model.source_record import SourceRecord
from tests.support.small_mapping import CONTEXT, HEAD, a_mapping, a_row_record, a_tree_record

TABLE = """
read:
  persons:
    - when: {has: NAME}
      then: {family: {from: NAME}, address: {city: {from: CITY}}}
  behaviors: {flags: {MANIC: mania, SAD: hopeless-depressed}, codes: behaviors}
  natures: {code: KIND, codes: natures}
facts:
  arrest: {checked: ARRESTED}
left_out: {NOTE: free text is withheld}
use: contact
"""


def lines(body: str, record: SourceRecord, head: str = HEAD) -> list[TraceLine]:
    mapping = a_mapping(body, head)
    draft = apply(record, mapping, CONTEXT)
    assert isinstance(draft, Draft), draft
    return explain(record, draft, mapping, CONTEXT)


ROW = {
    "ID": "1", "NAME": "Sample", "CITY": "Exampleville", "MANIC": "X", "KIND": "odd", "ARRESTED": "X", "NOTE": "n",
    "EXTRA": "e",
}  # fmt: skip


def test_every_source_field_with_a_value_occurs() -> None:
    assert {line.path for line in lines(TABLE, a_row_record(ROW))} == set(ROW)


def test_an_element_names_its_field_its_rule_and_the_value() -> None:
    found = [line for line in lines(TABLE, a_row_record(ROW)) if line.target == "Patient.name.family"]

    assert found == [TraceLine("NAME", "mapped", "small/mapping.yaml:17", "Patient.name.family", "Sample")]


def test_an_item_of_flags_names_the_one_column_it_came_from() -> None:
    found = [line for line in lines(TABLE, a_row_record({**ROW, "SAD": "X"})) if line.target == "Observation.code"]

    assert sorted(line.path for line in found) == ["KIND", "MANIC", "SAD"]


def test_the_four_things_that_can_become_of_a_field() -> None:
    by_path = {line.path: line for line in lines(TABLE, a_row_record(ROW))}

    assert by_path["CITY"].status == "mapped"
    assert by_path["KIND"].status == "kept"
    assert (by_path["NOTE"].status, by_path["NOTE"].rule) == ("ignored", "free text is withheld")
    assert by_path["EXTRA"].status == "unknown"
    assert by_path["ARRESTED"].target == "facts.arrest"


def test_the_leaves_of_a_tree_are_traced_by_the_steps_taken() -> None:
    head = HEAD.replace("format: table", "format: json")
    body = """
    read:
      persons: {each: people, do: {family: {from: name.last}, given: [{from: name.first}]}}
    left_out: {people.badge: not wanted here}
    use: contact
    """
    tree = {"ID": "1", "people": [{"name": {"last": "Sample", "first": "Avery"}, "badge": "9", "mood": "x"}]}

    found = {(line.path, line.status, line.target) for line in lines(body, a_tree_record(tree), head)}

    assert ("people.name.last", "mapped", "Patient.name.family") in found
    assert ("people.name.first", "mapped", "Patient.name.given") in found
    assert ("people.badge", "ignored", "") in found
    assert ("people.mood", "unknown", "") in found
    assert {path for path, _, _ in found} == {
        "ID", "people.name.last", "people.name.first", "people.badge", "people.mood",
    }  # fmt: skip
