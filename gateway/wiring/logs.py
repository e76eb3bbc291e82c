"""How the processes log: one JSON object a line on stderr, so that stdout stays for data."""

import sys

import structlog


def log_to_stderr() -> None:
    """Send every log line of this process to stderr, with time and level; exceptions by kind only, never by text."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
