"""What a connection gives whose other side is slow; every limit here is nearly none."""

import socket
from collections.abc import Iterator

import pytest

from gateway.web.timed_socket import TimedSocket


class Hasty(TimedSocket):
    grace_s = 0.02


@pytest.fixture
def ends() -> Iterator[tuple[Hasty, socket.socket]]:
    near, far = socket.socketpair()
    timed = Hasty.of(near)
    yield timed, far
    timed.close()
    far.close()


def test_what_does_not_come_in_time_counts_as_the_end(ends: tuple[Hasty, socket.socket]) -> None:
    timed, _ = ends
    timed.setblocking(True)

    assert timed.recv(10) == b""
    assert timed.recv(10) == b""


def test_what_is_here_is_read_however_late(ends: tuple[Hasty, socket.socket]) -> None:
    timed, far = ends
    timed.setblocking(True)
    assert timed.recv(10) == b""

    far.sendall(b"late")

    assert timed.recv(10) == b"late"


def test_an_answer_that_is_not_taken_ends_as_if_the_other_side_had(ends: tuple[Hasty, socket.socket]) -> None:
    timed, _ = ends
    timed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    timed.setblocking(True)

    with pytest.raises(ConnectionResetError):
        timed.sendall(b"." * 32 * 1024)


def test_an_answer_that_is_taken_arrives_whole_and_leaves_the_connection_as_it_was(
    ends: tuple[Hasty, socket.socket],
) -> None:
    timed, far = ends
    timed.setblocking(True)

    timed.sendall(b"answer")

    assert (far.recv(100), timed.gettimeout()) == (b"answer", None)


def test_who_sets_a_time_of_its_own_hears_of_it(ends: tuple[Hasty, socket.socket]) -> None:
    timed, _ = ends
    timed.settimeout(0.01)

    with pytest.raises(TimeoutError):
        timed.recv(10)
