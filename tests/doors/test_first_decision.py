"""The first decision of docs/consent-engine.md, typed word for word, decides what the page says."""

import json
import shutil
from pathlib import Path

from tests.support.typed import REPOSITORY, commands_under, type_in

CASE = Path("docs") / "examples" / "first-decision"


def test_the_first_decision_decides_as_the_page_says(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / CASE, tmp_path / "clone" / CASE)

    done = type_in(
        tmp_path / "clone", commands_under("A first decision", "docs/consent-engine.md"), stop_at_failure=False
    )

    assert done.returncode == 0, done.stderr
    permitted, expired, unsigned, disclosure = (
        json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")
    )
    assert (permitted["decision"], permitted["reason"]) == ("PERMIT", "OK_CONSENT")
    assert {"NOTICE", "LABEL", "CONSENT_COPY"} <= set(permitted["obligations"])
    assert (expired["decision"], expired["reason"]) == ("DENY", "CONSENT_EXPIRED")
    assert (unsigned["decision"], unsigned["reason"]) == ("DENY", "CONSENT_DEFICIENT:EL_SIGNATURE")
    assert [entry["resource"]["resourceType"] for entry in disclosure["entry"]] == [
        "DocumentReference", "DocumentReference", "Goal", "Provenance",
    ]  # fmt: skip
