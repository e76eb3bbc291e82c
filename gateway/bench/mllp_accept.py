"""How fast messages are taken over MLLP, each on disk before it is answered.

Ours: the listener with the whole accept story on SQLite. Floor: the same listener, whose accept does what no program
can leave out: append the bytes to a file, one fdatasync for all that wait, and say yes. Peer: the same listener with
what no program with a database can leave out: a message, a piece of work and a line of a trail, in three tables by bare
sqlite3, one commit for all that wait, and nothing read. Another peer: the floor, whose messages are also read and
answered as ours, and no database. All in processes of their own with the same client before them. Beside the rate
stands the processor time that the server spent on a message: it says the same on a machine that has other things to do.
"""

import gc
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from gateway.bench.admission import sample_admission
from gateway.formats.hl7v2 import read_message
from gateway.formats.hl7v2.acknowledgement import answer_to, judge
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.hl7_header import PeerAddress
from gateway.settings import read_settings
from gateway.wiring import clock, new_id
from gateway.wiring.installation import open_installation

Row = dict[str, str | float]

_ANYWHERE = ("127.0.0.1", 0)
_BLOCK = b"\x0b%s\x1c\r"


def rows(seconds: float) -> Iterator[Row]:
    """Measure one connection and eight, all in turns, and yield a row for ours and one for each peer."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _serving("ours", folder) as ours,
        _serving("inserting", folder) as inserting,
        _serving("reading", folder) as reading,
        _serving("appending", folder) as floor,
    ):
        servers = (ours, inserting, reading, floor)
        for connections in (1, 8):
            turns = [[_measured(one, connections, seconds / 6) for one in servers] for _ in range(3)]
            us, inserted, read, least = map(_best, zip(*turns, strict=True))
            yield _row("durable accept", connections, us, least, goal=">= 0.7; p99 < 20 ms")
            yield _row("bare sqlite3, nothing read", connections, inserted, least, goal="what a database leaves")
            yield _row("read and answered, no database", connections, read, least, goal="what reading leaves")


class _Measure(NamedTuple):
    rate: float
    """Answers a second."""
    p99_ms: float
    processor_ms: float
    """Of the server, for one message."""


def _best(turns: Sequence[_Measure]) -> _Measure:
    fastest = max(turns, key=lambda one: one.rate)
    return fastest._replace(processor_ms=min(one.processor_ms for one in turns))


def _row(name: str, connections: int, found: _Measure, floor: _Measure, *, goal: str) -> Row:
    cost = f"{found.processor_ms:.3f} ms of processor a message, floor {floor.processor_ms:.3f}"
    return {
        "row": f"mllp: {name}, {connections} connection{'s' * (connections > 1)} ({cost})",
        "per_second": round(found.rate),
        "floor": "the same listener, append and fdatasync for all that wait",
        "floor_per_second": round(floor.rate),
        "ratio": round(found.rate / floor.rate, 3),
        "goal": f"{goal}; p99 found {found.p99_ms:.1f} ms (floor {floor.p99_ms:.1f})",
        "p99_ms": round(found.p99_ms, 2),
    }


def _measured(server: "_serving", connections: int, seconds: float) -> _Measure:
    """Send on so many connections at once."""
    before, began = server.processor_s(), time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        took = [one for many in pool.map(lambda _: _talk(server.address, seconds), range(connections)) for one in many]
    elapsed, spent_s = time.perf_counter() - began, server.processor_s() - before
    return _Measure(len(took) / elapsed, sorted(took)[int(len(took) * 0.99)] * 1000, spent_s / len(took) * 1000)


def _talk(address: tuple[str, int], seconds: float) -> list[float]:
    """Send one message after the other, numbered as senders do; return how long each answer took, in seconds."""
    before, after = sample_admission().split(b"|M1|")
    sender = new_id()[:8].encode()
    took: list[float] = []
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends_at = time.perf_counter() + seconds
        while (began := time.perf_counter()) < ends_at:
            message = before + b"|%s%012d|" % (sender, len(took)) + after
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
        self.address = ("127.0.0.1", int(self._told("port")))

    def __enter__(self) -> "_serving":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def processor_s(self) -> float:
        """Return how much processor time the server has spent."""
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return float(self._told("processor"))

    def _told(self, of: str) -> str:
        """Return what the server tells next under this name, among the lines of its log."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(of):
                return line.removeprefix(of)
        raise RuntimeError("expected the server to go on, found that it has ended: its standard error says why")


