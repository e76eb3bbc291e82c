"""How the log looks: one JSON object a line, with ids, codes and durations only."""

from typing import TextIO

import structlog


def log_to(stream: TextIO) -> None:
    """Write the log to this stream from now on; a serving process calls it once, with standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
