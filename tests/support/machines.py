"""The machine the tests run on, set up differently: what is decided must not depend on it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def a_machine_set_to(zone: str) -> Iterator[None]:
    """Let the local time of this process be that of `zone`, an IANA time zone, for a while."""
    before = os.environ.get("TZ")
    _set(zone)
    try:
        yield
    finally:
        _set(before)


def _set(zone: str | None) -> None:
    if zone is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = zone
    time.tzset()