class _Keeping:
    """A thread keeps what has queued up, all of it at once, as `keep` says."""

    def __init__(self, keep: Callable[[list[bytes]], None]) -> None:
        self._keep = keep
        self._queue: SimpleQueue[tuple[bytes, Future[None]]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def accept(self, content: bytes, peer: PeerAddress) -> bytes:
        """Return the answer once the content is on disk."""
        done: Future[None] = Future()
        self._queue.put((content, done))
        done.result()
        control_id = _control_id(content)
        return b"MSH|^~\\&|F|F|F|F|20260101||ACK|%s|P|2.5.1\rMSA|AA|%s\r" % (control_id, control_id)

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            self._keep([content for content, _ in group])
            for _, done in group:
                done.set_result(None)


def _appending(path: Path) -> Callable[[list[bytes]], None]:
    file = path.open("ab", buffering=0)

    def keep(group: list[bytes]) -> None:
        file.write(b"".join(group))
        os.fdatasync(file.fileno())

    return keep


def _reading(path: Path) -> Callable[[list[bytes]], None]:
    append = _appending(path)

    def keep(group: list[bytes]) -> None:
        for content in group:
            message = read_message(content)
            answer_to(message, judge(message, content), new_id(), clock())
        append(group)

    return keep


def _inserting(path: Path) -> Callable[[list[bytes]], None]:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
        "CREATE TABLE message (id INTEGER PRIMARY KEY, control_id BLOB UNIQUE, body BLOB);"
        "CREATE TABLE work (id INTEGER PRIMARY KEY, control_id BLOB);"
        "CREATE TABLE trail (id INTEGER PRIMARY KEY, control_id BLOB);"
    )

    def keep(group: list[bytes]) -> None:
        ids = [(_control_id(content),) for content in group]
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT INTO message (control_id, body) VALUES (?, ?)",
            [(*known, content) for known, content in zip(ids, group, strict=True)],
        )
        database.executemany("INSERT INTO work (control_id) VALUES (?)", ids)
        database.executemany("INSERT INTO trail (control_id) VALUES (?)", ids)
        database.execute("COMMIT")

    return keep


def _control_id(content: bytes) -> bytes:
    return content.split(b"|", 10)[9]


_KEEPING = {"appending": _appending, "reading": _reading, "inserting": _inserting}


def _serve(kind: str, directory: Path) -> None:
    """Listen, print the port, and for each line of the standard input the time spent, until that ends."""
    listener = MllpListener(listen(*_ANYWHERE), clock=clock, new_id=new_id)
    if kind != "ours":
        directory.mkdir()
        keep = _KEEPING[kind](directory / "messages")
        listener.start(_Keeping(keep).accept, lambda content, peer: None)
        _until_told(listener, lambda: None)
    else:
        subprocess.run([sys.executable, "-m", "gateway", "init", str(directory)], check=True, capture_output=True)
        installation = open_installation(read_settings(directory))
        listener.start(installation.gateway.accept_message, installation.gateway.keep_cut)
        _until_told(listener, lambda: installation.stop(1))


def _until_told(listener: MllpListener, close: Callable[[], None]) -> None:
    gc.collect()
    gc.freeze()  # as `gateway serve` does
    print("port", listener.address[1], flush=True)
    for _ in sys.stdin:
        print("processor", time.process_time(), flush=True)
    listener.drain(1)
    close()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
