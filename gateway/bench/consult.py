"""The consent engine behind HTTP: a Bundle of twelve resources comes, what may leave goes back.

Ours: parse, label, decide, redact; the decision with its input, its audit row and its line in the log of disclosures
are committed before the answer, by the functions with which `gateway.flow` keeps every answer. Floor: a bare Flask
handler that parses the same JSON, commits one row through the same group commit and answers the same bytes, made
before. Peer: ours without what is kept, for what judging leaves by itself. Each is served by one gunicorn process with
eight threads, and asked by eight clients, in turns.

The first rows count answers by a second of the server's processor time: what one process does with a core of its own.
The last counts them by the clock, which others on the machine and the clients themselves slow down.
"""

import gc
import http.client
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from flask import Flask, Response, request

from gateway.bench.consent import sample
from gateway.flow.disclose import Answered, Asked, Made, keep_answers, made_of
from gateway.flow.house import House
from gateway.flow.judgement import Matter
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.partner import Registry
from gateway.ports import SharedWork, Transaction
from gateway.storage.database import open_database
from gateway.wiring import clock, new_id

ITEMS = 12
CLIENTS = 8
GOAL = 0.7
_TURNS = 8
"""Many and short: a machine that is shared can be half as fast for a second, and each side counts by its best turn."""
_PATH = "/consult"
_SPENT = "/spent"
_FHIR = "application/fhir+json"
_START_S = 60.0

_ASKED = Asked("org:hospital", ("clinician", "clinician"), "org:hospital", ("TREAT",), "fhir", "bench")
"""Who asks in `sample`."""


def rows(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield a row for ours and one for the peer by the processor time of the server, and one for ours by the clock."""
    body = orjson.dumps({"records": sample(ITEMS)[2]})
    with tempfile.TemporaryDirectory() as folder:
        sides = [_Served(f"{name}('{Path(folder) / name}.db')") for name in ("ours", "judged", "floor")]
        try:
            for side in sides:
                _rates(side, body, 0.5)
            each = max(seconds / _TURNS / 2, 0.1)
            turns = [[_rates(side, body, each) for side in sides] for _ in range(_TURNS)]
        finally:
            for side in sides:
                side.stop()
    ours, judged, floor = (_Rates(*map(max, zip(*of_side, strict=True))) for of_side in zip(*turns, strict=True))
    yield _row("by processor time", ours.computed, floor.computed, f">= {GOAL}")
    yield _row("by processor time, nothing kept", judged.computed, floor.computed, "what judging leaves")
    yield _row("by the clock", ours.passed, floor.passed, "")


def _row(name: str, found: float, floor: float, goal: str) -> dict[str, Any]:
    return {
        "row": f"decide + label + redact {ITEMS} resources over HTTP, {CLIENTS} clients, {name}",
        "per_second": found,
        "floor": "bare Flask, JSON parsed, one row group-committed to SQLite, the same bytes answered",
        "floor_per_second": floor,
        "ratio": found / floor,
        "goal": goal,
    }


def ours(path: str) -> Flask:
    """Build the application that decides, keeps the decision, and answers with what may leave."""

    def keep(house: House, made: Made) -> None:
        house.database.write(SharedWork(_keep_all, (house, Answered(_ASKED, made, None, "answer to a bench"))))

    return _judging(path, keep)


def judged(path: str) -> Flask:
    """Build the application that decides and answers with what may leave, and keeps nothing."""
    return _judging(path, lambda house, made: None)


def _judging(path: str, keep: Callable[[House, Made], None]) -> Flask:
    registry, asked, _, consents, patient = sample(ITEMS)
    house = _house(path, registry)

    def answer() -> Response:
        records = orjson.loads(request.get_data())["records"]
        made = made_of(house, Matter(asked, records, consents, [patient], clock(), {}, None))
        assert isinstance(made.outcome, Disclosure), "the sample is a permit"
        keep(house, made)
        return Response(made.outcome.body, content_type=_FHIR)

    return _application(answer)


def floor(path: str) -> Flask:
    """Build the application that parses, commits a row and answers."""
    registry, asked, records, consents, patient = sample(ITEMS)
    house = _house(path, registry)
    outcome = made_of(house, Matter(asked, records, consents, [patient], clock(), {}, None)).outcome
    assert isinstance(outcome, Disclosure), "the sample is a permit"
    body = outcome.body

    def answer() -> Response:
        parsed = request.get_json()
        entry = AuditEntry(clock(), "bench", "bench", {"records": len(parsed["records"])})
        house.database.write(SharedWork(_append_all, entry))
        return Response(body, content_type=_FHIR)

    return _application(answer)


def _application(answer: Callable[[], Response]) -> Flask:
    application = Flask(__name__)
    application.add_url_rule(_PATH, view_func=answer, methods=["POST"])
    application.add_url_rule(_SPENT, "spent", lambda: str(time.process_time()))
    gc.collect()
    gc.freeze()  # as `gateway serve` does
    return application


def _house(path: str, registry: Registry) -> House:
    """Build a house in which nothing is handed in and nothing sent."""

    def nothing(*_: object) -> tuple[()]:
        return ()

    return House(
        database=open_database(f"sqlite:///{path}", clock=clock), clock=clock, new_id=new_id, registry=registry,
        routes=(), switches={}, key=b"", programs={}, convert=nothing, explain=nothing, check=nothing,
        check_foreign=nothing, transports={}, jitter=float,
    )  # fmt: skip


def _keep_all(tx: Transaction, answers: Sequence[tuple[House, Answered]]) -> list[None]:
    """Keep answers that wait together, as those to consults are kept."""
    house = answers[0][0]
    keep_answers(house, tx, [answered for _, answered in answers], house.clock())
    return [None for _ in answers]


def _append_all(tx: Transaction, entries: Sequence[AuditEntry]) -> list[None]:
    for entry in entries:
        tx.audit.append(entry)
    return [None for _ in entries]


class _Served:
    """One gunicorn process on a port of its own."""

    def __init__(self, application: str) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", str(CLIENTS)]
        command += ["--bind", f"fd://{listening.fileno()}", "--log-level", "warning", "--no-control-socket"]
        self._process = subprocess.Popen(
            [*command, f"gateway.bench.consult:{application}"], pass_fds=[listening.fileno()]
        )
        listening.close()

    def spent_s(self) -> float:
        """Return the processor time of the process that answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_S)
        connection.request("GET", _SPENT)
        spent = float(connection.getresponse().read())
        connection.close()
        return spent

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.wait(_START_S)


class _Rates(NamedTuple):
    """Answers that all clients together got: each second that the server computed, and each second of the clock."""

    computed: float
    passed: float


def _rates(side: _Served, body: bytes, seconds: float) -> _Rates:
    counts: list[int] = []
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=_ask, args=(side.port, body, until, counts)) for _ in range(CLIENTS)]
    spent, started = side.spent_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers, passed_s = sum(counts), time.perf_counter() - started
    return _Rates(answers / (side.spent_s() - spent), answers / passed_s)


def _ask(port: int, body: bytes, until: float, counts: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_S)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count = 0
    while not count or time.perf_counter() < until:
        connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"expected 200, got {response.status}")
        count += 1
    connection.close()
    counts.append(count)
