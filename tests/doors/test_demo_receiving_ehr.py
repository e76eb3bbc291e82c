"""The stand-in EHR as a separate process: it answers the gateway by what arrived, and forgets nothing."""

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.demo_referrals import a_ref, a_transaction

TIMEOUT_S = 20


@dataclass
class FakeGateway:
    """What the EHR answers to: one Task that it may change, and every HL7v2 message it sent."""

    http: str
    mllp: str
    puts: "queue.Queue[tuple[str, str, dict[str, Any]]]"
    """(If-Match, Authorization, body) of each PUT."""
    messages: "queue.Queue[str]"


class _TaskHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200 if self.path == "/fhir/R4/Task/gw-task" else 404, self.server.task)  # type: ignore[attr-defined]

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.task = body  # type: ignore[attr-defined]
        self.server.puts.put((self.headers["If-Match"], self.headers["Authorization"], body))  # type: ignore[attr-defined]
        self._answer(200, body)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("ETag", 'W/"1"')
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def _take_messages(listener: socket.socket, messages: "queue.Queue[str]") -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            raw = b""
            while not raw.endswith(b"\x1c\r"):
                raw += connection.recv(65536)
            text = raw[1:-2].decode()
            control_id = text.split("|")[9]
            messages.put(text)
            connection.sendall(f"\x0bMSH|^~\\&|G|G|E|E|20260101||ACK|1|P|2.5.1\rMSA|AA|{control_id}\r\x1c\r".encode())


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), _TaskHandler)
    http.task = {"resourceType": "Task", "id": "gw-task", "status": "requested", "intent": "order"}  # type: ignore[attr-defined]
    http.puts = queue.Queue()  # type: ignore[attr-defined]
    mllp = socket.create_server(("127.0.0.1", 0))
    messages: queue.Queue[str] = queue.Queue()
    threads = [
        threading.Thread(target=http.serve_forever),
        threading.Thread(target=_take_messages, args=(mllp, messages)),
    ]
    for thread in threads:
        thread.start()
    yield FakeGateway(
        f"http://127.0.0.1:{http.server_port}",
        f"127.0.0.1:{mllp.getsockname()[1]}",
        http.puts,  # type: ignore[attr-defined]
        messages,
    )
    http.shutdown()
    http.server_close()
    mllp.shutdown(socket.SHUT_RDWR)
    mllp.close()
    for thread in threads:
        thread.join()


@dataclass
class Ehr:
    """A running stand-in EHR."""

    process: "subprocess.Popen[str]"
    http: str
    mllp: tuple[str, int]

    def say(self, message: str) -> str:
        """Send one HL7v2 message over MLLP and return the answer's text."""
        with socket.create_connection(self.mllp, timeout=TIMEOUT_S) as connection:
            connection.sendall(b"\x0b" + message.encode() + b"\x1c\r")
            raw = b""
            while not raw.endswith(b"\x1c\r"):
                raw += connection.recv(65536)
        return raw[1:-2].decode()

    def received(self) -> dict[str, Any]:
        """Return what the EHR says it holds."""
        held: dict[str, Any] = requests.get(f"{self.http}/received", timeout=TIMEOUT_S).json()
        return held

    def stop(self) -> int:
        """End it as a service manager would, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode


def start(gateway: FakeGateway, directory: Path, pace: str = "0") -> Ehr:
    token_file = directory / "token"
    token_file.write_text("a-token\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.demo.receiving_ehr", "--gateway", gateway.http, "--gateway-mllp", gateway.mllp,
         "--token-file", str(token_file), "--data", str(directory / "ehr"), "--pace", pace],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    word, http, mllp = process.stdout.readline().split()
    assert word == "ready"
    host, _, port = mllp.removeprefix("mllp=").rpartition(":")
    return Ehr(process, http.removeprefix("http="), (host, int(port)))


@pytest.fixture
def ehr(gateway: FakeGateway, tmp_path: Path) -> Iterator[Ehr]:
    running = start(gateway, tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_task_is_accepted_scheduled_and_completed_at_the_gateway(ehr: Ehr, gateway: FakeGateway) -> None:
    requests.post(f"{ehr.http}/fhir", json=a_transaction("crisis-clinic"), timeout=TIMEOUT_S)

    puts = [gateway.puts.get(timeout=TIMEOUT_S) for _ in range(3)]

    assert [body["status"] for _, _, body in puts] == ["accepted", "in-progress", "completed"]
    assert {(match, token) for match, token, _ in puts} == {('W/"1"', "Bearer a-token")}
    assert puts[1][2]["businessStatus"]["coding"][0]["code"] == "5.1.1"
    assert puts[2][2]["output"]


def test_rejection_by_fhir_gives_its_reason(ehr: Ehr, gateway: FakeGateway) -> None:
    requests.post(f"{ehr.http}/fhir", json=a_transaction("geriatric-assessment"), timeout=TIMEOUT_S)

    _, _, body = gateway.puts.get(timeout=TIMEOUT_S)

    assert body["status"] == "rejected"
    assert body["statusReason"] == {"text": "This team sees people from 60 years of age."}


def test_admitted_person_is_told_by_adt(ehr: Ehr, gateway: FakeGateway) -> None:
    requests.post(f"{ehr.http}/fhir", json=a_transaction("hospital-evaluation"), timeout=TIMEOUT_S)

    messages = [gateway.messages.get(timeout=TIMEOUT_S) for _ in range(2)]

    assert [message.split("|")[8] for message in messages] == ["ADT^A01^ADT_A01", "ADT^A03^ADT_A03"]
    assert "person-1^^^&2.999.1&ISO" in messages[0]


def test_ref_is_acknowledged_filed_and_answered_by_rri(ehr: Ehr, gateway: FakeGateway) -> None:
    ack = ehr.say(a_ref(service="shelter"))

    assert "\rMSA|AA|m-1\r" in ack
    rri = gateway.messages.get(timeout=TIMEOUT_S)
    assert rri.split("|")[8] == "RRI^I12^RRI_I12"
    assert "\rRF1|R|||||ref-7|" in rri
    assert "\rNTE|1|L|No place is free this week" in rri
    assert requests.get(f"{ehr.http}/received/1", timeout=TIMEOUT_S).text == a_ref(service="shelter")


def test_what_was_filed_and_owed_outlives_a_restart(gateway: FakeGateway, tmp_path: Path) -> None:
    first = start(gateway, tmp_path, pace="3600")
    first.say(a_ref())
    exit_status = first.stop()

    second = start(gateway, tmp_path)
    held = second.received()
    second.stop()

    assert exit_status == 0
    assert [referral["placer"] for referral in held["referrals"]] == ["ref-7"]
    assert [answer["state"] for answer in held["referrals"][0]["answers"]] == ["waiting"] * 3
