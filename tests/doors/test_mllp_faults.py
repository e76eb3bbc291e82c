"""The listener and the sender among peers that break the rules: crowds, silence, half a handshake, a full disk.

What single connections do wrong (cuts, packets, nested starts, sizes) stands in `test_mllp_listener`.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.delivery.mllp_sender import MllpSender, client_tls
from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2.charsets import CODECS
from gateway.intake.mllp_connection import ListenerTls, MllpLimits, server_tls
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.errors import TryLater
from gateway.model.hl7_header import PeerAddress
from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock
from tests.doors.mllp_peers import admission, answer, read_blocks, receiver
from tests.doors.test_mllp_listener import Inbox, connect, framed, is_closed, listening, msa
from tests.doors.test_mllp_tls import Authority
from tests.support.flow_house import a_world

pytest_plugins = ("tests.support.databases",)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
RESET = struct.pack("ii", 1, 0)


def still_serves(listener: MllpListener) -> bool:
    """Tell whether somebody else is let in and answered now."""
    try:
        with connect(listener) as peer:
            peer.sendall(framed(admission(b"ALIVE")))
            return [msa(block) for block in read_blocks(peer, 1)] == [b"MSA|AA|ALIVE"]
    except ConnectionError:
        return False


def serves_in_the_end(listener: MllpListener) -> bool:
    """Try again for a few seconds: a connection that ends makes room a moment later."""
    patience = threading.Event()
    return any(still_serves(listener) or patience.wait(0.02) for _ in range(250))


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A listener's context and that of a client it knows."""
    authority = Authority(tmp_path, "authority")
    ours, theirs = authority.identity("gateway"), authority.identity("client")
    return server_tls(ours.certificate, ours.key, authority.file), client_tls(
        authority.file, theirs.certificate, theirs.key
    )


