"""The listener against peers that cut, crowd, trickle, stall and never read."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.intake.mllp_connection import MllpLimits, Network
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.hl7_header import PeerAddress
from tests.doors.mllp_peers import admission, read_blocks

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Inbox:
    """Keep what was accepted, in memory; `hold` makes it wait before it answers."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.cut: list[bytes] = []
        self.cut_arrived = threading.Event()
        self.entered = threading.Event()
        self.hold = threading.Event()
        self.hold.set()

    def accept(self, frame: bytes, peer: PeerAddress) -> bytes:
        self.entered.set()
        self.hold.wait(10)
        if b"UNSTORABLE" in frame:
            raise OSError("disk full")
        self.taken.append(frame)
        return acknowledge(frame, receive(frame), f"K{len(self.taken)}", NOON)

    def keep_cut(self, content: bytes, peer: PeerAddress) -> None:
        self.cut.append(content)
        self.cut_arrived.set()


@contextmanager
def listening(
    limits: MllpLimits | None = None, release_2: tuple[Network, ...] = ()
) -> Iterator[tuple[Inbox, MllpListener]]:
    inbox = Inbox()
    listener = MllpListener(
        listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "NEW1", limits=limits, release_2=release_2
    )
    listener.start(inbox.accept, inbox.keep_cut)
    try:
        yield inbox, listener
    finally:
        inbox.hold.set()
        listener.drain(5)


def connect(listener: MllpListener) -> socket.socket:
    return socket.create_connection(listener.address, timeout=10)


def framed(content: bytes) -> bytes:
    return b"\x0b" + content + b"\x1c\r"


