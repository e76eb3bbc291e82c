"""How fast messages are taken over MLLP, each on disk before it is answered.

Ours: the listener with the whole accept story on SQLite. Floor: the same listener, whose accept does what no program
can leave out: append the bytes to a file, one fdatasync for all that wait, and say yes. Both in a process of their own
with the same client before them.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from gateway.bench.admission import sample_admission
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.hl7_header import PeerAddress
from gateway.settings import read_settings
from gateway.wiring import clock, new_id
from gateway.wiring.installation import open_installation

Row = dict[str, str | float]

_ANYWHERE = ("127.0.0.1", 0)
_BLOCK = b"\x0b%s\x1c\r"


def rows(seconds: float) -> Iterator[Row]:
    """Measure one connection and eight, ours and the floor in turns, and yield a row for each."""
    with tempfile.TemporaryDirectory() as folder, _serving("ours", folder) as ours, _serving("floor", folder) as floor:
        for connections in (1, 8):
            best: dict[str, tuple[float, float]] = {}
            for _ in range(3):
                for name, address in (("ours", ours.address), ("floor", floor.address)):
                    rate, p99_ms = _measured(address, connections, seconds / 6)
                    best[name] = max(best.get(name, (0.0, 0.0)), (rate, -p99_ms))
            rate, p99_ms = best["ours"][0], -best["ours"][1]
            yield {
                "row": f"mllp: durable accept, {connections} connection{'s' * (connections > 1)}",
                "per_second": round(rate),
                "floor": "the same listener, append and fdatasync for all that wait",
                "floor_per_second": round(best["floor"][0]),
                "ratio": round(rate / best["floor"][0], 3),
                "goal": f">= 0.7; p99 < 20 ms, found {p99_ms:.1f} (floor {-best['floor'][1]:.1f})",
                "p99_ms": round(p99_ms, 2),
            }


def _measured(address: tuple[str, int], connections: int, seconds: float) -> tuple[float, float]:
    """Send on so many connections at once; return answers a second and the 99th percentile of their times in ms."""
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        took = [one for many in pool.map(lambda _: _talk(address, seconds), range(connections)) for one in many]
    elapsed = time.perf_counter() - began
    return len(took) / elapsed, sorted(took)[int(len(took) * 0.99)] * 1000


def _talk(address: tuple[str, int], seconds: float) -> list[float]:
    """Send one message after the other and return how long each answer took, in seconds."""
    before, after = sample_admission().split(b"|M1|")
    took = []
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends_at = time.perf_counter() + seconds
        while (began := time.perf_counter()) < ends_at:
            message = before + b"|%s|" % new_id()[:20].encode() + after
            connection.sendall(_BLOCK % message)
            answer = connection.recv(65536)
            while not answer.endswith(b"\x1c\r"):
                answer += connection.recv(65536)
            assert b"\rMSA|CA|" in answer or b"\rMSA|AA|" in answer
            took.append(time.perf_counter() - began)
    return took


class _serving:
    """A server of this module in a process of its own."""

    def __init__(self, kind: str, folder: str) -> None:
        command = [sys.executable, "-m", "gateway.bench.mllp_accept", kind, os.path.join(folder, kind)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = ("127.0.0.1", int(self._process.stdout.readline()))

    def __enter__(self) -> "_serving":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class _Appending:
    """Append what comes to a file: a thread writes what has queued up and syncs once for all of it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._queue: SimpleQueue[tuple[bytes, Future[None]]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def accept(self, content: bytes, peer: PeerAddress) -> bytes:
        """Return the answer once the content is on disk."""
        done: Future[None] = Future()
        self._queue.put((content, done))
        done.result()
        control_id = content.split(b"|", 10)[9]
        return b"MSH|^~\\&|F|F|F|F|20260101||ACK|%s|P|2.5.1\rMSA|AA|%s\r" % (control_id, control_id)

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            self._file.write(b"".join(content for content, _ in group))
            os.fdatasync(self._file.fileno())
            for _, done in group:
                done.set_result(None)


def _serve(kind: str, directory: Path) -> None:
    """Listen, print the port, and go on until the standard input ends."""
    if kind == "floor":
        directory.mkdir()
        listener = MllpListener(listen(*_ANYWHERE), clock=clock, new_id=new_id)
        listener.start(_Appending(directory / "messages").accept, lambda content, peer: None)
        _until_told(listener, lambda: None)
    else:
        subprocess.run([sys.executable, "-m", "gateway", "init", str(directory)], check=True, capture_output=True)
        installation = open_installation(read_settings(directory))
        listener = MllpListener(listen(*_ANYWHERE), clock=clock, new_id=new_id)
        listener.start(installation.gateway.accept_message, installation.gateway.keep_cut)
        _until_told(listener, lambda: installation.stop(1))


def _until_told(listener: MllpListener, close: Callable[[], None]) -> None:
    print(listener.address[1], flush=True)
    sys.stdin.read()
    listener.drain(1)
    close()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
