"""Log lines that cannot be written: a full disk, or a reader that is gone, changes nothing that was to be told."""

import errno
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest
import structlog

from gateway.wiring.logs import log_to_stderr


class Disk(io.StringIO):
    """A file on a disk that is full now and then."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.fixture(autouse=True)
def _logging_as_a_process_does() -> Iterator[None]:
    before = structlog.get_config()
    log_to_stderr()
    yield
    structlog.configure(**before)


def told(disk: Disk) -> list[tuple[str, int | None]]:
    """Return event and number of lines of each line on a disk."""
    lines = map(json.loads, disk.getvalue().splitlines())
    return [(line["event"], line.get("lines")) for line in lines]


def test_a_line_that_cannot_be_written_stops_nobody() -> None:
    disk = Disk()
    disk.is_full = True

    with redirect_stderr(disk):
        structlog.get_logger("one").error("request")

    assert disk.getvalue() == ""


def test_the_first_line_that_can_be_written_again_tells_how_many_were_lost() -> None:
    disk = Disk()

    with redirect_stderr(disk):
        structlog.get_logger("one").info("before")
        disk.is_full = True
        structlog.get_logger("one").info("lost")
        structlog.get_logger("other").info("lost too")
        disk.is_full = False
        structlog.get_logger("one").info("after")
        structlog.get_logger("one").info("later")

    assert told(disk) == [("before", None), ("log.lines_lost", 2), ("after", None), ("later", None)]
