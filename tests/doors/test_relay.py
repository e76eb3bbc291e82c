"""A message comes in over MLLP and goes on over MLLP: a whole installation between two peers on bare sockets."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.flow.people import PERSON_ID
from gateway.intake.mllp_listener import listen
from gateway.model.handoff import Person
from gateway.settings import Settings, read_settings
from gateway.storage.database import open_database
from gateway.wiring import clock
from gateway.wiring.installation import open_installation
from tests.doors.mllp_peers import TakingPeer, read_blocks, taking

LABORATORY = """\
id: org:test-laboratory
name: Sample Laboratory
identifiers: [{system: "urn:oid:2.999.5", value: "lab"}]
state: WA
timezone: America/Los_Angeles
roles: [provider]
legal_class: [{from: 2020-01-01, part2: no, covered_entity: true}]
feeds:
  - application: LIS
    facility: SAMPLE LAB
    pass_on: [{to: org:test-practice, purpose: TREAT, types: [ORU]}]
"""
PRACTICE = """\
id: org:test-practice
name: Sample Practice
identifiers: [{system: "urn:oid:2.999.5", value: "practice"}]
state: WA
timezone: America/Los_Angeles
roles: [provider]
legal_class: [{from: 2020-01-01, part2: no, covered_entity: true}]
endpoints:
  - transport: hl7v2
    address: "mllp://%s:%d"
    application: EHR
    facility: PRACTICE
    verified: 2026-01-01
"""
RESULT = (
    b"MSH|^~\\&|LIS|SAMPLE LAB|HIE|X|20261102095900-0800||ORU^R01|L-1|P|2.5.1|||NE|AL\r"
    b"PID|1||our-number^^^WARMHANDOFF^PI\rOBR|1|P1|F1|24323-8^Metabolic panel^LN\r"
    b"OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F\r"
)


SAMPLE = Person(
    "person-1", "Sample", "Ari", "1990-01-02", None, None, None, ("patient-1",), ((PERSON_ID, "our-number"),)
)


@pytest.fixture
def practice() -> Iterator[TakingPeer]:
    with taking(1) as peer:
        yield peer


def test_a_result_that_came_over_mllp_goes_on_over_mllp(tmp_path: Path, practice: TakingPeer) -> None:
    settings = _settings(tmp_path / "gateway", practice)
    installation = open_installation(settings, mllp=listen("127.0.0.1", 0))
    installation.gateway.database.write(lambda tx: tx.people.save(SAMPLE, clock()))
    installation.start()
    with socket.create_connection(installation.mllp_address, timeout=60) as laboratory:
        laboratory.sendall(b"\x0b" + RESULT + b"\x1c\r")
        acknowledged = read_blocks(laboratory, 1)[0]
    arrived = practice.has(1)
    installation.stop(10)

    assert b"MSA|AA|L-1" in acknowledged
    assert arrived
    head, *rest = practice.messages[0].split(b"\r")
    assert rest == RESULT.split(b"\r")[1:]
    assert head.split(b"|")[2:6] == [b"WARMHANDOFF", b"GATEWAY", b"EHR", b"PRACTICE"]
    assert head.endswith(b"|ORU^R01|" + head.split(b"|")[9] + b"|P|2.5.1"), "what our receiver answers is for us to ask"
    assert _relays(settings) == [("org:test-practice/hl7v2", "delivered")]


def _settings(folder: Path, practice: TakingPeer) -> Settings:
    """Configure an installation that passes on to the practice what the laboratory tells."""
    told = CliRunner().invoke(main, ["init", str(folder)])
    assert told.exit_code == 0, told.output
    (folder / "partners" / "test-laboratory.yaml").write_text(LABORATORY)
    (folder / "partners" / "test-practice.yaml").write_text(PRACTICE % practice.address)
    return read_settings(folder)


def _relays(settings: Settings) -> list[tuple[str, str]]:
    database = open_database(settings.database_url, clock=clock)
    done = database.read(lambda tx: tx.outbox.of_states(["delivered", "dead", "ready", "held", "refused", "sending"]))
    database.close()
    return [(one.lane, one.state) for one in done if one.kind == "relay"]
