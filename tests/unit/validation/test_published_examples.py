"""US Core's own examples against US Core: whatever is found must be known and explained."""

import json
import tarfile
from pathlib import Path

import pytest

from gateway.catalog.profiles import load_checker
from gateway.model.findings import Finding
from gateway.validation import Checker
from tests.support.shared_data import shared_data

EXPLAINED = {
    # HL7's own validator says the same of both: the full URL names another resource than the entry holds.
    ("Bundle-docref-example-2.json", "full-url"),
    ("Bundle-66c8856b-ba11-4876-8aa8-467aad8c11a2.json", "full-url"),
}


def _checked(version: str, folder: Path) -> dict[str, tuple[Finding, ...]]:
    """Check every published example of a US Core package against the profiles it claims."""
    package = shared_data("exchange", "profiles", f"us_core_{version}.tgz")
    (folder / package.name).symlink_to(package)
    checker = load_checker(folder)
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.startswith("package/example/") and member.name.endswith(".json"):
                content = archive.extractfile(member)
                assert content is not None
                found[Path(member.name).name] = checker.check(json.load(content), {}).items
    return found


@pytest.mark.parametrize(("version", "count"), [("610", 183), ("700", 214)])
def test_no_us_core_example_has_an_unexplained_error(version: str, count: int, tmp_path: Path) -> None:
    found = _checked(version, tmp_path)

    errors = {(name, item.rule) for name, items in found.items() for item in items if item.severity == "error"}
    assert len(found) == count
    assert errors <= EXPLAINED


@pytest.mark.parametrize("version", ["610", "700"])
def test_what_was_not_checked_is_said(version: str, tmp_path: Path) -> None:
    found = [item for items in _checked(version, tmp_path).values() for item in items]

    warned = {item.rule for item in found if item.severity == "warning"}
    # Codes of value sets that need VSAC or SNOMED CT, weak bindings, and the SDC guide that nobody gave us.
    assert warned <= {"binding-unchecked", "binding-extensible", "profile-unknown", "invariant-unchecked"}
    assert "binding-unchecked" in warned
    assert not [item for item in found if item.rule == "invariant-unchecked"]


def test_every_exchange_example_is_sound_or_wrong_for_a_known_reason(checker: Checker) -> None:
    folder = shared_data("exchange", "examples")

    rules: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.json")):
        for finding in checker.check(json.loads(path.read_bytes()), {}).errors:
            rules.setdefault(path.name, set()).add(finding.rule)

    assert rules == {
        # Sections without text or entries, and an entry whose full URL names another resource (HL7 says the same).
        "Bundle-bundle-bser-referral-feedback-document-bundle-eve-everywoman.json": {"cmp-1"},
        "Bundle-bundle-bser-referral-request-document-bundle-baby-everybaby.json": {"full-url"},
        "Composition-composition-bser-referral-feedback-arthritis-everywoman.json": {"cmp-1"},
        # A parameter of a resource type with a target profile, against opd-3.
        "OperationDefinition-file-consent.json": {"opd-3"},
        # References that are an id without a type (HL7 says the same).
        "Bundle-FASTSubscriptionNotification.json": {"reference-form"},
        "Parameters-FASTSubscriptionNotificationParameters.json": {"reference-form"},
    }
