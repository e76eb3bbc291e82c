"""An HL7v2 message again after `kill -9` of the gateway: the same answer, byte for byte, and no second effect."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.delivery.mllp_sender import MllpSender
from gateway.settings import read_settings
from gateway.storage.database import open_database
from gateway.wiring import clock
from tests.doors.mllp_peers import admission
from tests.doors.test_gateway_killed import GATEWAY, Served

PLAIN = admission(b"C1")
UNTAKEN = admission(b"C2").replace(b"ADT^A01^ADT_A01", b"XYZ^A01")
COMMITTED = admission(b"C3").replace(b"|2.5.1\r", b"|2.5.1|||AL|NE\r")
OTHER_CONTENT = PLAIN.replace(b"Sample^Ann", b"Sample^Bo")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    directory = tmp_path / "gateway"
    subprocess.run([*GATEWAY, "init", str(directory)], check=True, capture_output=True)
    made = Served(directory)
    made.start()
    yield made
    made.close()


def answers(served: Served, *messages: bytes) -> list[bytes]:
    with MllpSender(*served.mllp, timeout_s=30) as sender:
        return [sender.send(message).content for message in messages]


def test_the_same_message_has_the_same_answer_after_the_gateway_was_killed(served: Served) -> None:
    before = answers(served, PLAIN, UNTAKEN, COMMITTED)
    served.kill()
    served.start()
    after = answers(served, PLAIN, UNTAKEN, COMMITTED)
    (contradiction,) = answers(served, OTHER_CONTENT)
    served.kill()

    database = open_database(read_settings(served.directory).database_url, clock=clock, role="reader")
    kept = database.query(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM input").scalar_one())
    database.close()
    assert [one.split(b"MSA|")[1][:2] for one in before] == [b"AA", b"AR", b"CA"]
    assert after == before
    assert b"MSA|AE|C1" in contradiction
    assert b"|205^" in contradiction
    assert kept == 4
