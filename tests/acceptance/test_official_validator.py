"""HL7's own validator on our profiles and on what we hold for sound: it must find no error, and the faults we find."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import shipped
from tests.support.shared_data import shared_data
from tests.unit.validation import examples
from tests.unit.validation.examples import PROFILE

pytestmark = pytest.mark.timeout(600)


def _harness() -> Path:
    """Return the folder with the validator, or skip: it needs Java and lies beside the test data."""
    if shutil.which("java") is None or shutil.which("mvn") is None:
        pytest.skip("Java and Maven are not on this machine: HL7's validator cannot run")
    harness = shared_data().resolve().parent / "harness"
    if not os.access(harness / "bin" / "fhir-validate", os.X_OK):
        pytest.skip("HL7's validator is not here: ../shared/harness")
    return harness


def _stamped(resource: dict[str, Any], name: str) -> dict[str, Any]:
    return {**resource, "meta": {"profile": [PROFILE + name]}}


def _sound(folder: Path) -> None:
    """Write every good example as it claims its profile, and a whole handoff."""
    by_type = {make()["resourceType"]: name for name, make in examples.PROFILED.items()}
    for name, make in examples.PROFILED.items():
        (folder / f"{name}.json").write_text(json.dumps(_stamped(make(), name)), encoding="utf-8")
    bundle = examples.bundle()
    for entry in bundle["entry"]:
        kind = entry["resource"]["resourceType"]
        if kind in by_type:
            entry["resource"] = _stamped(entry["resource"], by_type[kind])
    (folder / "handoff.json").write_text(json.dumps(bundle), encoding="utf-8")


def _faulty(folder: Path) -> None:
    """Write resources with one fault against a profile each."""
    task, request, patient = examples.task(), examples.service_request(), examples.patient()
    task["status"] = "rejected"
    request["identifier"][0].pop("type")
    patient["identifier"][0]["system"] = "http://hl7.org/fhir/sid/us-ssn"
    for resource, name in ((task, "wh-task"), (request, "wh-service-request"), (patient, "wh-patient")):
        (folder / f"faulty-{name}.json").write_text(json.dumps(_stamped(resource, name)), encoding="utf-8")


# One run for everything: starting Java costs more than all the checks.
def test_hl7s_validator_takes_our_profiles_and_examples_and_misses_no_fault(tmp_path: Path) -> None:
    harness = _harness()
    profiles = shipped("profiles", "handoff")
    _sound(tmp_path)
    _faulty(tmp_path)
    command = [harness / "bin" / "fhir-validate", "--min-severity", "error", "--package", profiles]
    command += ["--package", harness / "packages" / "newer-terminology", profiles, tmp_path]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    issues = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert result.stdout, result.stderr[-2000:]
    assert {Path(issue["file"]).name for issue in issues} == {
        "faulty-wh-task.json",
        "faulty-wh-service-request.json",
        "faulty-wh-patient.json",
    }
