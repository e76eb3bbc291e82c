"""The printed copy of a release holds what a person can read of the disclosure, and says what it does not hold."""

import base64
from datetime import UTC, datetime
from typing import Any

from gateway.formats.release_pdf import ReleaseCover, release_pdf
from tests.unit.formats.test_referral_pdf import shown

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
COVER = ReleaseCover("Medical emergency", [("Released to", "Exampleville General Hospital")], [], "")


def printed(*resources: dict[str, Any]) -> str:
    return shown(release_pdf({"entry": [{"resource": one} for one in resources]}, COVER, AT))


def a_document(kind: str, data: bytes) -> dict[str, Any]:
    attachment = {"contentType": kind, "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference", "id": "d", "status": "current", "type": {"text": "Discharge summary"},
        "content": [{"attachment": attachment}],
    }  # fmt: skip


def test_a_document_is_printed_with_its_text() -> None:
    page = printed(a_document("text/plain; charset=utf-8", b"Woke up at noon.\nAllergic to Examplicillin."))

    assert "Discharge summary (current) Woke up at noon. Allergic to Examplicillin." in page


def test_of_a_file_that_is_no_text_it_is_said_where_it_is() -> None:
    page = printed(a_document("application/pdf", b"%PDF-1.4 not words"))

    assert "A file (application/pdf) that is not printed here: the copy as a FHIR Bundle holds it." in page
    assert "not words" not in page


def test_a_plan_is_printed_with_its_activities_and_a_report_with_its_conclusion() -> None:
    plan = {
        "resourceType": "CarePlan", "id": "p", "status": "active", "title": "A plan for nights",
        "activity": [{"detail": {"description": "Call before midnight"}}],
    }  # fmt: skip
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "Screening"},
              "conclusion": "Nothing found"}  # fmt: skip

    page = printed(plan, report)

    assert "A plan for nights Call before midnight" in page
    assert "Screening (final) Nothing found" in page
