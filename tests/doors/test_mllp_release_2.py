"""MLLP release 2: every block is committed to storage before HL7 has its say, and the two never mix."""

import socket
from ipaddress import ip_network

import pytest

from gateway.delivery.mllp_push import MllpPush
from gateway.delivery.mllp_sender import MllpSender
from gateway.intake.mllp_connection import MllpLimits, Network
from gateway.model.errors import TryLater
from gateway.model.partner import Endpoint
from tests.doors.mllp_peers import admission, answer, read_blocks, receiver
from tests.doors.test_mllp_listener import connect, framed, listening, msa
from tests.doors.test_mllp_push import DISCLOSURE, ENVELOPE

ACK, NAK = b"\x0b\x06\x1c\r", b"\x0b\x15\x1c\r"
EVERYWHERE = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("10.0.0.0/8"), ip_network("::/0"))


def asking_for_nothing(control_id: bytes) -> bytes:
    return admission(control_id).replace(b"|2.5.1\r", b"|2.5.1|||NE|NE\r")


def test_a_stored_message_is_committed_and_then_acknowledged() -> None:
    with listening(release_2=EVERYWHERE) as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"C1")))

        commit, acknowledgement = read_blocks(peer, 2)
        assert (commit, msa(acknowledgement)) == (b"\x06", b"MSA|AA|C1")
    assert inbox.taken == [admission(b"C1")]


def test_peers_of_other_networks_get_no_commit() -> None:
    with listening(release_2=ELSEWHERE) as (_, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"C1")))

        assert msa(read_blocks(peer, 1)[0]) == b"MSA|AA|C1"


def test_a_message_that_asks_for_no_answer_is_committed_all_the_same() -> None:
    with listening(release_2=EVERYWHERE) as (_, listener), connect(listener) as peer:
        peer.sendall(framed(asking_for_nothing(b"C1")) + framed(admission(b"C2")))

        assert [block[:3] for block in read_blocks(peer, 3)] == [b"\x06", b"\x06", b"MSH"]


def test_a_message_that_cannot_be_stored_gets_the_negative_commit_and_no_acknowledgement() -> None:
    with listening(release_2=EVERYWHERE) as (_, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"UNSTORABLE")))
        refused = read_blocks(peer, 1)
        peer.sendall(framed(admission(b"C2")))

        assert refused == [b"\x15"]
        assert [block[:3] for block in read_blocks(peer, 2)] == [b"\x06", b"MSH"]


def test_a_batch_is_committed_once_and_only_whole() -> None:
    head = b"BHS|^~\\&|WARD|HARBOR|GATEWAY|WH|||||B1\r"
    with listening(release_2=EVERYWHERE) as (inbox, listener), connect(listener) as peer:
        peer.sendall(framed(head + admission(b"C1") + admission(b"UNSTORABLE") + b"BTS|2\r"))
        refused = read_blocks(peer, 1)
        peer.sendall(framed(head + admission(b"C1") + admission(b"C2") + b"BTS|2\r"))

        assert refused == [b"\x15"]
        assert [block[:3] for block in read_blocks(peer, 2)] == [b"\x06", b"BHS"]
    assert inbox.taken == [admission(b"C1"), admission(b"C1"), admission(b"C2")]


def test_what_is_no_message_is_committed_and_rejected_by_its_answer() -> None:
    with listening(release_2=EVERYWHERE) as (_, listener), connect(listener) as peer:
        peer.sendall(framed(b"hello"))

        commit, acknowledgement = read_blocks(peer, 2)
        assert (commit, msa(acknowledgement)) == (b"\x06", b"MSA|AR")


def test_a_message_over_the_limit_gets_the_negative_commit_beside_its_answer() -> None:
    with listening(MllpLimits(max_bytes=1000), EVERYWHERE) as (_, listener), connect(listener) as peer:
        peer.sendall(framed(admission(b"BIG") + b"NTE|1||" + b"x" * 9000 + b"\r"))

        commit, acknowledgement = read_blocks(peer, 2)
        assert (commit, msa(acknowledgement)) == (b"\x15", b"MSA|AR|BIG")


