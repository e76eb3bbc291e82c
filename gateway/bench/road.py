"""The whole road: records handed in by HTTP until a receiver has answered for each of them.

Ours: a real `gateway serve` in a process of its own, with decision, redaction, audit and receipts. Floor: what any
program must do at least, with the standard library: read the row, write JSON, commit it to SQLite, POST it.
Receivers only store and answer, in both.
"""

import csv
import http.client
import io
import json
import os
import re
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

_FILE_RECORDS = 50
_WAIT_S = 120.0

_COLUMNS = (
    "contact_id", "agency_ori", "contact_date", "first_on_scene", "client_id", "last_name", "first_name", "dob", "sex",
    "phone", "primary_issue", "suicide", "weapon", "referral_made", "referral_service", "consent_status", "consent_at",
)  # fmt: skip


def rows(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield one row for each transport."""
    for transport, service in (("fhir", "crisis_clinic"), ("hl7v2", "sud_treatment")):
        ours = _road(service, seconds)
        floor = _floor(seconds)
        yield {
            "row": f"record handed in -> delivered by {transport}",
            "per_second": ours,
            "floor": "standard library: csv, json, SQLite commit, POST",
            "floor_per_second": floor,
            "ratio": ours / floor,
            "goal": "100/s on two cores, 300 later",
        }


def contacts(first: int, service: str) -> bytes:
    """Write a file of invented contacts with an agreement and a referral to this service."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for n in range(first, first + _FILE_RECORDS):
        writer.writerow([
            f"B-{n}", "WA0990000", "2026-01-05T10:00:00", "joint", f"P-{n}", f"Sample{n}", "Bench",
            f"{1950 + n % 50}-{n // 50 % 12 + 1:02d}-{n // 600 % 28 + 1:02d}", "F",
            f"360-555-{n % 10000:04d}", "mental_health", "ideation", "N", "Y", service, "verbal", "2026-01-05T10:30:00",
        ])  # fmt: skip
    return text.getvalue().encode()


class _Receiver:
    """An HTTP and an MLLP door that store what comes and say yes."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._http_handler())
        self._mllp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._mllp_handler())
        self._mllp.daemon_threads = True
        for server in (self._http, self._mllp):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.http_port = self._http.server_address[1]
        self.mllp_port = self._mllp.server_address[1]

    def close(self) -> None:
        for server in (self._http, self._mllp):
            server.shutdown()
            server.server_close()

    def _http_handler(self) -> type[BaseHTTPRequestHandler]:
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer: else Nagle and delayed ACK are measured, 40 ms each
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                body = b'{"resourceType":"Bundle","type":"transaction-response"}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        return Handler

    def _mllp_handler(self) -> type[socketserver.BaseRequestHandler]:
        received = self.received

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                buffer = b""
                while chunk := self.request.recv(1 << 20):
                    buffer += chunk
                    while (end := buffer.find(b"\x1c\r")) >= 0:
                        message, buffer = buffer[1:end], buffer[end + 2 :]
                        received.append(message)
                        control_id = message.split(b"\r", 1)[0].split(b"|")[9]
                        self.request.sendall(
                            b"\x0bMSH|^~\\&|R|R|G|G|20260101||ACK|"
                            + control_id
                            + b"|P|2.5.1\rMSA|AA|"
                            + control_id
                            + b"\r\x1c\r"
                        )

        return Handler


def _road(service: str, seconds: float) -> float:
    receiver = _Receiver()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "gateway"
        _gateway("init", str(directory))
        _point_at(directory, receiver)
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(directory)]
        command += ["--http", "127.0.0.1:0", "--mllp", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert process.stdout is not None
            ready = re.match(r"ready http=(\S+)", process.stdout.readline())
            assert ready is not None, "the gateway did not start"
            token = _gateway("token", "demo-agency", "--config", str(directory)).strip()
            return _measured(ready[1], token, service, receiver, seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            receiver.close()


def _measured(address: str, token: str, service: str, receiver: _Receiver, seconds: float) -> float:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    session.post(f"{address}/intake/co-responder-contact", data=contacts(0, service), timeout=60).raise_for_status()
    _await(receiver, _FILE_RECORDS)
    started, sent = time.perf_counter(), _FILE_RECORDS
    while time.perf_counter() - started < seconds:
        data = contacts(sent, service)
        session.post(f"{address}/intake/co-responder-contact", data=data, timeout=60).raise_for_status()
        sent += _FILE_RECORDS
        _await(receiver, sent - 2 * _FILE_RECORDS)
    _await(receiver, sent)
    return (sent - _FILE_RECORDS) / (time.perf_counter() - started)


def _await(receiver: _Receiver, count: int) -> None:
    deadline = time.perf_counter() + _WAIT_S
    while len(receiver.received) < count:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{len(receiver.received)} of {count} records were delivered in {_WAIT_S:.0f} s")
        time.sleep(0.005)


def _floor(seconds: float) -> float:
    receiver = _Receiver()
    connection = http.client.HTTPConnection("127.0.0.1", receiver.http_port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(os.path.join(folder, "floor.db"))
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE record (body TEXT);")
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            for row in csv.DictReader(io.StringIO(contacts(done, "crisis_clinic").decode())):
                body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": row}] * 12})
                database.execute("INSERT INTO record VALUES (?)", (body,))
                database.commit()
                connection.request("POST", "/fhir", body, {"Content-Type": "application/fhir+json"})
                connection.getresponse().read()
                done += 1
        elapsed = time.perf_counter() - started
        database.close()
    connection.close()
    receiver.close()
    return done / elapsed


def _gateway(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], check=True, capture_output=True, text=True
    ).stdout


def _point_at(directory: Path, receiver: _Receiver) -> None:
    for name, old, new in (
        ("demo-hospital", "http://127.0.0.1:8090/fhir", f"http://127.0.0.1:{receiver.http_port}/fhir"),
        ("demo-clinic", "mllp://127.0.0.1:2590", f"mllp://127.0.0.1:{receiver.mllp_port}"),
    ):
        file = directory / "partners" / f"{name}.yaml"
        file.write_text(file.read_text().replace(old, new))
