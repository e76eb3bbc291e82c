"""Several messages in one payload: files, batches, and text that only looks like a message."""

from gateway.formats.hl7v2 import split_batch

ONE = b"MSH|^~\\&|A||||||ADT^A01|1|P|2.5\rPID|1\r"
TWO = b"MSH|^~\\&|A||||||ADT^A03|2|P|2.5\rPID|1\r"


def test_messages_one_after_the_other_are_cut_at_each_header() -> None:
    assert split_batch(ONE + TWO).messages == [ONE, TWO]


def test_blank_lines_and_a_byte_order_mark_stay_with_a_message() -> None:
    payload = b"\xef\xbb\xbf" + ONE + b"\r\n\r\n" + TWO + b"\r\n"

    batch = split_batch(payload)

    assert len(batch.messages) == 2
    assert b"".join(batch.messages) == payload


def test_line_feed_messages_and_carriage_return_messages_may_share_a_file() -> None:
    unix = ONE.replace(b"\r", b"\n")

    assert split_batch(unix + TWO + unix).messages == [unix, TWO, unix]


def test_a_dump_of_framed_messages_is_cut_too() -> None:
    batch = split_batch(b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r")

    assert len(batch.messages) == 2


def test_a_batch_shows_its_envelope_and_agrees_with_its_counts() -> None:
    batch = split_batch(b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r")

    assert [kind for kind, _ in batch.pieces] == ["FHS", "BHS", "MSH", "MSH", "BTS", "FTS"]
    assert batch.is_batch
    assert batch.miscounted() == []


def test_a_trailer_that_counts_wrong_is_named() -> None:
    batch = split_batch(b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + b"BTS|2\rFTS|9\r")

    assert batch.miscounted() == ["BTS-1", "FTS-1"]
    assert batch.messages == [ONE]


def test_a_line_feed_and_a_header_inside_a_note_make_no_message() -> None:
    forged = b"MSH|^~\\&|A||||||REF^I12|1|P|2.5\rNTE|1||he said\nMSH|^~\\&|EVIL||||||ADT^A40|9|P|2.5\rPID|1\r"

    assert split_batch(forged).messages == [forged]


def test_what_is_no_message_is_kept() -> None:
    batch = split_batch(b"hello\r" + ONE)

    assert batch.pieces[0] == ("", b"hello\r")
    assert split_batch(b"hello").messages == []
    assert split_batch(b"").pieces == ()


def test_a_word_that_begins_like_a_header_is_none() -> None:
    assert split_batch(b"MSHX|1\r").messages == []
