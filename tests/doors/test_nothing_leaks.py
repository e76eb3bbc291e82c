"""Names planted in everything a real gateway is given never appear in its log, metrics or operators' commands.

The gateway is a process of its own, asked through its doors only; the receivers it delivers to repeat the names in
their refusals, as real ones do.
"""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from gateway.catalog import STARTER
from gateway.demo.stage import Addresses, configure
from gateway.settings import read_settings
from gateway.web.tokens import issue
from gateway.wiring import clock
from tests.support.flow_house import CONTACT, csv_of

GATEWAY = [sys.executable, "-m", "gateway"]
PLANTED = ("Zzplanted", "Qqhidden", "360-555-0177", "1977-07-17", "Secretstreet")
"""A family name, a given name, a phone number, a birth date and a street."""

FAMILY, GIVEN, PHONE, BIRTH, STREET = PLANTED
MARKUP = f"<script>alert('{GIVEN}')</script>"
PERSON = {
    **CONTACT, "last_name": FAMILY, "first_name": MARKUP, "phone": PHONE, "dob": BIRTH, "address": f"1 {STREET}",
    "notes": f"{FAMILY} said that {GIVEN} knows",
}  # fmt: skip


@dataclass
class Running:
    """A gateway that serves, with its log."""

    directory: Path
    http: str
    mllp: tuple[str, int]
    log: Path
    link: str

    def ask(self, method: str, path: str, client: str | None = None, **more: object) -> requests.Response:
        headers = dict(more.pop("headers", {}))  # type: ignore[call-overload]
        if client is not None:
            key = read_settings(self.directory).secret("token")
            headers["Authorization"] = f"Bearer {issue(client, key, token_id='t', at=clock())}"
        return requests.request(method, self.http + path, headers=headers, timeout=20, **more)  # type: ignore[arg-type]

    def say(self, message: bytes) -> bytes:
        with socket.create_connection(self.mllp, timeout=20) as connection:
            connection.sendall(b"\x0b" + message + b"\x1c\r")
            return connection.recv(65536)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*GATEWAY, *arguments, "--config", str(self.directory)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


