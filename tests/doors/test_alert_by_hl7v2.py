"""A referral goes out over MLLP, its person is admitted, and its receiver hears of that: a whole installation."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.times import hl7_time
from gateway.intake.mllp_listener import listen
from gateway.settings import read_settings
from gateway.wiring import clock
from gateway.wiring.installation import open_installation
from tests.doors.mllp_peers import TakingPeer, read_blocks, taking
from tests.support.flow_house import CONTACT, csv_of

ALERTS = """
- alerts: [admitted]
  when: {}
  to: org:demo-clinic
  transport: hl7v2
  purpose: TREAT
"""


@pytest.fixture
def clinic() -> Iterator[TakingPeer]:
    with taking(2) as peer:
        yield peer


def test_who_has_the_referral_hears_of_the_admission(tmp_path: Path, clinic: TakingPeer) -> None:
    folder = tmp_path / "gateway"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    partner = folder / "partners" / "demo-clinic.yaml"
    partner.write_text(partner.read_text().replace("127.0.0.1:2590", f"{clinic.address[0]}:{clinic.address[1]}"))
    with (folder / "routes.yaml").open("a") as routes:
        routes.write(ALERTS)
    installation = open_installation(read_settings(folder), mllp=listen("127.0.0.1", 0))
    installation.start()

    installation.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(a_contact()), None)
    assert clinic.has(1)
    with socket.create_connection(installation.mllp_address, timeout=60) as hospital:
        hospital.sendall(b"\x0b" + an_admission(_read(clinic.messages[0]).text("PID-3.1")) + b"\x1c\r")
        acknowledged = read_blocks(hospital, 1)[0]
    has_alert = clinic.has(2)
    installation.stop(10)

    assert b"MSA|AA|E1" in acknowledged
    assert has_alert
    referral, alert = map(_read, clinic.messages)
    assert [referral.text("MSH-9.1"), alert.text("MSH-9")] == ["REF", "ADT^A01^ADT_A01"]
    assert [one.id for one in alert.segments] == ["MSH", "EVN", "PID", "PV1"]
    assert (alert.text("PID-5.1"), alert.text("PV1-3"), alert.text("MSH-5")) == ("Sample", "", "CLINIC-EHR")


def _read(content: bytes) -> Message:
    message = read_message(content)
    assert isinstance(message, Message)
    return message


def a_contact() -> dict[str, str]:
    """A contact of this day whose person agreed to be referred for substance use treatment."""
    at = (clock().astimezone(ZoneInfo("America/Los_Angeles")) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    return {**CONTACT, "contact_date": at, "consent_at": at, "referral_service": "detox"}


def an_admission(number: str) -> bytes:
    at = hl7_time(clock())
    return (
        f"MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|{at}||ADT^A01|E1|P|2.5.1\rEVN|A01|{at}\r"
        f"PID|1||{number}^^^WARMHANDOFF^PI||Sample^Ari||19900102|F\rPV1|1|I|ICU^12^A||||||||||||||||V-7\r"
    ).encode()
