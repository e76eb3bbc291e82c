from typing import Any

import pytest

from gateway.mapping import apply
from gateway.mapping.codes import read_code_table
from gateway.model.draft import Draft, Rejected
from tests.support.small_mapping import CONTEXT, HEAD, a_mapping, a_row_record, a_tree_record, draft_of, facts_of

JSON_HEAD = HEAD.replace("format: table", "format: json")


def fact(expression: str, columns: set[str] | None = None, **row: str) -> Any:
    """Return what one expression makes of one row."""
    record = a_row_record({"ID": "1", **row}, columns=columns)
    return facts_of(f"facts:\n  x: {expression}", record)["x"]


@pytest.mark.parametrize(
    ("expression", "row", "expected"),
    [
        ("{from: A}", {"A": "x"}, "x"),
        ("{from: GONE}", {"A": "x"}, "not available"),
        ("{from: A, default: none given}", {}, "none given"),
        ("{from: A, as: integer}", {"A": "12"}, 12),
        ("{from: A, as: integer}", {"A": "-12"}, -12),
        ("{from: A, as: integer}", {"A": "about 12"}, "not recorded"),
        ("{from: A, as: integer}", {"A": "+-12"}, "not recorded"),
        ("{from: A, as: integer}", {"A": "9" * 5000}, "not recorded"),
        ("{from: A, as: boolean}", {"A": "Yes"}, True),
        ("{first: [{from: A}, {from: B}]}", {"B": "second"}, "second"),
        ("{concat: [{from: A}, {from: B}, end], with: '-'}", {"A": "x"}, "x-end"),
        ("{split: A}", {"A": "x; y;;x"}, ["x", "y"]),
        ("{split: A, by: '|', do: {map: {x: 1, y: 2}, from: .}}", {"A": "X|y"}, [1, 2]),
        ("{map: {M: male, F: female}, from: A, default: unknown}", {"A": "f"}, "female"),
        ("{map: {M: male, F: female}, from: A, default: unknown}", {}, "unknown"),
        ("{map: {M: male}, from: A}", {"A": "Q"}, "not recorded"),
        ("{value: {from: A}}", {"A": "x"}, {"from": "A"}),
        ("constant", {}, "constant"),
        ("[{from: A}, {from: B}, {from: A}]", {"A": "x", "B": "y"}, ["x", "y"]),
        ("{a: {from: A}, b: {from: B}}", {"A": "x"}, {"a": "x"}),
        ("{when: {has: A}, then: there, else: missing}", {"A": "x"}, "there"),
        ("{when: {has: A}, then: there, else: missing}", {"B": "x"}, "missing"),
        ("{when: {is: [A, 'Yes', 'Y']}, then: there}", {"A": "YES"}, "there"),
        ("{when: {not: {every: [{has: A}, {has: B}]}}, then: one}", {"A": "x"}, "one"),
        ("{when: {any: [{has: A}, {checked: B}]}, then: one}", {"B": "X"}, "one"),
        ("{count: A}", {"A": "x"}, 1),
    ],
)
def test_a_reader_gives(expression: str, row: dict[str, str], expected: object) -> None:
    assert fact(expression, {"A", "B"}, **row) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", True), ("y", True), ("X", True), ("1", True), ("No", False), ("N", False), ("DK", "unknown"),
        ("Unk", "unknown"), ("Not asked", "not asked"), ("Refused", "refused"), ("N/A", "not applicable"),
        ("", "not recorded"), ("-", "not recorded"), ("perhaps", "not recorded"),
    ],
)  # fmt: skip
def test_five_kinds_of_not_yes_stay_five(text: str, expected: object) -> None:
    row = {"A": text} if text else {}

    assert fact("{answer: A}", {"A"}, **row) == expected


def test_a_missing_column_is_not_available_and_never_no() -> None:
    assert fact("{answer: GONE}") == "not available"
    assert fact("{checked: GONE}") == "not available"


def test_one_of_two_check_boxes_missing_is_no_only_where_the_other_says_yes() -> None:
    assert fact("{checked: [A, GONE]}", {"A"}, A="X") is True
    assert fact("{checked: [A, GONE]}", {"A"}) == "not available"


def test_a_blank_check_box_is_no() -> None:
    assert fact("{checked: A}", {"A"}) is False


def test_a_check_box_with_another_text_is_reported_and_not_marked() -> None:
    draft = draft_of("facts: {x: {checked: A}}", a_row_record({"ID": "1", "A": "maybe"}))

    assert draft.facts["x"] is False
    assert [finding.rule for finding in draft.findings] == ["flag-unreadable"]
    assert "maybe" not in draft.findings[0].message


def test_an_unmapped_value_is_reported_without_its_text_and_not_guessed() -> None:
    draft = draft_of("facts: {x: {map: {M: male}, from: A}}", a_row_record({"ID": "1", "A": "Quux"}))

    assert draft.facts["x"] == "not recorded"
    assert [(one.rule, one.location) for one in draft.findings] == [("unmapped-value", "A")]
    assert "Quux" not in draft.findings[0].message


