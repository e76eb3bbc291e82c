"""The stream reader: any cut of the bytes gives the same messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.mllp_frames import HEAD_BYTES, Event, Frame, FrameReader, Oversized, Unfinished, frame

LIMIT = 10_000


def events(*packets: bytes, limit: int = LIMIT) -> list[Event]:
    reader = FrameReader(limit)
    return [event for packet in packets for event in reader.feed(packet)]


def test_one_block_in_one_packet() -> None:
    assert events(b"\x0bMSH|a\r\x1c\r") == [Frame(b"MSH|a\r")]


def test_one_block_in_packets_of_one_byte() -> None:
    packets = [bytes([byte]) for byte in b"\x0bMSH|a\r\x1c\r\x0bMSH|b\r\x1c\r"]

    assert events(*packets) == [Frame(b"MSH|a\r"), Frame(b"MSH|b\r")]


def test_two_blocks_in_one_packet() -> None:
    assert events(b"\x0bMSH|a\x1c\r\x0bMSH|b\x1c\r") == [Frame(b"MSH|a"), Frame(b"MSH|b")]


def test_bytes_outside_a_block_are_counted_and_dropped() -> None:
    reader = FrameReader(LIMIT)

    found = reader.feed(b"noise\x0bMSH|a\x1c\r\r\nmore\x0bMSH|b\x1c\r")

    assert found == [Frame(b"MSH|a"), Frame(b"MSH|b")]
    assert reader.discarded_bytes == 9


def test_an_end_byte_alone_counts_when_the_next_block_follows() -> None:
    assert events(b"\x0bMSH|a\x1c\x0bMSH|b\x1c\r") == [Frame(b"MSH|a"), Frame(b"MSH|b")]


def test_an_end_byte_alone_counts_when_the_peer_waits() -> None:
    reader = FrameReader(LIMIT)

    assert reader.feed(b"\x0bMSH|a\x1c") == []
    assert reader.settle() == [Frame(b"MSH|a")]
    assert reader.feed(b"\r\x0bMSH|b\x1c\r") == [Frame(b"MSH|b")]
    assert reader.discarded_bytes == 0


def test_waiting_in_the_middle_of_a_message_settles_nothing() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(b"\x0bMSH|a")

    assert reader.settle() == []
    assert reader.is_inside


def test_an_end_byte_inside_content_is_content() -> None:
    assert events(b"\x0bMSH|a\x1cb\x1c\r") == [Frame(b"MSH|a\x1cb")]


@pytest.mark.parametrize("header", [b"MSH", b"FHS", b"BHS"])
def test_a_start_byte_before_a_header_ends_the_message_that_was_cut_off(header: bytes) -> None:
    assert events(b"\x0bMSH|cut\x0b" + header + b"|b\x1c\r") == [Unfinished(b"MSH|cut"), Frame(header + b"|b")]


def test_a_start_byte_elsewhere_is_content() -> None:
    assert events(b"\x0bMSH|a\x0bb\x0bMS\x1c\r") == [Frame(b"MSH|a\x0bb\x0bMS")]


def test_an_unfinished_block_is_kept_when_the_stream_ends() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(b"\x0bMSH|a")

    assert reader.close() == [Unfinished(b"MSH|a")]
    assert reader.close() == []


def test_a_block_over_the_limit_is_drained_and_the_next_one_read() -> None:
    big = b"MSH|big|" + b"x" * 50_000

    found = events(b"\x0b" + big + b"\x1c\r\x0bMSH|b\x1c\r", limit=20_000)

    assert found == [Oversized(big[:HEAD_BYTES], len(big)), Frame(b"MSH|b")]


def test_a_block_over_the_limit_takes_no_memory_when_it_comes_in_pieces() -> None:
    reader = FrameReader(20_000)
    pieces = [b"\x0bMSH|big|", *[b"x" * 1000] * 500, b"\x1c", b"\r", b"\x0bMSH|b\x1c\r"]

    found = [event for piece in pieces for event in reader.feed(piece)]

    assert found == [Oversized((b"MSH|big|" + b"x" * HEAD_BYTES)[:HEAD_BYTES], 500_008), Frame(b"MSH|b")]


def test_a_block_of_exactly_the_limit_is_taken() -> None:
    content = b"MSH" + b"x" * (LIMIT - 3)

    assert events(b"\x0b" + content + b"\x1c\r") == [Frame(content)]
    assert events(b"\x0b" + content + b"y\x1c\r") == [Oversized((content)[:HEAD_BYTES], LIMIT + 1)]


PIECES = st.lists(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"MSH|", b"FHS", b"x", b"\x0bMSH|a", b"\x1c\r"]), max_size=20
)


@given(PIECES, st.data())
def test_any_cut_of_any_stream_gives_the_same_events(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, cut = FrameReader(LIMIT), FrameReader(LIMIT)

    expected = [*whole.feed(stream), *whole.close()]
    found = [*(event for packet in packets for event in cut.feed(packet)), *cut.close()]

    assert found == expected
    assert cut.is_inside == whole.is_inside


@given(st.binary(max_size=60).filter(lambda content: b"\x1c" not in content and b"\x0b" not in content))
def test_what_is_framed_is_read_again(content: bytes) -> None:
    assert events(frame(content)) == [Frame(content)]


@pytest.mark.parametrize("content", [b"MSH|a\x1c\rMSH|b", b"MSH|a\x0bMSH|b", b"MSH|a\x1c", b"MSH|a\x1c\x0bMSH"])
def test_content_that_would_read_as_two_messages_is_not_framed(content: bytes) -> None:
    with pytest.raises(ValueError, match="block marks"):
        frame(content)
