"""Findings as OperationOutcome: the one place that knows FHIR's issue codes."""

from typing import Any

from gateway.model.findings import Finding, Findings

ISSUE_CODES = {
    "min": "required",
    "slice-min": "required",
    "max": "structure",
    "slice-max": "structure",
    "json-type": "structure",
    "empty": "structure",
    "unknown-element": "structure",
    "choice": "structure",
    "choice-type": "structure",
    "slice-closed": "structure",
    "resource-type": "structure",
    "json": "structure",
    "encoding": "structure",
    "duplicate-key": "structure",
    "not-a-number": "structure",
    "bytes-limit": "too-long",
    "depth-limit": "too-long",
    "too-long": "too-long",
    "type": "value",
    "fixed": "value",
    "pattern": "value",
    "reference-target": "value",
    "reference-form": "value",
    "full-url": "value",
    "reference-unresolved": "not-found",
    "binding-required": "code-invalid",
    "binding-extensible": "code-invalid",
    "binding-unchecked": "not-supported",
    "code-unknown": "code-invalid",
    "system-relative": "value",
    "code-missing": "code-invalid",
    "extension-context": "extension",
    "extension-url": "extension",
    "extension-unknown": "extension",
    "modifier-extension-unknown": "extension",
    "profile-unknown": "not-supported",
    "profile-type": "invalid",
    "type-unchecked": "not-supported",
    "invariant-unchecked": "not-supported",
    "r4b": "structure",
}
"""OperationOutcome.issue.code by rule (FHIR R4 IssueType); a rule that is not here is an invariant's key."""

ALL_FINE = {"severity": "information", "code": "informational", "diagnostics": "No problem was found."}


def to_operation_outcome(found: Findings) -> dict[str, Any]:
    """Render findings as an OperationOutcome; without findings it says so, since an issue is required (R4 1..*)."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(item) for item in found] or [dict(ALL_FINE)]}


def _issue(item: Finding) -> dict[str, Any]:
    issue = {
        "severity": item.severity,
        "code": ISSUE_CODES.get(item.rule, "invariant"),
        "details": {"text": item.rule},
        "diagnostics": item.message,
    }
    # "$" stands for a document that could not be read; there is no FHIRPath into it.
    return issue if item.location == "$" else issue | {"expression": [item.location]}
