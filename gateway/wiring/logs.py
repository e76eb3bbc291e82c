"""How the processes log: one JSON object a line on stderr, so that stdout stays for data."""

import sys

import structlog


class _Lines:
    """Writes to stderr as it is when the line is written: structlog's own holds on to the stream it was made with.

    A line that cannot be written (a full disk, a reader that is gone) is lost and counted, and changes nothing else:
    what was to be told has been done, and its answer must say so.
    """

    def __init__(self) -> None:
        self._lost = 0

    def msg(self, line: str) -> None:
        try:
            if self._lost:
                sys.stderr.write(f'{{"event": "log.lines_lost", "level": "warning", "lines": {self._lost}}}\n')
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    debug = info = warning = error = critical = msg


def log_to_stderr(*, for_good: bool = False) -> None:
    """Send every log line of this process to stderr, with time and level; exceptions by kind only, never by text.

    `for_good`: loggers keep this once they are used, which is quicker, and right where a process does only one thing.
    """
    lines = _Lines()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=for_good,
    )
