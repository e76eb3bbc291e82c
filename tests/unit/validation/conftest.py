"""One checker for all tests of this room: it is compiled once and holds no state of a check."""

import pytest

from gateway.catalog.profiles import load_checker
from gateway.validation import Checker


@pytest.fixture(scope="session")
def checker() -> Checker:
    """Return the checker with R4 and our own profiles."""
    return load_checker()
