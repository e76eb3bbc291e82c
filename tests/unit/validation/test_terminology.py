"""Value sets: what is in, what is out, and what cannot be told."""

from collections.abc import Mapping
from typing import Any

from gateway.validation.terminology import Members, Terminology

SETS: dict[str, Mapping[str, Any]] = {
    "vs:listed": {"include": [{"system": "cs:a", "codes": ["x", "y"]}]},
    "vs:whole": {"include": [{"system": "cs:a"}]},
    "vs:below": {"include": [{"system": "cs:a", "filter": [{"property": "concept", "op": "is-a", "value": "b"}]}]},
    "vs:strictly-below": {
        "include": [{"system": "cs:a", "filter": [{"property": "concept", "op": "descendent-of", "value": "b"}]}]
    },
    "vs:property": {"include": [{"system": "cs:a", "filter": [{"property": "status", "op": "=", "value": "active"}]}]},
    "vs:licensed": {"include": [{"system": "http://snomed.info/sct"}]},
    "vs:union": {"include": [{"valueSet": ["vs:listed"]}, {"system": "cs:b", "concept": [{"code": "q"}]}]},
    "vs:both": {"include": [{"valueSet": ["vs:whole", "vs:listed"]}]},
    "vs:without": {"include": [{"system": "cs:a"}], "exclude": [{"system": "cs:a", "codes": ["x"]}]},
    "vs:broken": {"include": [{"valueSet": ["vs:nowhere"]}]},
    "vs:itself": {"include": [{"valueSet": ["vs:itself"]}]},
    "vs:media": {"include": [{"system": "urn:ietf:bcp:13"}]},
    "vs:resource": {"resourceType": "ValueSet", "compose": {"include": [{"system": "cs:b"}]}},
    "vs:expanded": {
        "resourceType": "ValueSet",
        "expansion": {"contains": [{"system": "cs:b", "code": "q", "contains": [{"system": "cs:b", "code": "r"}]}]},
    },
}
SYSTEMS: dict[str, Mapping[str, Any]] = {
    "cs:a": {"codes": ["b", "c", "x", "y"], "parents": {"c": ["b"], "x": ["c"]}},
    "cs:b": {"content": "complete", "concept": [{"code": "q", "concept": [{"code": "r"}]}]},
    "cs:part": {"content": "fragment", "concept": [{"code": "q"}]},
}


class _Definitions:
    """Answer from the tables above."""

    def structure(self, url: str) -> None:
        return None

    def value_set(self, url: str) -> Mapping[str, Any] | None:
        return SETS.get(url)

    def code_system(self, url: str) -> Mapping[str, Any] | None:
        return SYSTEMS.get(url)


def _members(url: str) -> Members:
    members = Terminology(_Definitions()).members(url)
    assert members is not None
    return members


def test_listed_codes_are_in_and_others_out() -> None:
    members = _members("vs:listed")

    assert [members.has("cs:a", code) for code in ("x", "b")] == ["in", "out"]
    assert members.has("cs:b", "x") == "out"
    assert [members.has(None, code) for code in ("x", "b")] == ["in", "out"]


def test_a_whole_system_has_all_its_codes() -> None:
    assert [_members("vs:whole").has("cs:a", code) for code in ("b", "z")] == ["in", "out"]


def test_a_hierarchy_is_followed_to_its_end() -> None:
    assert [_members("vs:below").has("cs:a", code) for code in ("b", "c", "x", "y")] == ["in", "in", "in", "out"]
    assert [_members("vs:strictly-below").has("cs:a", code) for code in ("b", "x")] == ["out", "in"]


def test_a_filter_that_needs_more_cannot_be_told() -> None:
    assert _members("vs:property").has("cs:a", "b") == "unknown"


def test_codes_of_a_licensed_system_cannot_be_told_and_others_are_out() -> None:
    members = _members("vs:licensed")

    assert (members.has("http://snomed.info/sct", "1"), members.has("cs:a", "x")) == ("unknown", "out")


def test_unions_intersections_and_exclusions_are_honoured() -> None:
    assert [_members("vs:union").has(*pair) for pair in (("cs:a", "x"), ("cs:b", "q"))] == ["in", "in"]
    assert [_members("vs:both").has("cs:a", code) for code in ("x", "b")] == ["in", "out"]
    assert [_members("vs:without").has("cs:a", code) for code in ("x", "y")] == ["out", "in"]


def test_a_value_set_that_takes_in_a_missing_one_leaves_everything_open() -> None:
    assert _members("vs:broken").has("cs:a", "x") == "unknown"
    assert _members("vs:itself").has("cs:a", "x") == "unknown"
    assert Terminology(_Definitions()).members("vs:nowhere") is None


def test_systems_with_a_grammar_are_told_by_it() -> None:
    members = _members("vs:media")

    assert [members.has(None, code) for code in ("text/plain; charset=utf-8", "plain")] == ["in", "out"]


def test_resources_serve_like_facts() -> None:
    assert [_members("vs:resource").has("cs:b", code) for code in ("q", "r", "s")] == ["in", "in", "out"]
    assert _members("vs:expanded").has("cs:b", "r") == "in"


def test_a_fragment_of_a_system_says_nothing_about_other_codes() -> None:
    terminology = Terminology(_Definitions())

    assert terminology.codes("cs:part") is None
    assert terminology.codes("cs:b") == {"q", "r"}
