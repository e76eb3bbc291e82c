"""Escape sequences both ways, with text written by somebody who means harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.hl7v2.build import NULL, Formatted, MessageWriter
from gateway.formats.hl7v2.delimiters import MAX_BLANK_RUN, STANDARD, Separators, escape, unescape
from gateway.formats.hl7v2.message import Message, State, read_message

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("|^~\\&\r\n\x0b\x1c\"'MSHPIDXFTE.br0\x85\u2028 \U0001f600é\x00"), st.characters()
    ),
    max_size=60,
)
ODD = Separators("#", "*", "?", "!", "%")


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"one\.br\two", "one\ntwo"),
        (r"one\.sp2\two", "one\n\ntwo"),
        (r"a\.sk3\b", "a   b"),
        (r"\H\loud\N\ quiet", "loud quiet"),
        (r"\X41\\X42\C", "ABC"),
        (r"\X0D0A\x", "\r\nx"),
        (r"caf\XC3\\XA9\ ", "café "),
        (r"\Z99\ \C2842\ stays", r"\Z99\ \C2842\ stays"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"5\6 \T\ 7", r"5\6 & 7"),
        (r"\XZZ\ \X4\ ", r"\XZZ\ \X4\ "),
        (r"open \F", r"open \F"),
        (r"\.fi\\.nf\\.in+4\plain", "plain"),
    ],
)
def test_sequences_mean_what_chapter_2_7_says_and_the_rest_stays_as_sent(sent: str, meant: str) -> None:
    assert unescape(sent, STANDARD, "utf-8") == meant


def test_a_space_command_cannot_be_made_to_fill_the_memory() -> None:
    assert unescape(r"\.sp999999999\ ", STANDARD) == "\n" * MAX_BLANK_RUN + " "


@given(HOSTILE)
def test_formatted_text_comes_back_with_line_breaks_as_line_feeds(text: str) -> None:
    expected = text.translate(dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"))
    for line_break in ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"):
        expected = expected.replace(line_break, "\n")

    assert unescape(escape(text, formatted=True), STANDARD, "utf-8") == expected


@given(HOSTILE, st.sampled_from([STANDARD, ODD]))
def test_no_text_becomes_structure(text: str, separators: Separators) -> None:
    written = escape(text, separators)

    assert not set(written) & set(separators.field + separators.component + separators.repetition)
    assert len(written.splitlines()) <= 1
    assert all(character >= " " for character in written)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_a_message_of_hostile_text_has_the_segments_and_fields_that_were_written(a: str, b: str, c: str) -> None:
    writer = MessageWriter()
    writer.add("MSH", {3: (a, b), 9: ("REF", "I12"), 10: "C1", 18: "UNICODE UTF-8"})
    writer.add("PID", {3: [(a, "", (b, c)), c], 5: b})
    writer.add("NTE", {3: Formatted(c)})

    message = read_message(writer.to_bytes("utf-8"))

    assert isinstance(message, Message)
    assert [segment.id for segment in message.segments] == ["MSH", "PID", "NTE"]
    assert message.text("MSH-10") == "C1"
    assert message.text("PID-5") == one_line(b)
    assert message.text("PID-3[1].1") == one_line(a)
    assert message.text("PID-3[1].3.2") == one_line(c)
    assert message.text("PID-3[2]") == one_line(c)


def one_line(text: str) -> str:
    """What a field that is not formatted text keeps of a text: line breaks become blanks."""
    text = text.translate(dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"))
    for line_break in ("\r\n", "\r", "\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"):
        text = text.replace(line_break, " ")
    return text


def test_two_quotes_written_as_text_do_not_ask_for_deletion() -> None:
    writer = MessageWriter()
    writer.add("MSH", {9: ("REF", "I12"), 10: "C1"})
    writer.add("PID", {5: '""', 7: NULL})

    message = read_message(writer.to_bytes("ascii"))

    assert isinstance(message, Message)
    assert (message.state("PID-5"), message.text("PID-5")) == (State.VALUED, '""')
    assert message.state("PID-7") is State.NULL


def test_empty_parts_at_the_end_are_not_written_and_those_between_are() -> None:
    writer = MessageWriter()
    writer.add("PID", {3: ("1", "", "", ("H", ""), ""), 8: "", 5: [("A", "B"), ""]})

    assert writer.to_bytes("ascii") == b"PID|||1^^^H||A^B~\r"


@pytest.mark.parametrize(
    ("segment", "fields"), [("pid", {1: "x"}), ("PID|", {1: "x"}), ("MSH", {2: "x"}), ("PID", {0: "x"})]
)
def test_structure_is_not_taken_from_data(segment: str, fields: dict[int, str]) -> None:
    with pytest.raises(ValueError, match=r"expected a segment name|cannot be set"):
        MessageWriter().add(segment, fields)
