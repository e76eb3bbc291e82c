"""The report of a message is true: nothing counts as mapped of which nothing came."""

import pytest

from tests.mappings.test_hl7v2_packs import PID, read


def fates(*lines: str, kind: str = "ADT^A01") -> dict[str, str]:
    return {one.path: one.status for one in read(*lines, kind=kind).report()}


def test_a_number_that_is_never_taken_is_told_as_ignored_and_its_neighbours_as_mapped() -> None:
    report = read("PID|1||M-1^^^SAMPLE^MR~999-99-9999^^^^SS~M-2^^^OTHER^MR||Testperson^Alma").report()

    told = {one.path: (one.status, one.rule) for one in report if one.path.startswith("PID-3")}
    assert [status for status, _ in told.values()] == ["mapped", "ignored", "mapped"]
    assert told["PID-3[2]"][1] == "social security and licence numbers are never taken"


@pytest.mark.parametrize(
    ("path", "line", "kind"),
    [
        ("PID-7", "PID|1||M-1||Testperson||19991399", "ADT^A01"),
        ("PID-25", "PID|1||M-1||Testperson" + "|" * 20 + "second", "ADT^A01"),
        ("PID-13", "PID|1||M-1||Testperson||||||||^PRN", "ADT^A01"),
        ("DG1-5", "DG1|1||F32.9^Depression^I10C||yesterday", "ADT^A01"),
        ("DG1-15", "DG1|1||F32.9^Depression^I10C||||||||||||first", "ADT^A01"),
        ("SCH-11", "SCH|1|2|||||||||^^^soon", "SIU^S12"),
        ("SCH-9", "SCH|1|2|||||||2|h^hour", "SIU^S12"),
    ],
)
def test_what_is_not_of_its_type_or_has_no_place_is_told_as_kept(path: str, line: str, kind: str) -> None:
    report = fates(line, kind=kind) if line.startswith("PID") else fates(PID, line, kind=kind)

    assert report[path] == "kept"


def test_a_field_whose_second_row_takes_it_is_mapped() -> None:
    report = fates(PID, "PV1|1|E|ED^1" + "|" * 42 + "20261103")

    assert (report["PV1-3"], report["PV1-45"]) == ("mapped", "mapped")


def test_lines_of_a_document_are_mapped_one_and_all() -> None:
    lines = [f"OBX|{n}|TX|18842-5^Summary^LN||line {n}||||||F" for n in (1, 2)]

    report = fates(PID, "TXA|1|DS|TX|||||||||D-1", *lines, kind="MDM^T02")

    assert (report["OBX-5"], report["OBX[2]-5"]) == ("mapped", "mapped")


def test_a_field_of_which_only_one_word_counts_says_so_of_the_others() -> None:
    added = {one.path: one for one in read(PID, "PRB|AD|20261102|F32.9^Depression^I10C|PRB-1", kind="PPR^PC1").report()}
    deleted = fates(PID, "PRB|DE|20261102|F32.9^Depression^I10C|PRB-1", kind="PPR^PC1")

    assert added["PRB-1"].rule.startswith("what the sender did with it")
    assert (added["PRB-1"].status, deleted["PRB-1"]) == ("kept", "mapped")
