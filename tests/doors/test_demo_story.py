"""The whole demonstration, once as it should be and once with a hospital that takes nothing.

Both runs start processes and take most of a minute on two cores; `--dist loadfile` keeps this file in one worker.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.demo.samples import people
from gateway.demo.samples.files import FILES, FOLDER
from gateway.demo.samples.people import Invented
from gateway.formats.hl7v2 import Message, read_message
from tests.support.demo_run import DemoRun, run_demo

pytestmark = pytest.mark.timeout(280)

KEYS = [
    "ok", "records", "programs", "converted", "quarantined", "duplicates", "skipped", "delivered_fhir",
    "delivered_hl7v2", "refused", "held", "withheld", "answered", "dead",
]  # fmt: skip


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Tell the story once for every test of this file."""
    return run_demo(tmp_path_factory.mktemp("story"))


def everybody() -> list[Invented]:
    return [one for one in vars(people).values() if isinstance(one, Invented)]


def sent_by_fhir(run: DemoRun) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(run.sent.glob("*-to-receiver.json"))]


def sent_by_hl7v2(run: DemoRun) -> list[Message]:
    read = [read_message(path.read_bytes()) for path in sorted(run.sent.glob("*-to-receiver.hl7"))]
    return [message for message in read if isinstance(message, Message)]


def test_everything_expected_happens(story: DemoRun) -> None:
    assert story.complaints == ""
    assert "NOT AS EXPECTED" not in story.told
    assert story.status == 0


def test_the_last_line_is_the_tally_and_adds_up(story: DemoRun) -> None:
    tally = story.tally

    assert list(tally) == KEYS
    assert tally["ok"] is True
    assert tally["records"] >= 60
    assert tally["programs"] >= 5
    assert tally["records"] == sum(tally[name] for name in ("converted", "quarantined", "duplicates", "skipped"))
    assert tally["answered"] == tally["delivered_fhir"] + tally["delivered_hl7v2"]
    assert tally["dead"] == 0


def test_out_holds_each_file_that_was_handed_in_byte_for_byte(story: DemoRun) -> None:
    for file in FILES:
        (kept,) = story.sent.glob(f"*-to-gateway-{file.name}")

        assert kept.read_bytes() == (FOLDER / file.name).read_bytes()


def test_out_holds_each_delivery_of_both_transports(story: DemoRun) -> None:
    bundles, messages = sent_by_fhir(story), sent_by_hl7v2(story)

    requests = [
        entry["resource"]
        for bundle in bundles
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "ServiceRequest"
    ]
    assert {bundle["type"] for bundle in bundles} == {"transaction"}
    assert len({one["identifier"][0]["value"] for one in requests}) == story.tally["delivered_fhir"]
    assert len({message.text("RF1-6.1") for message in messages}) == story.tally["delivered_hl7v2"]


def test_who_refused_is_in_nothing_that_was_sent(story: DemoRun) -> None:
    sent = b"".join(path.read_bytes() for path in story.sent.glob("*-to-receiver.*"))
    outcomes: dict[str, set[str]] = {}
    for file in FILES:
        for expected in file.referrals:
            outcomes.setdefault(expected.person.family, set()).add(expected.outcome)
    refused = [family for family, seen in outcomes.items() if seen <= {"refused", "held"}]

    assert len(refused) > 10
    assert [family for family in refused if family.encode() in sent] == []


def test_the_log_of_the_gateway_names_nobody(story: DemoRun) -> None:
    words = {
        word
        for one in everybody()
        for word in (one.given, one.family, one.family.removesuffix("-Test"), one.phone, one.street, one.born)
        if word
    }

    assert story.gateway_log != ""
    assert [word for word in sorted(words) if re.search(rf"\b{word}\b", story.gateway_log)] == []


def test_each_refusal_is_told_with_rule_and_section(story: DemoRun) -> None:
    rows = [line.split("│") for line in story.told.splitlines() if line.startswith("│ refused ")]
    reasons = [row[2].strip() for row in rows if len(row) == len(["", "state", "reason", "referrals", ""])]

    assert reasons
    assert [reason for reason in reasons if " (42 CFR 2." not in reason] == []


class _RefusesAll(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}'
        self.send_response(422)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def hospital_that_refuses() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _RefusesAll)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_hospital_that_takes_nothing_makes_it_fail_and_say_so(tmp_path: Path, hospital_that_refuses: str) -> None:
    run = run_demo(tmp_path, "--ehr", hospital_that_refuses)

    assert run.status == 1
    assert list(run.tally) == KEYS
    assert (run.tally["ok"], run.tally["delivered_fhir"]) == (False, 0)
    assert "NOT AS EXPECTED" in run.told


def test_what_is_no_address_of_a_fhir_server_is_wrong_use() -> None:
    result = CliRunner().invoke(main, ["demo", "--once", "--ehr", "hospital"])

    assert (result.exit_code, result.stdout) == (2, "")


def test_a_story_that_is_stopped_before_its_end_does_not_say_that_all_went_well(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--once"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        process.terminate()
        told, complaints = process.communicate(timeout=120)

    assert (process.returncode, json.loads(told.splitlines()[-1])["ok"]) == (1, False)
    assert complaints == "gateway demo: stopped before the end of the story\n"
    assert list(tmp_path.iterdir()) == []
