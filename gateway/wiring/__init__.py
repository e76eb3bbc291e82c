"""Choose every concrete class; hand out the clock and the ids, which nobody else may make."""

import secrets
from datetime import UTC, datetime

_OF_BYTE = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))


def clock() -> datetime:
    """Return now in UTC. Nobody else reads the machine's clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return 26 random characters of [a-z2-7]: 130 bits, usable as FHIR id, MSH-10 and file name."""
    return secrets.token_bytes(26).translate(_OF_BYTE).decode("ascii")


def jitter() -> float:
    """Return a random number in [0, 1): the only chance in the stories."""
    return secrets.randbelow(1 << 53) / (1 << 53)
