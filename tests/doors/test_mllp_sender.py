"""The sender against receivers that answer late, wrongly, twice, in pieces, or not at all."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway.delivery.mllp_sender import MllpSender
from gateway.model.errors import TryLater, WillNeverWork
from tests.doors.mllp_peers import admission, answer, read_blocks, receiver

Conversation = Callable[[socket.socket], None]


def replying(*packets: bytes) -> Conversation:
    """Read one message, then send these packets."""

    def converse(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        for packet in packets:
            connection.sendall(packet)

    return converse


@contextmanager
def sender_to(*conversations: Conversation, timeout_s: float = 5) -> Iterator[MllpSender]:
    """Give a sender whose receiver holds these conversations, one a connection."""
    with receiver(*conversations) as (host, port), MllpSender(host, port, timeout_s=timeout_s) as sender:
        yield sender


def closing(connection: socket.socket) -> None:
    """Read and close without a word."""
    read_blocks(connection, 1)


def test_an_answer_is_returned_with_its_code_and_bytes() -> None:
    with sender_to(replying(answer(b"AA", b"C1"))) as sender:
        answered = sender.send(admission(b"C1"))

    assert (answered.acknowledgement.code, answered.acknowledgement.control_id) == ("AA", "C1")
    assert answered.content.endswith(b"MSA|AA|C1\r")


def test_several_messages_use_one_connection() -> None:
    def converse(connection: socket.socket) -> None:
        for control_id in (b"C1", b"C2", b"C3"):
            assert b"|" + control_id + b"|" in read_blocks(connection, 1)[0]
            connection.sendall(answer(b"AA", control_id))

    with sender_to(converse) as sender:
        ids = [sender.send(admission(control_id)).acknowledgement.control_id for control_id in (b"C1", b"C2", b"C3")]

    assert ids == ["C1", "C2", "C3"]


def test_answers_to_other_messages_are_discarded_and_counted() -> None:
    packets = (answer(b"AA", b"OLD") + answer(b"AE", b"OLDER") + b"\x0bgarbage\x1c\r", answer(b"AA", b"C1"))
    with sender_to(replying(*packets)) as sender:
        answered = sender.send(admission(b"C1"))

    assert answered.acknowledgement.code == "AA"
    assert sender.discarded == 3


def test_a_second_answer_to_the_same_message_is_discarded() -> None:
    with sender_to(replying(answer(b"AA", b"C1") + answer(b"AR", b"C1"))) as sender:
        answered = sender.send(admission(b"C1"))

    assert (answered.acknowledgement.code, sender.discarded) == ("AA", 1)


def test_an_answer_in_packets_of_one_byte_is_read() -> None:
    packets = [bytes([byte]) for byte in answer(b"CA", b"C1")]
    with sender_to(replying(*packets)) as sender:
        assert sender.send(admission(b"C1")).acknowledgement.code == "CA"


def test_silence_closes_the_connection_and_the_repetition_has_the_same_bytes() -> None:
    seen: list[bytes] = []

    def late(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        assert connection.recv(1) == b""

    def prompt(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        connection.sendall(answer(b"AA", b"C1"))

    with sender_to(late, prompt, timeout_s=0.5) as sender:
        with pytest.raises(TryLater, match="TimeoutError"):
            sender.send(admission(b"C1"))
        answered = sender.send(admission(b"C1"))

    assert answered.acknowledgement.code == "AA"
    assert seen[0] == seen[1]


def test_a_receiver_that_answers_only_others_runs_into_the_time_limit() -> None:
    def converse(connection: socket.socket) -> None:
        read_blocks(connection, 1)
        connection.sendall(answer(b"AA", b"C0"))
        assert connection.recv(1) == b""

    with sender_to(converse, timeout_s=0.2) as sender, pytest.raises(TryLater):
        sender.send(admission(b"C1"))

    assert sender.discarded == 1


def test_a_receiver_that_closes_without_a_word_is_tried_later() -> None:
    with sender_to(closing) as sender, pytest.raises(TryLater):
        sender.send(admission(b"C1"))


def test_half_an_answer_is_no_answer() -> None:
    with sender_to(replying(answer(b"AA", b"C1")[:-2])) as sender, pytest.raises(TryLater):
        sender.send(admission(b"C1"))


def test_a_connection_that_the_receiver_closed_while_idle_is_opened_anew() -> None:
    is_closed = threading.Event()

    def reply_and_close(connection: socket.socket) -> None:
        replying(answer(b"AA", b"C1"))(connection)
        connection.shutdown(socket.SHUT_RDWR)
        is_closed.set()

    with sender_to(reply_and_close, replying(answer(b"AA", b"C2"))) as sender:
        sender.send(admission(b"C1"))
        assert is_closed.wait(10)
        answered = sender.send(admission(b"C2"))

    assert answered.acknowledgement.control_id == "C2"


def test_nobody_listening_is_tried_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with MllpSender("127.0.0.1", port, timeout_s=1) as sender, pytest.raises(TryLater, match="ConnectionRefusedError"):
        sender.send(admission(b"C1"))


@pytest.mark.parametrize(
    "message", [b"no message", admission(b""), admission(b"C1") + b"NTE|\x1c\r\x0bMSH|^~\\&|FORGED\r"]
)
def test_what_cannot_be_sent_as_one_message_never_leaves(message: bytes) -> None:
    with MllpSender("127.0.0.1", 9, timeout_s=1) as sender, pytest.raises(WillNeverWork):
        sender.send(message)
