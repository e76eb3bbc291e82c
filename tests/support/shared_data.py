"""Where other projects' records and messages lie: beside the repository, never in it."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def shared_data(*parts: str) -> Path:
    """Return a path below the shared test data; skip the test where a user's clone has none."""
    root = Path(os.environ.get("GATEWAY_TEST_DATA", _REPOSITORY.parent / "shared" / "data"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"shared test data is not here: {'/'.join(parts)}")
    return path