@pytest.fixture
def small_disk(sqlite_store_url: str, clock: FixedClock) -> Iterator[tuple[SqlDatabase, Callable[[], None]]]:
    """A store with room for a megabyte more, and what makes the disk large."""
    database = open_database(sqlite_store_url, clock=clock)

    def limit(pages: int) -> None:
        database.change(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar())

    pages = database.query(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    limit(pages + 256)
    yield database, lambda: limit(1_000_000)
    database.close()


def test_probes_that_connect_and_close_or_reset_leave_nothing_behind() -> None:
    with listening(MllpLimits(connections=4)) as (inbox, listener):
        for n in range(100):
            with connect(listener) as probe:
                if n % 2:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        assert serves_in_the_end(listener)

    assert (inbox.taken[-1], inbox.cut) == (admission(b"ALIVE"), [])


def test_a_crowd_is_turned_away_and_those_inside_go_on() -> None:
    with listening(MllpLimits(connections=4)) as (_, listener), ExitStack() as inside:
        first = [inside.enter_context(connect(listener)) for _ in range(4)]
        for peer in first:
            peer.sendall(framed(admission(b"C1")))
            read_blocks(peer, 1)
        turned_away = 0
        for _ in range(500):
            with connect(listener) as one_more:
                turned_away += is_closed(one_more)
        for peer in first:
            peer.sendall(framed(admission(b"C2")))

        assert turned_away == 500
        assert [msa(read_blocks(peer, 1)[0]) for peer in first] == [b"MSA|AA|C2"] * 4


def test_who_holds_every_connection_and_says_nothing_makes_room_for_who_speaks() -> None:
    with listening(MllpLimits(connections=3)) as (_, listener), ExitStack() as inside:
        silent = [inside.enter_context(connect(listener)) for _ in range(2)]
        working = inside.enter_context(connect(listener))
        working.sendall(framed(admission(b"C1")))
        read_blocks(working, 1)
        late = inside.enter_context(connect(listener))
        late.sendall(framed(admission(b"C2")))
        working.sendall(framed(admission(b"C3")))

        assert msa(read_blocks(late, 1)[0]) == b"MSA|AA|C2"
        assert msa(read_blocks(working, 1)[0]) == b"MSA|AA|C3"
        assert is_closed(silent[0])
        silent[1].sendall(framed(admission(b"C4")))
        assert msa(read_blocks(silent[1], 1)[0]) == b"MSA|AA|C4"


def test_a_handshake_that_waits_makes_room_for_who_speaks(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    ours, theirs = tls
    inbox = Inbox()
    listener = MllpListener(
        listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "N1",
        limits=MllpLimits(connections=1), tls=ListenerTls(ours),
    )  # fmt: skip
    listener.start(inbox.accept, inbox.keep_cut)
    try:
        with connect(listener) as mute, MllpSender(*listener.address, theirs, 5) as sender:
            assert sender.send(admission(b"C1")).acknowledgement.code == "AA"
            mute.recv(100)  # the alert that TLS ends with
            assert is_closed(mute)
    finally:
        listener.drain(5)


def test_peers_that_trickle_on_every_connection_are_cut_and_make_room() -> None:
    with listening(MllpLimits(connections=3, frame_s=0.3, settle_s=0.05)) as (inbox, listener), ExitStack() as slow:
        for _ in range(3):
            slow.enter_context(connect(listener)).sendall(b"\x0bMSH|^~\\&|sl")

        assert serves_in_the_end(listener)
    assert inbox.cut == [b"MSH|^~\\&|sl"] * 3


class LongWinded(Inbox):
    """Answers at such length that no buffer of the system holds it."""

    def accept(self, frame: bytes, peer: PeerAddress) -> bytes:
        short = super().accept(frame, peer)
        return short + b"NTE|1||" + b"x" * 32_000_000 + b"\r" if b"|LONG|" in frame else short


def test_a_peer_that_never_reads_hinders_nobody_and_is_cut() -> None:
    inbox = LongWinded()
    limits = MllpLimits(answer_s=0.5, connections=2)
    listener = MllpListener(listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "N1", limits=limits)
    listener.start(inbox.accept, inbox.keep_cut)
    try:
        with connect(listener) as deaf, connect(listener) as other:
            deaf.sendall(framed(admission(b"LONG")))
            assert inbox.entered.wait(5)
            other.sendall(framed(admission(b"C1")))

            assert msa(read_blocks(other, 1)[0]) == b"MSA|AA|C1"
            assert serves_in_the_end(listener)
    finally:
        listener.drain(5)
    assert inbox.taken == [admission(b"LONG"), admission(b"C1"), admission(b"ALIVE")]


def test_a_handshake_that_never_ends_hinders_nobody_and_is_cut(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    ours, theirs = tls
    inbox = Inbox()
    limits = MllpLimits(answer_s=0.5, connections=2)
    listener = MllpListener(
        listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "N1", limits=limits, tls=ListenerTls(ours)
    )
    listener.start(inbox.accept, inbox.keep_cut)
    try:
        with connect(listener) as mute, connect(listener) as halfway:
            halfway.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello

            assert is_closed(mute)
            assert is_closed(halfway)
            with MllpSender(*listener.address, theirs, 5) as sender:
                assert sender.send(admission(b"C1")).acknowledgement.code == "AA"
    finally:
        listener.drain(5)


@pytest.mark.parametrize(
    "declared", sorted(name for name in CODECS if not name.startswith(("8859", "ISO", "WIN", "CP")))
)
def test_bytes_that_do_not_fit_their_character_set_are_kept_and_told(declared: str) -> None:
    content = admission(b"C1").replace(b"|2.5.1\r", b"|2.5.1||||||" + declared.encode() + b"\r")
    content = content.replace(b"Sample^Ann", b"S\xffmple\xfe^\x80nn")
    with listening() as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(content))

        block = read_blocks(peer, 1)[0]
        assert msa(block) == b"MSA|AE|C1"
        assert b"ERR||MSH^1^18|207^" in block
    assert inbox.taken == [content]


def test_answers_that_come_after_the_time_limit_never_meet_the_next_message() -> None:
    answered = threading.Event()

    def late(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        answered.wait(5)
        try:
            connection.sendall(answer(b"AA", b"C1"))
        except OSError:
            return

    def prompt(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        connection.sendall(answer(b"AE", b"C2"))

    with receiver(late, prompt) as (host, port), MllpSender(host, port, timeout_s=0.3) as sender:
        with pytest.raises(TryLater):
            sender.send(admission(b"C1"))
        answered.set()
        code = sender.send(admission(b"C2")).acknowledgement.code

    assert code == "AE"


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: tuple[SqlDatabase, Callable[[], None]]) -> None:
    database, grow = small_disk
    world = a_world()
    gateway = Gateway(replace(world.house, database=database))
    big = b"NTE|1||" + b"x" * 100_000 + b"\r"
    messages = [admission(b"C%d" % n) + big for n in range(20)]
    listener = MllpListener(listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "N1")
    listener.start(gateway.accept_message, gateway.keep_cut)
    try:
        with MllpSender(*listener.address, timeout_s=10) as sender:
            before = [sender.send(message).acknowledgement for message in messages]
            grow()
            after = [sender.send(message).acknowledgement for message in messages]
    finally:
        listener.drain(5)

    codes = [one.code for one in before]
    stored = database.read(lambda tx: [tx.messages.seen(("WARD", "HARBOR", f"C{n}")) is not None for n in range(20)])
    assert {"AA", "AR"} == set(codes)
    assert [one.error_codes for one in before if one.code == "AR"] == [("207",)] * codes.count("AR")
    assert [one.code for one in after] == ["AA"] * 20
    assert stored == [True] * 20