def is_closed(peer: socket.socket) -> bool:
    """Tell whether the other end has closed; with bytes of ours unread it closes by a reset."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


def msa(block: bytes) -> bytes:
    return next(line for line in block.split(b"\r") if line.startswith(b"MSA"))


def test_each_message_of_a_connection_is_stored_and_answered() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        for control_id in (b"C1", b"C2"):
            peer.sendall(framed(admission(control_id)))
            assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|" + control_id

    assert inbox.taken == [admission(b"C1"), admission(b"C2")]


def test_two_messages_in_one_packet_are_answered_in_order() -> None:
    with listening() as (_, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"C1")) + framed(admission(b"C2")))

        assert [msa(block) for block in read_blocks(peer, 2)] == [b"MSA|AA|C1", b"MSA|AA|C2"]


def test_a_batch_is_stored_message_by_message_and_answered_as_a_batch() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        batch = b"BHS|^~\\&|WARD|HARBOR|GATEWAY|WH|||||B1\r" + admission(b"C1") + admission(b"C2") + b"BTS|2\r"
        peer.sendall(framed(batch))

        lines = read_blocks(peer, 1)[0].split(b"\r")
    assert inbox.taken == [admission(b"C1"), admission(b"C2")]
    assert lines[0] == b"BHS|^~\\&|GATEWAY|WH|WARD|HARBOR|20261102120000+0000||||NEW1|B1"
    assert [line for line in lines if line.startswith(b"MSA")] == [b"MSA|AA|C1", b"MSA|AA|C2"]
    assert lines[-2] == b"BTS|2"


def test_a_batch_without_a_message_is_answered_by_one_without_an_answer() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(b"BHS|^~\\&|WARD|HARBOR|GATEWAY|WH|||||B1\rBTS|0\r"))

        lines = read_blocks(peer, 1)[0].split(b"\r")
    assert inbox.taken == []
    assert lines[0].endswith(b"|NEW1|B1")
    assert lines[1] == b"BTS|0"


def test_a_batch_that_counts_wrong_is_stored_and_told() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(b"BHS|^~\\&|WARD|HARBOR|GATEWAY|WH|||||B1\r" + admission(b"C1") + b"BTS|5\r"))

        lines = read_blocks(peer, 1)[0].split(b"\r")
    assert inbox.taken == [admission(b"C1")]
    assert [line for line in lines if line.startswith(b"MSA")] == [b"MSA|AA|C1", b"MSA|AE|B1"]
    assert any(line.startswith(b"ERR||BTS^1^1|102") for line in lines)


def test_several_messages_in_one_block_are_answered_one_by_one() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"C1") + admission(b"C2")))

        assert [msa(block) for block in read_blocks(peer, 2)] == [b"MSA|AA|C1", b"MSA|AA|C2"]
    assert inbox.taken == [admission(b"C1"), admission(b"C2")]


def test_what_stands_before_the_messages_of_a_block_is_refused_and_kept() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(b"lost|words\r" + admission(b"C1") + admission(b"C2")))

        assert [msa(block) for block in read_blocks(peer, 3)] == [b"MSA|AR", b"MSA|AA|C1", b"MSA|AA|C2"]
    assert inbox.taken == [b"lost|words\r", admission(b"C1"), admission(b"C2")]


def test_one_message_is_stored_with_every_byte_of_its_block() -> None:
    block = b"\xef\xbb\xbf" + admission(b"C1") + b"\r\n"
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(block))
        read_blocks(peer, 1)

    assert inbox.taken == [block]


def test_a_message_in_packets_of_one_byte_is_one_message() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(admission(b"C1")):
            peer.sendall(bytes([byte]))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"
    assert inbox.taken == [admission(b"C1")]


def test_a_lone_end_byte_is_enough_when_the_peer_waits() -> None:
    with listening(MllpLimits(settle_s=0.05)) as (_, listener), connect(listener) as peer:
        peer.sendall(b"\x0b" + admission(b"C1") + b"\x1c")

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"


def test_a_lone_end_byte_is_enough_when_the_peer_says_no_more() -> None:
    with listening() as (_, listener), connect(listener) as peer:
        peer.sendall(b"\x0b" + admission(b"C1") + b"\x1c")
        peer.shutdown(socket.SHUT_WR)

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"


def test_a_message_cut_off_by_the_next_is_kept_apart_and_gets_no_answer() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(b"\x0b" + admission(b"CUT")[:80] + framed(admission(b"C2")))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C2"
    assert inbox.taken == [admission(b"C2")]
    assert inbox.cut == [admission(b"CUT")[:80]]


def test_a_message_cut_off_by_a_closed_connection_is_kept_apart() -> None:
    with listening() as (inbox, listener):
        with connect(listener) as peer:
            peer.sendall(b"\x0b" + admission(b"CUT")[:80])
        assert inbox.cut_arrived.wait(5)

    assert inbox.taken == []
    assert inbox.cut == [admission(b"CUT")[:80]]


def test_a_message_that_stalls_is_cut_off() -> None:
    with listening(MllpLimits(frame_s=0.1, settle_s=0.05)) as (inbox, listener), connect(listener) as peer:
        peer.sendall(b"\x0bMSH|^~\\&|half")

        assert peer.recv(1) == b""
    assert inbox.cut == [b"MSH|^~\\&|half"]


def test_a_message_that_trickles_in_for_ever_is_cut_off() -> None:
    with listening(MllpLimits(frame_s=0.3)) as (inbox, listener), connect(listener) as peer:
        peer.settimeout(0.02)
        peer.sendall(b"\x0bMSH|^~\\&|")
        for _ in range(500):
            try:
                peer.sendall(b"x")
                assert peer.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                break
            break
        else:
            raise AssertionError("the listener went on listening")
    assert inbox.taken == []


def test_a_message_cut_at_any_byte_is_never_taken_for_a_whole_one() -> None:
    whole = framed(admission(b"C1"))
    with listening() as (inbox, listener):
        for length in range(len(whole) - 2):
            with connect(listener) as peer:
                peer.sendall(whole[:length])
        with connect(listener) as peer:
            peer.sendall(whole)
            assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"

    assert inbox.taken == [admission(b"C1")]
    assert all(admission(b"C1").startswith(cut) for cut in inbox.cut)


def test_a_document_of_fifty_megabytes_is_stored_whole() -> None:
    big = admission(b"BIG") + b"OBX|1|ED|D^Document||^application^pdf^Base64^" + b"QUJD" * 13_000_000 + b"||||||F\r"
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(big))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|BIG"
    assert inbox.taken == [big]


def test_a_silent_connection_is_closed() -> None:
    with listening(MllpLimits(idle_s=0.1)) as (inbox, listener), connect(listener) as peer:
        assert peer.recv(1) == b""
    assert inbox.taken == []


def test_a_message_over_the_limit_is_drained_rejected_and_the_connection_closed() -> None:
    with listening(MllpLimits(max_bytes=10_000)) as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"BIG") + b"NTE|1||" + b"x" * 200_000 + b"\r"))

        block = read_blocks(peer, 1)[0]
        assert msa(block) == b"MSA|AR|BIG"
        assert b"207^" in block
        assert peer.recv(1) == b""
    assert inbox.taken == []


def test_a_message_that_cannot_be_stored_is_rejected_and_the_connection_stays() -> None:
    with listening() as (_, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"UNSTORABLE")))
        refused = read_blocks(peer, 1)[0]
        peer.sendall(framed(admission(b"C2")))

        assert msa(refused) == b"MSA|AR|UNSTORABLE"
        assert b"disk" not in refused
        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C2"


def test_bytes_outside_a_message_get_no_answer_and_harm_none() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n" + framed(admission(b"C1")))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"
    assert inbox.taken == [admission(b"C1")]


def test_what_is_no_message_is_rejected() -> None:
    with listening() as (_, listener), connect(listener) as peer:
        peer.sendall(framed(b"hello"))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AR"


def test_one_connection_too_many_is_closed_and_the_others_go_on() -> None:
    with listening(MllpLimits(connections=1)) as (_, listener), connect(listener) as first:
        first.sendall(framed(admission(b"C1")))
        read_blocks(first, 1)
        with connect(listener) as second:
            assert second.recv(1) == b""
        first.sendall(framed(admission(b"C2")))

        assert msa(read_blocks(first, 1)[0]) == b"MSA|AA|C2"


def test_a_peer_that_resets_leaves_the_listener_working() -> None:
    with listening() as (_, listener):
        with connect(listener) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            rude.sendall(framed(admission(b"C1")))
        with connect(listener) as peer:
            peer.sendall(framed(admission(b"C2")))

            assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C2"


def test_draining_answers_what_has_begun_and_closes_the_idle() -> None:
    with listening() as (inbox, listener), connect(listener) as busy, connect(listener) as idle:
        idle.sendall(framed(admission(b"C0")))
        read_blocks(idle, 1)
        inbox.hold.clear()
        inbox.entered.clear()
        busy.sendall(framed(admission(b"C1")))
        assert inbox.entered.wait(5)
        draining = threading.Thread(target=listener.drain, args=(5,))
        draining.start()

        assert idle.recv(1) == b""
        inbox.hold.set()
        assert msa(read_blocks(busy, 1)[0]) == b"MSA|AA|C1"
        draining.join(5)
        assert not draining.is_alive()
    assert inbox.taken == [admission(b"C0"), admission(b"C1")]


def test_draining_cuts_off_a_peer_that_does_not_finish() -> None:
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"C1")))
        read_blocks(peer, 1)
        peer.sendall(b"\x0b" + admission(b"C2")[:50])
        listener.drain(0.2)

        assert is_closed(peer)
    assert inbox.taken == [admission(b"C1")]