class _Refuses(BaseHTTPRequestHandler):
    """A FHIR server that refuses everything and says why in the patient's own words."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        why = json.dumps({"resourceType": "OperationOutcome", "issue": [{"diagnostics": " ".join(PLANTED)}]}).encode()
        self.send_response(422, f"{FAMILY} is not welcome")
        self.send_header("Content-Length", str(len(why)))
        self.end_headers()
        self.wfile.write(why)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("leaks")
    directory, log = folder / "gateway", folder / "log"
    told = subprocess.run([*GATEWAY, "init", str(directory)], check=True, capture_output=True, text=True).stdout
    link = re.search(r"/console/welcome/\S+", told)
    assert link is not None
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    configure(directory, Addresses(f"http://127.0.0.1:{receiver.server_port}/fhir", "127.0.0.1:9"))
    command = [*GATEWAY, "serve", "--config", str(directory), "--http", "127.0.0.1:0", "--mllp", "127.0.0.1:0"]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        assert process.stdout is not None
        ready = re.fullmatch(r"ready http=(\S+) mllp=(\S+):(\d+)\s*", process.stdout.readline())
        assert ready is not None
        yield Running(directory, ready[1], (ready[2], int(ready[3])), log, link[0])
        process.terminate()
        process.wait(90)  # two drains of 20 s each may follow one another
    receiver.shutdown()
    receiver.server_close()


def hand_everything_in(running: Running) -> None:
    """Plant the names at every door, in what is right and in what is broken."""
    path = "/intake/co-responder-contact"
    right = csv_of(PERSON)
    broken = csv_of({**PERSON, "contact_id": "C-2", "dob": f"{BIRTH} {FAMILY}", "contact_date": FAMILY})
    for body in (right, broken, right[: len(right) // 2], b"\xff\xfe" + right, b'{"' + right, right * 2 + b'"'):
        running.ask("POST", path, "demo-agency", data=body, headers={"Idempotency-Key": "k" * 9})
        running.ask("POST", path, "demo-agency", data=body, headers={"Content-Type": f"text/{FAMILY}"})
    running.ask("POST", f"/intake/{FAMILY}", "demo-agency", data=right)
    running.ask("GET", f"/fhir/R4/Patient?identifier={FAMILY}", "demo-ehr")
    running.ask("GET", f"/fhir/R4/Patient/{GIVEN}", "demo-ehr")
    running.ask("GET", f"/fhir/R4/{FAMILY}/{GIVEN}?{PHONE}={BIRTH}", "demo-ehr")
    running.ask("POST", "/fhir/R4/Task/_search", "demo-ehr", data={"patient": FAMILY})
    task = {"resourceType": "Task", "id": "t", "status": FAMILY, "note": [{"text": STREET}], FAMILY: GIVEN}
    for body in (json.dumps(task), json.dumps(task)[:-9], FAMILY):
        headers = {"If-Match": 'W/"1"', "Content-Type": "application/fhir+json"}
        running.ask("PUT", "/fhir/R4/Task/t", "demo-ehr", data=body, headers=headers)
        running.ask("POST", "/fhir/R4/Consent", "demo-ehr", data=body, headers=headers)
    running.ask("GET", f"/console/records/{FAMILY}")
    running.ask("POST", "/console/login", data={"name": FAMILY, "password": GIVEN})
    running.ask(FAMILY.upper(), f"/{FAMILY}")
    head = "MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|20261102110000-0800||{}|{}|P|2.5.1\r"
    who = f"PID|1||{PHONE}^^^HOSPITAL^MR||{FAMILY}^{GIVEN}||{BIRTH}|F\r"
    for n, kind in enumerate(("RRI^I12", "ADT^A01", "SIU^S12", f"{FAMILY}^{GIVEN}", "")):
        running.say((head.format(kind, f"R{n}") + f"RF1|{FAMILY}\rSCH|{GIVEN}\r" + who).encode())
    running.say(f"{FAMILY}|{GIVEN}".encode())


def told_by(running: Running) -> dict[str, str]:
    """Return all that operators are shown of what happened, by where."""
    return {
        "log": running.log.read_text(errors="replace"),
        "metrics": running.ask("GET", "/metrics").text,
        "readiness": running.ask("GET", "/readyz").text,
        "dead letters": running.run("dead-letters", "--state", "dead", "--state", "refused", "--state", "held"),
        "dead letters as JSON": running.run("dead-letters", "--json", "--state", "dead"),
        "audit trail": running.run("audit", "export"),
        "audit check": running.run("audit", "verify"),
    }


def wait_for_a_dead_letter(running: Running) -> str:
    patience = threading.Event()
    for _ in range(100):
        told = running.ask("GET", "/metrics").text
        if re.search(r'gateway_work\{lane="org:demo-hospital/fhir",state="dead"\}', told):
            return told
        patience.wait(0.2)
    raise AssertionError("the refusal of the receiver never became a dead letter")


def test_names_planted_at_every_door_are_in_no_log_metric_or_command(running: Running) -> None:
    hand_everything_in(running)
    wait_for_a_dead_letter(running)

    told = told_by(running)

    assert [(where, name) for where, text in told.items() for name in PLANTED if name.lower() in text.lower()] == []
    assert "org:demo-hospital/fhir" in told["dead letters as JSON"]
    assert told["log"].count('"event": "request"') > 20


def test_markup_in_a_name_is_words_on_the_page_of_the_record(running: Running) -> None:
    browser = requests.Session()
    page = browser.get(running.http + running.link, timeout=20).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    browser.post(
        running.http + running.link,
        data={"csrf_token": token[1], "password": "four plain words", "again": "four plain words"},
        headers={"Referer": running.http + running.link}, timeout=20,
    )  # fmt: skip
    running.ask("POST", "/intake/co-responder-contact", "demo-agency", data=csv_of(PERSON))
    wait_for_a_dead_letter(running)

    listed = browser.get(running.http + "/console/records", timeout=20).text
    pages = [
        browser.get(running.http + path, timeout=20) for path in re.findall(r'href="(/console/records/\w+)"', listed)
    ]

    assert any(FAMILY in page.text for page in pages)
    assert not any("<script" in page.text for page in pages)
    assert all("script-src" not in page.headers["Content-Security-Policy"] for page in pages)
    assert not any(name in listed for name in PLANTED)


@pytest.mark.parametrize("file", ["partners/demo-hospital.yaml", "routes.yaml", "gateway.toml"])
def test_a_configuration_file_gone_bad_stops_the_start_and_is_named(tmp_path: Path, file: str) -> None:
    directory = tmp_path / "gateway"
    subprocess.run([*GATEWAY, "init", str(directory)], check=True, capture_output=True)
    (directory / file).write_bytes((STARTER / file).read_bytes()[:200] + b"\n\x00: [")

    done = subprocess.run(
        [*GATEWAY, "serve", "--config", str(directory), "--http", "127.0.0.1:0", "--mllp", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert file.rpartition("/")[2] in done.stderr
    assert "Traceback" not in done.stderr
