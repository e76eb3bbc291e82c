from typing import Any

import pytest

from gateway.mapping import Agency, Context
from tests.support.small_mapping import AT, a_row_record, draft_of, resources


def written(node: str, read: str = "{}", row: dict[str, str] | None = None) -> Any:
    """Return what one node of a block makes of a row."""
    body = f"""
    read: {read}
    write:
      - name: first
        resource: Basic
        key: k
        id: [first]
        set: {{status: x}}
      - name: it
        resource: Basic
        id: [it]
        set: {{value: {node}, names: [$a, $b, $list]}}
    """
    known = Agency("urn:x", "known", "Known Organization", None)
    context = Context(b"k", AT, agencies=lambda system, value: known if value == "known" else None)
    draft = draft_of(body, a_row_record({"ID": "1", **(row or {})}), context=context)
    return resources(draft, "Basic")[1].get("value")


ALL = "{a: {from: A}, b: {from: B}, list: [{from: A}, {from: B}]}"


@pytest.mark.parametrize(
    ("node", "row", "expected"),
    [
        ("constant", {}, "constant"),
        ("$$a", {}, "$a"),
        ("$a", {"A": "x"}, "x"),
        ("$missing.member", {"A": "x"}, None),
        ("{inner: $a, rest: 1}", {}, {"rest": 1}),
        ("{inner: $a}", {}, None),
        ("[{inner: $a}]", {}, None),
        ("[$list, z]", {"A": "x", "B": "y"}, ["x", "y", "z"]),
        ("{$first: [$a, $b, z]}", {"B": "y"}, "y"),
        ("{$text: [$a, $b], $with: '-'}", {"A": "x", "B": "y"}, "x-y"),
        ("{$base64: $a}", {"A": "x"}, "eA=="),
        ("{$xhtml: [$a]}", {"A": "a < b"}, '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div>'),
        ("{$when: $a, $then: yes it is, $else: no}", {"A": "x"}, "yes it is"),
        ("{$when: $a, code: c}", {}, None),
        ("{$when: {$is: [$a, x, y]}, code: c}", {"A": "y"}, {"code": "c"}),
        ("{$when: {$every: [$a, {$not: $b}]}, code: c}", {"A": "x"}, {"code": "c"}),
        ("{$when: {$any: [$a, $b]}, $text: [$b]}", {"B": "y"}, "y"),
        ("{$switch: $a, x: one, y: two, $else: other}", {"A": "y"}, "two"),
        ("{$switch: $a, x: one, $else: other}", {}, "other"),
        ("{$each: $list, $as: i, $do: {v: $i}}", {"A": "x", "B": "y"}, [{"v": "x"}, {"v": "y"}]),
        ("{$each: $list, $as: i, $when: {$is: [$i, y]}, $do: $i}", {"A": "x", "B": "y"}, ["y"]),
        ("{$only: $list}", {"A": "x"}, "x"),
        ("{$only: $list}", {"A": "x", "B": "y"}, None),
        ("{$instant: $a}", {"A": "2026-01-05"}, None),
        ("{$instant: $a}", {"A": "2026-01-05T10:00:00Z"}, "2026-01-05T10:00:00Z"),
        ("{$registered: ['urn:x', $a]}", {"A": "known"},
         {"system": "urn:x", "value": "known", "name": "Known Organization"}),
        ("{$registered: ['urn:x', $a]}", {"A": "stranger"}, None),
        ("{$ref: first, $of: other}", {}, None),
    ],
)  # fmt: skip
def test_a_node_gives(node: str, row: dict[str, str], expected: object) -> None:
    assert written(node, ALL, row) == expected


def test_a_reference_names_the_resource_written_before() -> None:
    assert written("{$ref: first, display: shown}")["reference"].startswith("Basic/")
    assert written("{$ref: first, $of: k}") == {"reference": written("{$ref: first}")["reference"]}
    assert written("{$refs: first}") == [written("{$ref: first}")]


def test_a_coded_item_becomes_a_concept_and_an_unmapped_one_its_text() -> None:
    read = "{a: {code: A, codes: behaviors}}"
    node = "{$concept: $a, $system: 'urn:s'}"

    mapped = written(node, read, {"A": "mania"})

    assert mapped["coding"][0]["system"] == "urn:s"
    assert mapped["coding"][0]["code"] == "mania"
    assert written(node, read, {"A": "whistling"}) == {"text": "whistling"}


def test_stable_ids_hang_on_what_they_say() -> None:
    read = "{a: {from: A}}"

    assert written("{$id: [x, $a]}", read, {"A": "1"}) != written("{$id: [x, $a]}", read, {"A": "2"})
    assert written("{$id: [x], $scope: installation}") == written("{$id: [x], $scope: installation}")
