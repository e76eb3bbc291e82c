"""HL7's own validator, which lies beside the test data and needs Java and Maven."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import shipped
from tests.support.shared_data import shared_data


def errors_of(*inputs: Path) -> list[dict[str, Any]]:
    """Return every error in these files and folders, held against R4 and our profiles; skip where it cannot run.

    Starting Java costs more than all the checks, so a test asks once for everything.
    """
    harness = _harness()
    command = [
        harness / "bin" / "fhir-validate",
        "--min-severity",
        "error",
        "--package",
        shipped("profiles", "handoff"),
    ]
    command += ["--package", harness / "packages" / "newer-terminology", *inputs]
    with tempfile.TemporaryDirectory() as scratch:  # it leaves a file where it runs
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert "resources=" in result.stdout, result.stderr[-2000:]
    return lines


def require_validator() -> None:
    """Skip the test where the validator cannot run, before anything costly is made for it."""
    _harness()


def _harness() -> Path:
    if shutil.which("java") is None or shutil.which("mvn") is None:
        pytest.skip("Java and Maven are not on this machine: HL7's validator cannot run")
    harness = shared_data().resolve().parent / "harness"
    if not os.access(harness / "bin" / "fhir-validate", os.X_OK):
        pytest.skip("HL7's validator is not here: ../shared/harness")
    return harness
