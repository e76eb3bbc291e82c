import pytest

from gateway.formats import matching, read
from gateway.model.received import Received
from gateway.model.source_record import SourceItem, SourceLayout, SourceRecord, Unreadable

LAYOUT = SourceLayout(
    "small", "table", key=("ID",), recognize=("ID", "Call Type"),
    columns={"id": "ID", "call type": "Call Type", "call_type": "Call Type", "note": "Note"},
)  # fmt: skip


def items(payload: str | bytes, layout: SourceLayout = LAYOUT) -> list[SourceItem]:
    raw = payload if isinstance(payload, bytes) else payload.encode()
    return list(read(Received.of_bytes("file", raw), layout))


def rows(payload: str | bytes, layout: SourceLayout = LAYOUT) -> list[dict[str, str]]:
    found = items(payload, layout)
    assert all(isinstance(item, SourceRecord) for item in found), found
    return [row for item in found if isinstance(item, SourceRecord) for row in item.rows]


ONE = [{"ID": "1", "Call Type": "911", "Note": "a"}]


@pytest.mark.parametrize(
    "payload",
    [
        "ID,Call Type,Note\n1,911,a\n",
        "ID,Call Type,Note\n1,911,a",
        "ID,Call Type,Note\r1,911,a\r",
        "ID,Call Type,Note\r\n1,911,a\r\n",
        "ID\tCall Type\tNote\n1\t911\ta\n",
        "ID|Call Type|Note\n1|911|a\n",
        "ID;Call Type;Note\n1;911;a\n",
        "\ufeffID,Call Type,Note\n1,911,a\n",
        "Note,CALL_TYPE, id \na,911,1\n",
        '"ID","Call  Type",Note\n  1  ,"911 ",   a\n',
        "City of Nowhere\nExport of today,,\n\nID,Call Type,Note\n1,911,a\n",
        "ID,Call Type,Note\n\nID,Call Type,Note\n1,911,a\n,,\nID,Call Type,Note\n",
        "ID,Call Type,Note\n1,911,a,,\n",
        "ID,Call Type,Note\n1,911,a\n".encode("utf-16"),
    ],
)
def test_a_table_is_read_whatever_its_export_did_to_it(payload: str | bytes) -> None:
    assert rows(payload) == ONE


def test_quoted_line_ends_delimiters_and_quotes_are_content() -> None:
    payload = 'ID,Call Type,Note\n1,911,"first\r\nsecond, ""third"""\n2,911,5\'6" tall\n'

    assert [row["Note"] for row in rows(payload)] == ['first\r\nsecond, "third"', "5'6\" tall"]


def test_utf8_and_windows_1252_may_change_from_line_to_line() -> None:
    payload = b"ID,Call Type,Note\n1,911,Ca\xf1on\n2,911,Ca\xc3\xb1on\n3,911,\x93so\x94\n"

    assert [row["Note"] for row in rows(payload)] == ["Cañon", "Cañon", "“so”"]


def test_rows_of_one_key_are_one_record_wherever_they_stand() -> None:
    found = items("ID,Call Type\n1,a\n2,b\n1,c\n")

    assert [(item.number, item.where) for item in found] == [(1, "line 2"), (2, "line 3")]
    assert isinstance(found[0], SourceRecord)
    assert [row["Call Type"] for row in found[0].rows] == ["a", "c"]


def test_a_record_knows_every_column_of_the_file_also_the_blank_ones() -> None:
    found = items("ID,Call Type,Extra\n1,,\n")[0]

    assert isinstance(found, SourceRecord)
    assert found.rows == ({"ID": "1"},)
    assert found.columns == {"ID", "Call Type", "Extra"}


def test_a_column_that_stands_twice_gets_a_number() -> None:
    found = items("ID,Call Type,Note,Note\n1,911,a,b\n")[0]

    assert isinstance(found, SourceRecord)
    assert found.rows == ({"ID": "1", "Call Type": "911", "Note": "a", "Note (2)": "b"},)


def test_what_a_source_writes_for_nothing_is_nothing() -> None:
    layout = SourceLayout("small", "table", key=("ID",), recognize=("ID",), blanks=frozenset({"-", "NULL"}))

    assert rows("ID,A,B,C\n1,-,NULL,Null\n", layout) == [{"ID": "1", "C": "Null"}]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,911", "expected 3 cells, found 2"),
        ("2,911,a,b", "expected 3 cells, found 4"),
        (",911,a", "expected a value in ID, found a blank"),
        ("2,9\x0011,a", "expected text, found a NUL character"),
        ("2,911," + "x" * 1_100_000, "expected a row of at most 1 MiB, found a longer one"),
        ('2,911,"' + "lorem, ipsum\n" * 100_000 + '"', "expected a row of at most 1 MiB, found a longer one"),
        ('2,911,"' + '""' * 600_000 + '"', "expected a row of at most 1 MiB, found a longer one"),
    ],
)
def test_a_broken_row_is_one_unreadable_input_and_its_neighbours_live(row: str, reason: str) -> None:
    # The head is what recognizes text; a NUL in it would make the file binary.
    filler = "".join(f"f{n},911,a\n" for n in range(10_000))

    found = items(f"ID,Call Type,Note\n1,911,a\n{filler}{row}\n3,911,a\n")

    bad = [item for item in found if isinstance(item, Unreadable)]
    assert [(item.where, item.reason) for item in bad] == [("line 10003", reason)]
    assert len(found) == 10_003
    assert isinstance(found[-1], SourceRecord)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("ID,Call Type,Note\n1,911,a\n2,9", "expected 3 cells, found 2; the file ends inside this row"),
        ('ID,Call Type,Note\n1,911,a\n2,911,"a', "expected a closing quote, found the end of the file"),
    ],
)
def test_a_truncated_file_loses_its_last_row_only(payload: str, reason: str) -> None:
    found = items(payload)

    assert isinstance(found[0], SourceRecord)
    assert found[1] == Unreadable(2, "line 3", reason)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (bytes(range(256)), "expected delimited text, found binary data"),
        (b"A,Call Type\n1,2\n", "expected a header row with the column(s) ID, found none"),
    ],
)
def test_what_is_no_such_table_is_one_unreadable_input(payload: bytes, reason: str) -> None:
    assert items(payload) == [Unreadable(1, "the file", reason)]


def test_a_table_of_nothing_but_a_header_has_no_inputs() -> None:
    assert items("ID,Call Type,Note\n") == []


@pytest.mark.parametrize(
    ("payload", "is_ours"),
    [
        (b"x\nID,Call Type\n", True), (b"id|call_type|more\n", True), (b'[{"id": 1, "call_type": 2}]', True),
        (b"ID,Other\n", False), (b'[{"id": 1}]', False), (b"\x00\x01ID,Call Type", False), (b"", False),
    ],
)  # fmt: skip
def test_a_table_is_recognized_by_its_columns(payload: bytes, is_ours: bool) -> None:
    assert matching(Received.of_bytes("any.txt", payload), [LAYOUT]) == ([LAYOUT] if is_ours else [])


def test_what_stays_too_long_without_its_content_is_no_table() -> None:
    found = items("ID,Call Type,Note\n1,911,a\n" + ",;" * 1_500_000 + "\n2,911,a\n")

    assert isinstance(found[0], SourceRecord)
    assert found[1] == Unreadable(2, "line 3", "expected rows of at most 1 MiB; the rest of the file was not read")
    assert len(found) == 2
