"""How the processes log: one JSON object a line on stderr, so that stdout stays for data."""

import sys

import structlog


class _Lines:
    """Writes to stderr as it is when the line is written: structlog's own holds on to the stream it was made with."""

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


def log_to_stderr(*, for_good: bool = False) -> None:
    """Send every log line of this process to stderr, with time and level; exceptions by kind only, never by text.

    `for_good`: loggers keep this once they are used, which is quicker, and right where a process does only one thing.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=for_good,
    )
