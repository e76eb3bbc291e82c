"""The printed copy of a release: what was disclosed, to whom, on which basis, and what binds whoever holds it.

It prints what a disclosure holds and nothing else; the same release gives the same bytes.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.formats.pdf_sheet import INK, NOTICE_GROUND, Sheet
from gateway.formats.referral_content import name_of, plan_of, text_of, value_of
from gateway.model.handoff import Resource

_UNPRINTED = frozenset({"Provenance", "Organization", "Practitioner", "PractitionerRole", "Location"})
"""What only supports the rest."""
_WHEN = ("effectiveDateTime", "onsetDateTime", "recordedDate", "authoredOn", "dateTime", "date", "created", "issued")
_WHAT = ("code", "type", "category", "medicationCodeableConcept", "scope", "vaccineCode", "description", "title")


@dataclass(frozen=True, slots=True)
class ReleaseCover:
    """What stands above the content: `rows` are (label, text), `bindings` what the law or the patient asks for."""

    title: str
    rows: Sequence[tuple[str, str]]
    bindings: Sequence[str]
    notice: str


def release_pdf(content: Resource, cover: ReleaseCover, created_at: datetime) -> bytes:
    """Draw a disclosed Bundle under its cover on Letter pages and return the PDF. `created_at` is aware."""
    page = Sheet("Release of information", created_at)
    page.line_of("Release of information", 20, "B")
    page.line_of(cover.title, 11)
    page.rule()
    for label, text in cover.rows:
        page.row(label, text)
    if cover.bindings:
        page.boxed("What binds whoever holds this", "\n".join(cover.bindings), NOTICE_GROUND, INK)
    resources = [entry["resource"] for entry in content["entry"]]
    for resource in resources:
        if resource["resourceType"] == "Patient":
            _person(page, resource)
    printed = [one for one in resources if one["resourceType"] not in {*_UNPRINTED, "Patient"}]
    for kind in dict.fromkeys(one["resourceType"] for one in printed):
        page.section(_spaced(kind))
        for resource in printed:
            if resource["resourceType"] == kind:
                _entry(page, resource)
    if cover.notice:
        page.boxed("Notice to the recipient", cover.notice, NOTICE_GROUND, INK)
    if page.has_unprintable:
        page.paragraph("Characters that this print cannot show appear as ?.")
    return page.to_bytes("Confidential   |   Release of information")


def _person(page: Sheet, patient: Resource) -> None:
    page.section("Person")
    page.row("Name", name_of(patient))
    page.row("Born", str(patient.get("birthDate", "")))
    page.row("Gender", str(patient.get("gender", "")))
    page.row("Reached at", ", ".join(str(one["value"]) for one in patient.get("telecom", ()) if "value" in one))
    page.row("Address", "\n".join(_address(one) for one in patient.get("address", ())))
    page.row("Marked", _labels(patient))


def _address(address: dict[str, Any]) -> str:
    parts = [*address.get("line", ()), address.get("city"), address.get("state"), address.get("postalCode")]
    return str(address.get("text") or ", ".join(str(part) for part in parts if part))


def _entry(page: Sheet, resource: Resource) -> None:
    """Write one resource: when, what it says, how it stands, and the labels it carries."""
    page.row(_when(resource)[:10], "\n".join(filter(None, _lines(resource))))


def _lines(resource: Resource) -> list[str]:
    words = next(filter(None, (_words(resource.get(name)) for name in _WHAT)), resource["resourceType"])
    value = value_of(resource) if resource["resourceType"] == "Observation" else ""
    said = f"{words}: {value}" if value and value != words else words
    notes = [str(one.get("text", "")) for one in resource.get("note", ())]
    reasons = [text_of(one) for one in resource.get("reasonCode", ())]
    stated = f"{said} ({resource['status']})" if "status" in resource else said
    plan = plan_of(resource) if resource["resourceType"] == "CarePlan" else ""
    return [
        stated,
        plan,
        *reasons,
        *notes,
        str(resource.get("conclusion", "")),
        *_documents(resource),
        _labels(resource),
    ]


def _documents(resource: Resource) -> list[str]:
    """Return the texts of a document; of what is no text, that the other form of the copy has it."""
    contents = resource.get("content", ()) if resource["resourceType"] == "DocumentReference" else ()
    return [_text_in(one["attachment"]) for one in contents if "data" in one.get("attachment", {})]


def _text_in(attachment: dict[str, Any]) -> str:
    kind = str(attachment.get("contentType", "")).partition(";")[0].strip().lower()
    if kind != "text/plain":
        return f"A file ({kind or 'of no stated kind'}) that is not printed here: the copy as a FHIR Bundle holds it."
    return base64.b64decode(attachment["data"]).decode("utf-8", "replace")


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    first = value[0] if isinstance(value, list) and value else value
    return text_of(first) if isinstance(first, dict) else ""


def _when(resource: Resource) -> str:
    period = resource.get("period") or {}
    return str(period.get("start") or next((resource[name] for name in _WHEN if name in resource), ""))


def _labels(resource: Resource) -> str:
    codes = [one["code"] for one in resource.get("meta", {}).get("security", ()) if "code" in one]
    return f"[{' '.join(codes)}]" if codes else ""


def _spaced(kind: str) -> str:
    rest = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind[1:])
    return kind[:1] + rest
