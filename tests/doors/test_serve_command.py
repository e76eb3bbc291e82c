"""`gateway serve` as whoever starts it sees it: when it does not begin, and when its worker dies."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.serve import written
from gateway.web.http_worker import MOST_WAITED_FOR

ANY = "127.0.0.1:0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "gateway"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    return folder


def serve(folder: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(folder), "--http", ANY, "--mllp", ANY]
    home = {**os.environ, "HOME": str(folder.parent)}
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=home)


def test_a_port_that_is_taken_is_wrong_use_and_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        process = serve(folder, "--mllp", taken)
        data, messages = process.communicate(timeout=120)

    assert (process.returncode, data) == (2, "")
    assert messages == f"gateway serve: {taken}: cannot listen there (Address already in use)\n"


def test_a_database_that_cannot_be_opened_is_wrong_use(folder: Path) -> None:
    process = serve(folder, "--database", "sqlite:////nowhere/gateway.db")
    data, messages = process.communicate(timeout=120)

    assert (process.returncode, data) == (2, "")
    assert "gateway serve: cannot open the database file /nowhere/gateway.db" in messages


def test_a_worker_that_dies_is_replaced_on_the_same_addresses_without_a_second_ready_line(folder: Path) -> None:
    process = serve(folder)
    assert process.stdout is not None
    ready = re.fullmatch(r"ready http=(http://127\.0\.0\.1:\d+) mllp=127\.0\.0\.1:(\d+)\n", process.stdout.readline())
    assert ready is not None

    refused = requests.get(f"{ready[1]}/healthz", headers={"X-Large": "a" * 17_000}, timeout=60)
    worker = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    limits = Path(f"/proc/{worker}/limits").read_text()
    os.kill(int(worker), signal.SIGKILL)
    answer = _answer(int(ready[2]), b"\x0bMSH|^~\\&|A|B|||20261001||ADT^A01|1|P|2.5.1\rPID|1\r\x1c\r")
    process.send_signal(signal.SIGTERM)
    data, _ = process.communicate(timeout=120)

    # Gunicorn's own limits lie above ours, so that this too is said in the words of every other refusal.
    assert (refused.status_code, refused.json()["code"]) == (431, "too-long")
    assert re.search(r"Max core file size +0 +0 ", limits)  # what lies in memory is nobody's to find on a disk
    assert b"MSA|AA|1" in answer
    assert (process.returncode, data) == (0, "")
    assert not (folder.parent / ".gunicorn").exists()


def test_what_is_no_http_is_quoted_neither_in_its_answer_nor_in_the_log(folder: Path) -> None:
    process = serve(folder)
    assert process.stdout is not None
    ready = re.match(r"ready http=http://127\.0\.0\.1:(\d+) ", process.stdout.readline())
    assert ready is not None

    answers = [
        _all_of_answer(int(ready[1]), head.encode() + b"\r\nHost: a\r\n\r\n")
        for head in (
            "GET /fhir/R4/Patient?name=Ada Otter-Test HTTP/1.1",
            "GET /healthz HTTP/1.1\r\nOtter-Test : 1",
        )
    ]
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=120)

    assert [answer.split(b" ")[1] for answer in answers] == [b"400", b"400"]
    assert all(b"Content-Type: application/problem+json\r\n" in answer for answer in answers)
    assert "Otter" not in log + "".join(answer.decode() for answer in answers)
    assert log.count('"event": "unsound request"') == 2


def test_nobody_is_kept_waiting_by_connections_that_send_nothing_more_or_stay_open(folder: Path) -> None:
    process = serve(folder)
    assert process.stdout is not None
    ready = re.match(r"ready http=http://127\.0\.0\.1:(\d+) ", process.stdout.readline())
    assert ready is not None
    port = int(ready[1])

    with ExitStack() as open_still:
        for begun in (b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
            for _ in range(40):  # more than there are threads; two seconds each would be longer than we wait below
                peer = open_still.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
                peer.sendall(begun)
        crowd = [
            open_still.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
            for _ in range(MOST_WAITED_FOR)
        ]
        for peer in crowd:
            with suppress(OSError):  # those that made room are closed
                peer.sendall(b"G")
        answer = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
        in_two_pieces = open_still.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
        in_two_pieces.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60)  # by now the first piece was looked at
        in_two_pieces.sendall(b"\r\n")
        answer_to_pieces = in_two_pieces.recv(4096)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=120)

    assert answer.json() == {"status": "ok"}
    assert answer_to_pieces.startswith(b"HTTP/1.1 200 OK\r\n")
    assert "Traceback" not in log


def test_more_connections_than_descriptors_cost_nobody_their_worker(folder: Path) -> None:
    process = serve(folder)
    assert process.stdout is not None
    ready = re.match(r"ready http=http://127\.0\.0\.1:(\d+) ", process.stdout.readline())
    assert ready is not None
    port = int(ready[1])
    worker = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    most = len(os.listdir(f"/proc/{worker}/fd")) + 40
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (most, most))

    with ExitStack() as open_still:
        for _ in range(120):
            peer = open_still.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=120)

    assert answer.json() == {"status": "ok"}
    assert "exited with code" not in log


def test_a_path_that_the_proxy_in_front_keeps_shut_is_opened_by_no_header(folder: Path) -> None:
    process = serve(folder)
    assert process.stdout is not None
    ready = re.match(r"ready http=(http://127\.0\.0\.1:\d+) ", process.stdout.readline())
    assert ready is not None

    by_prefix = requests.get(f"{ready[1]}/healthz/metrics", headers={"SCRIPT_NAME": "/healthz"}, timeout=60)
    by_path = requests.get(f"{ready[1]}/healthz", headers={"PATH_INFO": "/metrics"}, timeout=60)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)

    assert (by_prefix.status_code, by_path.json()) == (404, {"status": "ok"})


def _all_of_answer(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as peer, peer.makefile("rb") as answer:
        peer.sendall(request)
        return answer.read()


def _answer(port: int, frame: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as peer:
        peer.sendall(frame)
        return peer.recv(4096)


@pytest.mark.parametrize(
    ("host", "port", "expected"), [("127.0.0.1", 2575, "127.0.0.1:2575"), ("::1", 2575, "[::1]:2575")]
)
def test_an_address_is_written_as_it_can_be_given_back(host: str, port: int, expected: str) -> None:
    assert written(host, port) == expected
