"""HL7's own validator on every Bundle that the demonstration delivers by FHIR, as it went over the wire."""

from pathlib import Path

import pytest

from tests.support.demo_run import run_demo
from tests.support.official_validator import errors_of, require_validator

pytestmark = pytest.mark.timeout(600)


def test_hl7s_validator_finds_no_error_in_what_the_demonstration_sends(tmp_path: Path) -> None:
    require_validator()
    run = run_demo(tmp_path)
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    for sent in run.sent.glob("*-to-receiver.json"):
        sent.rename(bundles / sent.name)

    errors = errors_of(bundles)

    assert run.status == 0
    assert len(list(bundles.iterdir())) >= run.tally["delivered_fhir"] > 0
    assert [(one["file"], one["location"], one["message"]) for one in errors] == []