def test_an_unmapped_code_is_kept_as_text_and_reported() -> None:
    table = read_code_table("colors", "source_code,target_code,display,source\nred,r,Red,us\n")
    mapping = a_mapping("facts: {x: {code: A, codes: colors}}", tables={"colors": table})

    draft = apply(a_row_record({"ID": "1", "A": "Green"}), mapping, CONTEXT)

    assert isinstance(draft, Draft)
    assert draft.facts["x"] == {"text": "Green"}
    assert [one.rule for one in draft.findings] == ["unmapped-code"]


def test_flags_give_an_item_for_each_marked_column_with_the_extra_members() -> None:
    body = """
    read:
      behaviors:
        flags: {A: mania, B: other}
        codes: behaviors
        with: {author: clinical}
    use: contact
    """
    draft = draft_of(body, a_row_record({"ID": "1", "A": "X"}, columns={"B"}))

    codes = [
        (entry["resource"]["code"]["coding"][0]["code"], entry["resource"]["performer"])
        for entry in draft.bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    ]
    assert [code for code, _ in codes] == ["mania"]
    assert draft.facts["authors"] == {"police": "WA0990000", "clinical": "WA0990000"}


@pytest.mark.parametrize(
    ("row", "expected", "rules"),
    [
        ({"D": "01/05/2026", "T": "134"}, "2026-01-05T01:34:00-08:00", []),
        ({"D": "01/05/2026", "T": "5"}, "2026-01-05T00:05:00-08:00", []),
        ({"D": "01/05/2026"}, "2026-01-05", []),
        ({"D": "01/05/2026", "T": "late"}, "2026-01-05", ["time-unreadable"]),
        ({"D": "03/08/2026", "T": "230"}, "2026-03-08", ["local-time-gap"]),
        ({"D": "11/01/2026", "T": "130"}, "2026-11-01", ["local-time-ambiguous"]),
        ({"D": "01/01/1900", "T": "0"}, "not recorded", []),
        ({"D": "12/30/1899", "T": "0"}, "not recorded", []),
        ({"D": "2026-01-05", "T": "0"}, "not recorded", ["date-unreadable"]),
        ({}, "not recorded", []),
    ],
)
def test_a_local_time_in_two_columns(row: dict[str, str], expected: str, rules: list[str]) -> None:
    body = "facts:\n  x: {date: D, in: '%m/%d/%Y', time: T, time_in: HMM, zone: agency}"

    draft = draft_of(body, a_row_record({"ID": "1", **row}, columns={"D", "T"}))

    assert draft.facts["x"] == expected
    assert [finding.rule for finding in draft.findings] == rules


@pytest.mark.parametrize(
    ("written", "born"),
    [("02/03/58", "1958-02-03"), ("11/02/26", "2026-11-02"), ("11/03/26", "1926-11-03"), ("02/29/28", "1928-02-29")],
)
def test_somebody_born_in_a_year_of_two_digits_is_born_already(written: str, born: str) -> None:
    """The present day of these tests is 2 November 2026."""
    assert fact("{date: A, in: '%m/%d/%y', future: last-century}", A=written) == born


def test_a_year_in_full_is_never_put_into_another_century() -> None:
    body = "read: {started_at: {date: A, in: '%m/%d/%Y', future: last-century}}\nuse: contact"

    outcome = apply(a_row_record({"ID": "1", "A": "02/03/2058"}), a_mapping(body), CONTEXT)

    assert isinstance(outcome, Rejected)
    assert outcome.rule == "time-in-future"


def test_an_offset_of_the_source_is_kept() -> None:
    assert fact("{date: A, zone: agency}", A="2026-03-08T02:30:00+00:00") == "2026-03-08T02:30:00+00:00"


def test_each_row_in_turn_with_a_condition() -> None:
    record = a_row_record({"ID": "1", "A": "x", "B": "X"}, {"ID": "1", "A": "y"}, {"ID": "1", "A": "z", "B": "X"})

    found = facts_of("facts: {x: {each: rows, when: {checked: B}, do: {from: A}}}", record)

    assert found["x"] == ["x", "z"]


def test_items_of_a_tree_and_the_record_from_inside_a_loop() -> None:
    tree = {"ID": "1", "people": [{"name": "a"}, {"name": "b"}, {"other": "c"}]}
    body = "facts: {x: {each: people, when: {has: name}, do: {concat: [{from: $.ID}, {from: name}], with: ':'}}}"

    assert facts_of(body, a_tree_record(tree), JSON_HEAD)["x"] == ["1:a", "1:b"]


def test_a_value_read_before_can_be_used_again() -> None:
    body = (
        "read:\n  a: {b: {from: A}}\nfacts:\n  x: {read: a.b}\n  y: {when: {read: a.b, is: [k]}, then: {value: true}}"
    )

    assert facts_of(body, a_row_record({"ID": "1", "A": "K"})) == {"x": "K", "y": True}
