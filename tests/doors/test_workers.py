"""The workers of a real installation: what fails beside the deliveries does not stop them."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from structlog.testing import capture_logs

from gateway.catalog import shipped
from gateway.cli import main
from gateway.flow.gateway import Gateway
from gateway.flow.house import Converted
from gateway.model.received import Received
from gateway.settings import read_settings
from gateway.wiring.installation import open_installation

A_CONTACT = shipped("mappings", "co-responder-contact", "examples") / "01-an-officer-and-a-clinician.in.csv"


class WithoutChores(Gateway):
    """A gateway whose chores fail each time in a way nobody foresaw."""

    def do_chores(self) -> None:
        """Fail."""
        raise ValueError("nobody foresaw this")


def test_work_is_done_while_the_chores_fail(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["init", str(tmp_path / "gateway")]).exit_code == 0
    installation = open_installation(read_settings(tmp_path / "gateway"))
    house, is_read = installation.gateway.house, threading.Event()

    def convert(received: Received, source: str) -> Iterator[Converted]:
        is_read.set()
        return iter(house.convert(received, source))

    installation.gateway = WithoutChores(replace(house, convert=convert))
    with capture_logs() as lines:
        installation.start()
        installation.gateway.accept(
            "http", "co-responder-contact", "demo-agency", "text/csv", A_CONTACT.read_bytes(), None
        )
        done = is_read.wait(60)
        installation.stop(10)

    assert done
    assert {line["event"] for line in lines if line["log_level"] == "error"} == {"chores.failed"}
