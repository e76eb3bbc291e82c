"""A real gateway under load, killed with -9 again and again: nothing that was acknowledged is lost or doubled.

Clients hand in contacts and repeat what got no answer, as they must. A receiver files what comes under the message's
id and notes each business number. In the end every record that was acknowledged is delivered, refused, held or in
quarantine, and the receiver saw each referral under one message id only.
"""

import json
import random
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.demo.stage import Addresses, configure, free_address
from gateway.settings import read_settings
from gateway.storage.audit import verify_audit
from gateway.storage.database import SqlDatabase, open_database
from gateway.web.tokens import issue
from gateway.wiring import clock
from tests.support.flow_house import CONTACT, csv_of

KILLS = 4
RECORDS = 60
GATEWAY = [sys.executable, "-m", "gateway"]
REFERRAL = "https://warmhandoff.example/id/referral"
TIMEOUT_S = 60


@dataclass
class Receiver:
    """A FHIR endpoint that files transactions, and now and then loses its answer on the way back."""

    server: ThreadingHTTPServer
    messages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Business number of a referral -> ids of the messages it came in."""
    contents: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """Message id -> the contents it came with."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/fhir"

    def file(self, body: bytes) -> bytes:
        bundle = json.loads(body)
        message = bundle["identifier"]["value"]
        with self.lock:
            self.contents[message].add(body)
            for entry in bundle["entry"]:
                resource = entry["resource"]
                numbers = [i["value"] for i in resource.get("identifier", []) if i.get("system") == REFERRAL]
                if resource["resourceType"] == "Task":
                    self.messages[numbers[0]].add(message)
        answers = [{"response": {"status": "201", "location": "Task/1"}} for _ in bundle["entry"]]
        return json.dumps({"resourceType": "Bundle", "type": "transaction-response", "entry": answers}).encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = made.file(self.rfile.read(int(self.headers["Content-Length"])))
            if chance.random() < 0.1:
                self.connection.close()  # filed, and the sender will never know
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    chance = random.Random(3)
    made = Receiver(ThreadingHTTPServer(("127.0.0.1", 0), Door))
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


class Served:
    """An installation and the process that serves it, on one address for its whole life."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.http = free_address()
        self.mllp = ("", 0)
        self._command = [*GATEWAY, "serve", "--config", str(directory), "--http", self.http, "--mllp", "127.0.0.1:0"]
        self._log = (directory.parent / "log").open("ab")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        ready = re.match(r"ready http=\S+ mllp=(\S+):(\d+)", line)
        assert ready is not None, line
        self.mllp = ready[1], int(ready[2])

    def kill(self) -> None:
        """Kill the whole process group with -9: the master and the worker it would start anew."""
        assert self._process is not None
        subprocess.run(["kill", "-9", "--", f"-{self._process.pid}"], check=False)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def close(self) -> None:
        self.kill()
        self._log.close()


@pytest.fixture
def served(tmp_path: Path, receiver: Receiver) -> Iterator[Served]:
    directory = tmp_path / "gateway"
    subprocess.run([*GATEWAY, "init", str(directory)], check=True, capture_output=True)
    configure(directory, Addresses(fhir=receiver.address, mllp="127.0.0.1:9"))
    settings = directory / "gateway.toml"
    settings.write_text(settings.read_text().replace("timeout_s = 30", "timeout_s = 5"))
    made = Served(directory)
    made.start()
    yield made
    made.close()


def test_nothing_acknowledged_is_lost_or_doubled(served: Served, receiver: Receiver) -> None:
    chance = random.Random(11)
    done = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        load = pool.submit(lambda: list(pool.map(lambda n: hand_in(served, n), range(RECORDS))))
        load.add_done_callback(lambda _: done.set())
        for _ in range(KILLS):
            done.wait(0.3 + chance.random())
            served.kill()
            served.start()
        receipts = load.result(TIMEOUT_S)
    waited = wait_until_at_rest(served)
    served.kill()

    database = open_database(read_settings(served.directory).database_url, clock=clock, role="reader")
    states, numbers = what_became(database, receipts)
    broken = database.query(verify_audit)
    database.close()

    assert waited == {}
    assert states == {n: EXPECTED[kind_of(n)] for n in range(RECORDS)}
    assert set(receiver.messages) == {numbers[n] for n in range(RECORDS) if kind_of(n) == "agreed"}
    assert [number for number, messages in receiver.messages.items() if len(messages) != 1] == []
    assert [message for message, contents in receiver.contents.items() if len(contents) != 1] == []
    assert broken is None


EXPECTED = {
    "agreed": ("converted", ("delivered",)),
    "refused": ("converted", ("refused",)),
    "unreadable": ("quarantined", ()),
}
"""What must become of a record of a kind: its state, and those of its deliveries."""


def kind_of(n: int) -> str:
    return ("agreed", "agreed", "refused", "agreed", "unreadable")[n % 5]


def hand_in(served: Served, n: int) -> str:
    """POST a record until it is acknowledged, with the same key each time, and return its receipt's id."""
    row = {**CONTACT, "contact_id": f"C-{n}", "client_id": f"K-{n}", "last_name": f"Sample{n}", "phone": f"360-555-{n}"}
    row |= {"agreed": {}, "refused": {"consent_status": "refused"}, "unreadable": {"contact_id": ""}}[kind_of(n)]
    patience = threading.Event()
    for _ in range(300):
        token = issue("demo-agency", read_settings(served.directory).secret("token"), token_id="t", at=clock())
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"key-{n}", "Content-Type": "text/csv"}
        try:
            answer = requests.post(
                f"http://{served.http}/intake/co-responder-contact", data=csv_of(row), headers=headers, timeout=10
            )
        except requests.RequestException:
            patience.wait(0.1)
            continue
        if answer.status_code == 202:
            return str(answer.json()["id"])
        assert answer.status_code == 503, answer.text
        patience.wait(0.1)
    raise AssertionError(f"record {n} was never acknowledged")


def wait_until_at_rest(served: Served) -> dict[str, int]:
    """Wait until no work is ready or begun: what a killed process had leased is free when its lease ends."""
    patience = threading.Event()
    unfinished: dict[str, int] = {"not yet": 1}
    for _ in range(300):
        told = requests.get(f"http://{served.http}/metrics", timeout=10).text
        found = re.findall(r'^gateway_work\{lane="([^"]*)",state="(?:ready|sending)"\} (\d+)', told, re.MULTILINE)
        unfinished = {lane: int(count) for lane, count in found}
        if not unfinished:
            break
        patience.wait(0.5)
    return unfinished


def what_became(
    database: SqlDatabase, receipts: list[str]
) -> tuple[dict[int, tuple[str, tuple[str, ...]]], dict[int, str]]:
    """Return state and deliveries of each record by its number, and the business number of its referral."""

    def look(tx: Any) -> tuple[dict[int, tuple[str, tuple[str, ...]]], dict[int, str]]:
        states, numbers = {}, {}
        for n, receipt in enumerate(receipts):
            (record,) = tx.inputs.records(receipt)
            referrals = tx.referrals.of_handoff(record.handoff_id) if record.handoff_id else []
            work = [piece.state for one in referrals for piece in tx.outbox.of_subject(one.id)]
            states[n] = record.state, tuple(work)
            numbers.update((n, one.identifier) for one in referrals)
        return states, numbers

    return database.read(look)
