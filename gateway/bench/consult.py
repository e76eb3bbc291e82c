"""The consent engine behind HTTP: a Bundle of twelve resources comes, what may leave goes back.

Ours: parse, label, decide, redact; the decision with its input, its audit row and its line in the log of disclosures
are committed before the answer. Floor: a bare Flask handler that parses the same JSON and commits one row through the
same group commit. Both are served by one gunicorn process with eight threads, and asked by eight clients, in turns.
"""

import http.client
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from gateway.bench.consent import sample
from gateway.flow.judgement import Matter, judge
from gateway.model.accounting import NewDecision
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.ports import Transaction
from gateway.storage.database import open_database
from gateway.wiring import clock, new_id

ITEMS = 12
CLIENTS = 8
GOAL = 0.7
_TURNS = 3
_PATH = "/consult"
_START_S = 60.0


def rows(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the one row."""
    body = orjson.dumps({"records": sample(ITEMS)[2]})
    with tempfile.TemporaryDirectory() as folder:
        sides = [_Served(f"{name}('{Path(folder) / name}.db')") for name in ("ours", "floor")]
        try:
            for side in sides:
                _per_second(side.port, body, 0.5)
            each = max(seconds / _TURNS / 2, 0.2)
            turns = [[_per_second(side.port, body, each) for side in sides] for _ in range(_TURNS)]
        finally:
            for side in sides:
                side.stop()
    ours, floor = (max(column) for column in zip(*turns, strict=True))
    yield {
        "row": f"decide + label + redact {ITEMS} resources over HTTP, {CLIENTS} clients",
        "per_second": ours,
        "floor": "bare Flask, JSON parsed, one row group-committed to SQLite",
        "floor_per_second": floor,
        "ratio": ours / floor,
        "goal": f">= {GOAL}",
    }


def ours(path: str) -> Flask:
    """Build the application that decides, keeps the decision, and answers with what may leave."""
    registry, asked, _, consents, patient = sample(ITEMS)
    database = open_database(f"sqlite:///{path}", clock=clock)

    def answer() -> Response:
        records = orjson.loads(request.get_data())["records"]
        matter = Matter(asked, records, consents, [patient], clock(), {}, None)
        outcome = judge(matter, registry)
        assert isinstance(outcome, Disclosure), "the sample is a permit"
        inputs = matter.written(registry)
        database.write(lambda tx: _kept(tx, outcome, inputs))
        return Response(outcome.body, content_type="application/fhir+json")

    return _application(answer)


def floor(path: str) -> Flask:
    """Build the application that parses, commits a row and answers."""
    database = open_database(f"sqlite:///{path}", clock=clock)

    def answer() -> Response:
        parsed = request.get_json()
        entry = AuditEntry(clock(), "bench", "bench", {"records": len(parsed["records"])})
        database.write(lambda tx: tx.audit.append(entry))
        return Response(b"{}", content_type="application/fhir+json")

    return _application(answer)


def _application(answer: Callable[[], Response]) -> Flask:
    application = Flask(__name__)
    application.add_url_rule(_PATH, view_func=answer, methods=["POST"])
    return application


def _kept(tx: Transaction, outcome: Disclosure, inputs: bytes) -> None:
    """Write what `flow` writes for an answer that leaves."""
    decision_id, message_id, now, record = new_id(), new_id(), clock(), outcome.record
    new = NewDecision(
        decision_id=decision_id, at=now, recipient=outcome.recipient, person_id=None, handoff_id=None,
        referral_id=None, work_id=None, channel="bench", record=record.to_json(), inputs=inputs,
    )  # fmt: skip
    tx.decisions.add([new])
    told = {"decision": decision_id, "outcome": record.decision, "input_hash": record.input_hash}
    tx.audit.append(AuditEntry(now, "decision.permit", "bench", told))
    tx.decisions.intend(
        decision_id=decision_id, message_id=message_id, purpose="TREAT", description="bench", at=now
    )  # fmt: skip
    tx.decisions.confirm(message_id=message_id, code="200", sent=b"", answered=b"", at=now)


class _Served:
    """One gunicorn process on a port of its own."""

    def __init__(self, application: str) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", str(CLIENTS)]
        command += ["--bind", f"fd://{listening.fileno()}", "--log-level", "warning"]
        self._process = subprocess.Popen(
            [*command, f"gateway.bench.consult:{application}"], pass_fds=[listening.fileno()]
        )
        listening.close()

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.wait(_START_S)


def _per_second(port: int, body: bytes, seconds: float) -> float:
    """Return how many answers a second all clients together got."""
    counts: list[int] = []
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=_ask, args=(port, body, until, counts)) for _ in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


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
