"""HAPI, the HL7v2 library most engines in Java are built on, as our peer, with its own validation on.

Runs where Java is on the machine, and HAPI is in its Maven repository:
`mvn dependency:get -Dartifact=ca.uhn.hapi:hapi-structures-v251:2.3`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.delivery.mllp_sender import MllpSender
from gateway.formats.hl7v2.referral import write_referral
from gateway.formats.hl7v2.referral_document import write_document
from gateway.formats.hl7v2.referral_order import write_cancellation, write_order
from gateway.model.hl7_header import Hl7Header
from gateway.model.notice import STATEMENT_2
from tests.doors.mllp_peers import admission
from tests.doors.test_mllp_listener import listening
from tests.support.referrals import referral_bundle

HEADER = Hl7Header(
    ("WARMHANDOFF",), ("GATEWAY",), ("EHR",), ("HOSPITAL",), "20261102101500-0800", "", security="R", version="2.5.1"
)
_JARS = ("hapi-base-2.3.jar", "hapi-structures-v251-2.3.jar", "slf4j-api-*.jar")


@pytest.fixture(scope="module")
def peer() -> list[str]:
    """The command that runs HAPI; its words follow."""
    java, kept = shutil.which("java"), Path.home() / ".m2" / "repository"
    found = [next(iter(sorted(kept.rglob(name), reverse=True)), None) for name in _JARS]
    if java is None or None in found:
        pytest.skip("Java or HAPI is not on this machine")
    return [java, "-cp", os.pathsep.join(map(str, found)), str(Path(__file__).parent / "hapi" / "Peer.java")]


@contextmanager
def receiving(peer: list[str]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*peer, "receive"], text=True, **pipes) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


def test_hapi_reads_every_kind_of_referral_that_we_write(peer: list[str]) -> None:
    bundle = referral_bundle()
    of = [replace(HEADER, control_id=f"R{number}", trigger_event="I12", profile="") for number in range(5)]
    messages = [
        write_referral(bundle, STATEMENT_2, of[1]),
        write_order(bundle, STATEMENT_2, replace(of[2], profile="360X"), "create"),
        write_cancellation(bundle, STATEMENT_2, replace(of[3], profile="360X")),
        write_document(bundle, STATEMENT_2, of[4], "create"),
    ]

    with receiving(peer) as (port, process), MllpSender("127.0.0.1", port, None, 30) as sender:
        codes = [sender.send(message).acknowledgement.code for message in messages]
        assert process.stdout is not None
        taken = [process.stdout.readline().strip() for _ in messages]

    assert codes == ["AA"] * 4
    # OSU^O51 came after 2.5.1, in which 360X uses it all the same: HAPI takes it as a generic message.
    assert taken == ["REF REF_I12 R1", "OMG OMG_O19 R2", "OSU V251 R3", "MDM MDM_T02 R4"]


def test_hapi_understands_our_answers_on_one_connection(peer: list[str]) -> None:
    messages = [admission(b"C1"), admission(b"C2").replace(b"ADT^A01^ADT_A01", b"BAR^P01^BAR_P01"), admission(b"C3")]
    lines = b"".join(message.replace(b"\r", b"\\r") + b"\n" for message in messages)

    with listening() as (_, listener):
        command = [*peer, "send", str(listener.address[1])]
        result = subprocess.run(command, input=lines, capture_output=True, timeout=60, check=True)

    assert result.stdout.decode().splitlines() == ["ACK AA C1", "ACK AR C2", "ACK AA C3"]