@pytest.mark.parametrize("networks", [(), EVERYWHERE], ids=["release 1", "release 2"])
@pytest.mark.parametrize("word", [ACK, NAK])
def test_a_peers_word_on_our_answer_is_taken_in_silence(networks: tuple[Network, ...], word: bytes) -> None:
    with listening(release_2=networks) as (inbox, listener), connect(listener) as peer:
        peer.sendall(word + framed(admission(b"C1")))

        assert msa(read_blocks(peer, 2 if networks else 1)[-1]) == b"MSA|AA|C1"
    assert inbox.taken == [admission(b"C1")]


def test_the_sender_waits_for_the_commit_takes_the_answer_and_commits_it() -> None:
    seen: list[bytes] = []

    def converse(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        connection.sendall(ACK)
        connection.sendall(answer(b"AA", b"C1"))
        seen.extend(read_blocks(connection, 2))
        connection.sendall(ACK)
        connection.sendall(answer(b"AA", b"C2"))
        seen.extend(read_blocks(connection, 1))

    with receiver(converse) as (host, port), MllpSender(host, port, timeout_s=5, release_2=True) as sender:
        codes = [sender.send(admission(one)).acknowledgement.code for one in (b"C1", b"C2")]

    assert seen == [admission(b"C1"), b"\x06", admission(b"C2"), b"\x06"]
    assert (codes, sender.discarded) == (["AA", "AA"], 0)


@pytest.mark.parametrize("packets", [[ACK + answer(b"AA", b"C1")], [answer(b"AA", b"C1"), ACK]], ids=["once", "late"])
def test_commit_and_answer_may_come_in_one_packet_or_crossed(packets: list[bytes]) -> None:
    def converse(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        for packet in packets:
            connection.sendall(packet)
        assert read_blocks(connection, 1) == [b"\x06"]

    with receiver(converse) as (host, port), MllpSender(host, port, timeout_s=5, release_2=True) as sender:
        assert sender.send(admission(b"C1")).acknowledgement.code == "AA"


def test_after_a_negative_commit_the_same_bytes_go_again_over_the_same_connection() -> None:
    seen: list[bytes] = []

    def converse(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        connection.sendall(NAK)
        seen.extend(read_blocks(connection, 1))
        connection.sendall(ACK + answer(b"AA", b"C1"))
        read_blocks(connection, 1)

    with receiver(converse) as (host, port), MllpSender(host, port, timeout_s=5, release_2=True) as sender:
        with pytest.raises(TryLater, match="negative commit"):
            sender.send(admission(b"C1"))
        sender.send(admission(b"C1"))

    assert seen[0] == seen[1] == admission(b"C1")


def test_an_answer_without_a_commit_is_not_enough() -> None:
    def converse(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        connection.sendall(answer(b"AA", b"C1"))
        assert connection.recv(1) == b""

    with (
        receiver(converse) as (host, port),
        MllpSender(host, port, timeout_s=0.3, release_2=True) as sender,
        pytest.raises(TryLater, match="TimeoutError"),
    ):
        sender.send(admission(b"C1"))


def test_a_message_that_asks_for_no_answer_waits_for_its_commit_alone() -> None:
    def converse(connection: socket.socket) -> None:
        for _ in range(2):
            read_blocks(connection, 1)
            connection.sendall(ACK)

    with receiver(converse) as (host, port), MllpSender(host, port, timeout_s=5, release_2=True) as sender:
        sender.post(asking_for_nothing(b"C1"))
        sender.post(asking_for_nothing(b"C2"))

    assert sender.discarded == 0


def test_our_two_ends_understand_each_other() -> None:
    with listening(release_2=EVERYWHERE) as (inbox, listener), MllpSender(*listener.address, release_2=True) as sender:
        codes = [sender.send(admission(one)).acknowledgement.code for one in (b"C1", b"C2", b"C3")]

    assert codes == ["AA", "AA", "AA"]
    assert inbox.taken == [admission(one) for one in (b"C1", b"C2", b"C3")]


def test_an_endpoint_of_release_2_is_waited_on_for_its_commit() -> None:
    with listening(release_2=EVERYWHERE) as (inbox, listener):
        host, port = listener.address
        push = MllpPush(5, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")
        result = push.send(DISCLOSURE, Endpoint("hl7v2", f"mllp://{host}:{port}", mllp_release=2), ENVELOPE)
        push.close()

    assert result.code == "AA"
    assert len(inbox.taken) == 1
