import pytest

from gateway.mapping.codes import CodeTableError, read_code_table, tells_of_justice

TABLE = """source_code,target_code,display,source,sud
Crisis Clinic,crisis-clinic,Crisis clinic,somebody's list,no
Detox,detox,Detoxification,somebody's list,yes
excited delirium,,,kept as text on purpose,no
"""


def test_a_word_of_the_source_is_found_whatever_its_case_and_blanks() -> None:
    table = read_code_table("services", TABLE)

    assert table.item_of("  CRISIS   clinic ") == {
        "code": "crisis-clinic", "display": "Crisis clinic", "text": "Crisis clinic",
    }  # fmt: skip


def test_yes_in_a_further_column_marks_the_item_and_no_leaves_nothing() -> None:
    table = read_code_table("services", TABLE)

    assert table.item_for("detox")["sud"] is True
    assert "sud" not in table.item_for("crisis-clinic")


def test_a_row_without_a_code_keeps_the_words_of_the_source() -> None:
    assert read_code_table("services", TABLE).item_of("Excited Delirium") == {"text": "Excited Delirium"}


def test_a_word_that_is_not_in_the_table_is_not_guessed() -> None:
    assert read_code_table("services", TABLE).item_of("crisis") is None


def test_items_are_copies_so_that_nobody_changes_the_table() -> None:
    table = read_code_table("services", TABLE)

    table.item_for("detox")["code"] = "changed"

    assert table.item_for("detox")["code"] == "detox"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source_code,display,source\n", "1: expected the column target_code"),
        (TABLE + "a,b\n", "5: expected 5 cells, found 2"),
        (TABLE + "detox,other,Other,list,no\n", "5: source_code: stands here a second time"),
    ],
)
def test_a_broken_table_names_its_line(text: str, message: str) -> None:
    with pytest.raises(CodeTableError, match=message):
        read_code_table("services", text)


@pytest.mark.parametrize("text", ["Subject Arrested", "BOOKED into jail", "misdemeanor citation", "Taser deployed"])
def test_words_of_arrest_and_force_are_recognized(text: str) -> None:
    assert tells_of_justice(text)


@pytest.mark.parametrize("text", ["Peer support offered", "Transport to the clinic", "Left with family"])
def test_words_of_care_are_not_taken_for_justice(text: str) -> None:
    assert not tells_of_justice(text)
