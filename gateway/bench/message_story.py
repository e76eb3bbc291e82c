"""How fast a hospital's messages become what happened to a referral: kept, acknowledged, read, decided, stored.

Ours: acceptances, admissions and discharges of referred people, on SQLite, in one thread, by processor time too.
Floor: what any program must do at least, with the standard library: split the message, keep it, keep what it says,
each in a commit of its own, as a message is answered before it is read.
"""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.bench.road import contacts
from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import SendResult
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.settings import read_settings
from gateway.wiring.installation import open_installation

Row = dict[str, str | float]

_PEER = PeerAddress("127.0.0.1", 2575)


def rows(seconds: float) -> Iterator[Row]:
    """Refer about as many people as can be moved in `seconds`, then measure what their hospital says of them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "gateway", "init", f"{folder}/gateway"], check=True, capture_output=True)
        installation = open_installation(read_settings(Path(folder) / "gateway"))
        try:
            gateway = Gateway(replace(installation.gateway.house, transports={"fhir": _Agreeable()}))
            messages = _messages(gateway, files=max(1, round(seconds)))
            ours, processor = _measured(gateway, messages)
        finally:
            installation.stop(1)
        floor = _floor(Path(folder) / "floor.db", messages)
    yield {
        "row": f"hl7v2: RRI, A01, A03 accepted, mapped, decided, stored ({processor:,.0f} a processor second)",
        "per_second": round(ours),
        "floor": "standard library: split, two SQLite commits",
        "floor_per_second": round(floor),
        "ratio": round(ours / floor, 3),
        "goal": ">= 500/s on one core",
    }


class _Agreeable:
    """A hospital that takes everything at once."""

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Say yes."""
        return SendResult("200")


def _messages(gateway: Gateway, files: int) -> list[bytes]:
    """Refer people to the hospital, and write what it will say of each."""
    for number in range(files):
        data = contacts(number * 50, "crisis_clinic")
        gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", data, None)
    while work_once(gateway.house, "bench"):
        pass
    referrals = gateway.database.read(lambda tx: tx.referrals.of_recipient("org:demo-hospital", None, None))
    return [message for n, one in enumerate(referrals) for message in _course(n, one.identifier)]


def _course(n: int, referral: str) -> list[bytes]:
    """Write an acceptance, an admission and a discharge."""
    person = f"PID|1||M-{n}^^^HOSPITAL^MR||Sample{n}^Bench\r"
    sent = [
        ("RRI^I12", f"RF1|A|||||{referral}^WARMHANDOFF|||20270105110000-0800||H-{n}\rPRD|RT|Welcome^Nora\r{person}"),
        ("ADT^A01", f"EVN|A01|20270106120000-0800\r{person}PV1|1|I|ED^^^HOSPITAL\r"),
        ("ADT^A03", f"EVN|A03|20270107120000-0800\r{person}PV1|1|I|ED^^^HOSPITAL\r"),
    ]
    head = "MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|20270107120000-0800||"
    return [f"{head}{kind}|B{n}-{kind[-3:]}|P|2.5.1\r{rest}".encode() for kind, rest in sent]


def _measured(gateway: Gateway, messages: list[bytes]) -> tuple[float, float]:
    """Return messages a second and messages a second of this process's processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    for message in messages:
        assert b"MSA|AA|" in gateway.accept_message(message, _PEER)
    while work_once(gateway.house, "bench"):
        pass
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    done = gateway.database.read(lambda tx: tx.referrals.of_recipient("org:demo-hospital", "completed", None))
    assert len(done) * 3 == len(messages), "every referral was accepted, begun and completed"
    return len(messages) / wall, len(messages) / processor


def _floor(path: Path, messages: list[bytes]) -> float:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB); CREATE TABLE said (message INTEGER, body TEXT);"
    )
    began = time.perf_counter()
    for n, message in enumerate(messages):
        database.execute("INSERT INTO message VALUES (?, ?)", (n, message))
        fields = [line.split("|") for line in message.decode().split("\r")]
        database.execute("INSERT INTO said VALUES (?, ?)", (n, repr(fields)))
    elapsed = time.perf_counter() - began
    database.close()
    return len(messages) / elapsed
